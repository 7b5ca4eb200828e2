"""The page "Compute": put a job in line, see how far it is, stop it, go on, and take what it found."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from konvergensi.app import asked, jobs, render, sheets, tries, work
from konvergensi.app.desk import OWN, called
from konvergensi.base.errors import InputError, fault
from konvergensi.inputs.scenarios import list_scenarios, load_scenario
from konvergensi.results.saving import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

PAPERS = (".pdf", ".pptx", ".xlsx")
SHEET = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"


def front(request: Request) -> Response:
    """What can be asked, and the jobs there are."""
    desk, lang = request.app.state.desk, render.language(request)
    policy = request.query_params.get("policy", "")
    policies = [(name, load_scenario(name).title[lang]) for name in list_scenarios() if name != "baseline"]
    if policy.startswith(OWN):
        policies.insert(0, (policy, load_scenario(desk.scenario(policy)).title[lang]))
    return render.page(
        "jobs.html",
        request,
        jobs=[shown(desk, job, lang) for job in jobs.every(desk)],
        kinds=[kind for kind in work.kinds() if kind in asked.SIZES],
        sizes=asked.SIZES,
        choices=asked.CHOICES,
        money=asked.MONEY,
        policies=policies,
        baseline=load_scenario("baseline").title[lang],
        asked=policy,
        district=desk.id_of(request.query_params.get("district", "lebak")),
        since=request.query_params.get("end", ""),
        **tries.choices(request),
    )


async def begin(request: Request) -> Response:
    """Put a job in line."""
    form = await request.form(max_files=0, max_fields=100)
    said = {key: str(value) for key, value in form.items()}
    chosen = [str(each) for each in form.getlist("policies")]
    job = await run_in_threadpool(_begin, request, said, chosen)
    return RedirectResponse(f"/{render.language(request)}/jobs/{job.id}", 303)


def _begin(request: Request, said: Mapping[str, str], chosen: list[str]) -> jobs.Job:
    desk, kind = request.app.state.desk, said.get("kind", "")
    if kind not in work.kinds() or kind not in asked.SIZES:
        raise InputError(fault("", "kind", "choice", value=kind[:40], choices=", ".join(asked.SIZES)))
    return jobs.add(desk, kind, asked.options_of(desk, kind, said, chosen), render.language(request))


def one(request: Request) -> Response:
    """One job: how far it is, or what it found."""
    return render.page("job.html", request, **_told(request))


def state(request: Request) -> Response:
    """The part of a job's page that changes."""
    return Response(render.part("job_part.html", request, **_told(request)), media_type="text/html")


def _told(request: Request) -> dict[str, Any]:
    desk, lang = request.app.state.desk, render.language(request)
    job = jobs.Job.open(desk, request.path_params["job"])
    told: dict[str, Any] = {"job": shown(desk, job, lang), "lines": [], "files": [], "sheet": False}
    if job.state == "done":
        result = load(job.folder / jobs.RESULT)
        result.lang = lang
        told |= {
            "lines": result.lines,
            "page": sheets.page_of(result, lang, job.folder / jobs.RESULT, job.lang),
            "files": _files(job),
            "sheet": (job.folder / jobs.RESULT / "report.html").is_file(),
        }
        told["papers"] = [name for name in told["files"] if Path(name).suffix in PAPERS]
        told["pictures"] = [name for name in told["files"] if name.startswith("figures/") and name.endswith(".png")]
    return told


def shown(desk: Any, job: jobs.Job, lang: Any) -> dict[str, Any]:
    """What a page says of a job."""
    done, total = job.progress
    return {"id": job.id, "kind": job.kind, "state": job.state, "done": done, "total": total, "faults": job.faults,
            "district": called(desk.district(job.options["district"]).name, lang), "command": job.command(desk),
            "policies": job.own_policies, "lang": job.lang}  # fmt: skip


def _files(job: jobs.Job) -> list[str]:
    """What the result holds that one can take, by its manifest's own list."""
    folder = job.folder / jobs.RESULT
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()
    )


async def stop(request: Request) -> Response:
    """Stop a job, or let it go on."""
    form = await request.form(max_files=0, max_fields=5)
    job = jobs.Job.open(request.app.state.desk, request.path_params["job"])
    if form.get("do") == "stop":
        job.stop()
    elif form.get("do") == "resume":
        job.resume()
    return RedirectResponse(f"/{render.language(request)}/jobs/{job.id}", 303)


def file(request: Request) -> Response:
    """A file of a result; the sheet is shown under the rules that it sets itself."""
    job, name = _done(request), request.path_params["name"]
    if name not in _files(job):
        raise HTTPException(404)
    content = (job.folder / jobs.RESULT / name).read_bytes()
    if name == "report.html":
        content = sheets.in_language(content, render.language(request))
    kinds = {".html": "text/html; charset=utf-8", ".png": "image/png", ".md": "text/plain; charset=utf-8",
             ".csv": "text/csv; charset=utf-8", ".json": "application/json", ".pdf": "application/pdf"}  # fmt: skip
    headers = {"content-security-policy": SHEET} if name.endswith(".html") else {}
    if Path(name).suffix not in (".html", ".png"):
        headers["content-disposition"] = f'attachment; filename="{Path(name).name}"'
    return Response(content, media_type=kinds.get(Path(name).suffix, "application/octet-stream"), headers=headers)


def everything(request: Request) -> Response:
    """The whole result as one archive, with the policies and the command that repeat it."""
    desk, job = request.app.state.desk, _done(request)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in _files(job):
            archive.write(job.folder / jobs.RESULT / name, name)
        for each in job.own_policies:
            archive.write(desk.policy_path(each), desk.policy_path(each).name)
        archive.writestr("command.txt", job.command(desk) + "\n")
    headers = {"content-disposition": f'attachment; filename="konvergensi-{job.kind}-{job.id}.zip"'}
    return Response(packed.getvalue(), media_type="application/zip", headers=headers)


def policy(request: Request) -> Response:
    """A policy made here, as a TOML file."""
    path = request.app.state.desk.policy_path(request.path_params["policy"])
    if not path.is_file():
        raise HTTPException(404)
    headers = {"content-disposition": f'attachment; filename="{path.name}"'}
    return Response(path.read_bytes(), media_type="application/toml", headers=headers)


def _done(request: Request) -> jobs.Job:
    job = jobs.Job.open(request.app.state.desk, request.path_params["job"])
    if job.state != "done":
        raise HTTPException(404)
    return job


ROUTES = [
    Route("/{lang}/jobs", front),
    Route("/{lang}/jobs/new", begin, methods=["POST"]),
    Route("/{lang}/jobs/{job}", one),
    Route("/{lang}/jobs/{job}/state", state),
    Route("/{lang}/jobs/{job}/do", stop, methods=["POST"]),
    Route("/{lang}/jobs/{job}/all.zip", everything),
    Route("/{lang}/jobs/{job}/files/{name:path}", file),
    Route("/{lang}/policies/{policy}.toml", policy),
]
