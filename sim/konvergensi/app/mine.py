"""The page "My district": the office's own villages, each fault beside its cell, mended there or in the file."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from konvergensi.app import render
from konvergensi.app.desk import OWN, Desk
from konvergensi.base.errors import Fault, InputError, fault, format_value
from konvergensi.base.files import digest
from konvergensi.base.moving import make_folder, write_new
from konvergensi.base.words import word
from konvergensi.inputs.csv_files import WORKBOOK
from konvergensi.inputs.districts import District, load_district
from konvergensi.inputs.office_table import OfficeTable, read_table
from konvergensi.inputs.villages import COLUMNS, read_villages
from konvergensi.report.villages_page import FILE, to_fill
from konvergensi.report.workbook import write_workbook

if TYPE_CHECKING:
    from starlette.requests import Request

    from konvergensi.base.words import Lang

LARGEST = 2_000_000  # bytes of a file: 500 villages take 60 kB
SHOWN_ROWS = 12  # around a fault
SHEETS = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NAMED = ("at_cell", "at_line")


def front(request: Request) -> Response:
    """The form, and the districts made here."""
    desk = request.app.state.desk
    own = [(f"{OWN}{name}", desk.district(f"{OWN}{name}").name) for name in desk.own_districts()]
    return render.page("mine.html", request, own=own, bases=desk.offered(render.language(request), own=False),
                       said={"name": "", "base": "lebak"}, table=None, lines=[], draft="")  # fmt: skip


def template(request: Request) -> Response:
    """The table to fill in, with the names of a district's villages."""
    desk, lang = request.app.state.desk, render.language(request)
    place = desk.district(request.query_params.get("base", "lebak"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE
        write_workbook([to_fill(place.name, len(place.villages), lang)], path)
        content = path.read_bytes()
    headers = {"content-disposition": f'attachment; filename="{FILE}"'}
    return Response(content, media_type=SHEETS, headers=headers)


async def send(request: Request) -> Response:
    """Read what was sent: a file, or a mended cell of one sent before."""
    form = await request.form(max_files=1, max_fields=60)
    said = {key: str(value) for key, value in form.items() if not isinstance(value, UploadFile)}
    given = form.get("file")
    content, name = b"", ""
    if isinstance(given, UploadFile):
        content, name = await given.read(LARGEST + 1), given.filename or ""
    return await run_in_threadpool(_read, request, said, content, name)


ROUTES = [
    Route("/{lang}/mine", front),
    Route("/{lang}/mine/villages.xlsx", template),
    Route("/{lang}/mine/send", send, methods=["POST"]),
]


def _read(request: Request, said: dict[str, str], content: bytes, name: str) -> Response:
    desk, lang = request.app.state.desk, render.language(request)
    if not content and said.get("draft"):
        content, name = _kept(desk, said["draft"])
        content = mended(content, name, said)
    if not content:
        raise InputError(fault("", "file", "empty"))
    if len(content) > LARGEST:
        raise InputError(fault(_plain_name(name), "", "too_large", size="2", most="2"))
    path, draft = Path(_plain_name(name)), _keep(desk, content, name)
    called = " ".join(said.get("name", "").split())[:80]
    try:
        read = read_villages(content, path)
        if not called:
            raise InputError(fault("", "name", "empty"))
        made = make_district(desk, called, said.get("base", "lebak"), content, path.suffix)
    except InputError as error:
        own = [(f"{OWN}{each}", desk.district(f"{OWN}{each}").name) for each in desk.own_districts()]
        table = shown(content, path, list(error.faults), lang)
        return render.page("mine.html", request, 400, own=own, bases=desk.offered(lang, own=False),
                           said={"name": called, "base": said.get("base", "lebak")}, table=table,
                           lines=_told(desk, error, table, lang), draft=draft)  # fmt: skip
    notes = [desk.hidden(each.text(lang)) for each in read.notes]
    if notes:
        return render.page("mine_done.html", request, name=made, place=desk.district(made), notes=notes)
    return RedirectResponse(f"/{lang}/look/{made}", 303)


def _told(desk: Desk, error: InputError, table: dict[str, Any] | None, lang: Lang) -> list[str]:
    """The faults in words, each by the header of its column as the file has it, else by what the page calls it."""
    named = {} if table is None else table["headers"]
    asked = {name: word(f"villages.asked.{name}", lang) for name in COLUMNS}
    return [
        f"{named.get(each.key) or asked[each.key]}: {desk.hidden(each.sentence(lang))}"
        if each.key in asked
        else desk.told(InputError(each), lang)[0]
        for each in error.faults
    ]


def make_district(desk: Desk, called: str, base: str, content: bytes, ending: str) -> str:
    """A district folder of its own: these villages, everything else from `base`; returns `own:<name>`.

    Raises InputError when the base is unknown or the whole cannot be used; then nothing is left.
    """
    place = desk.district(base)
    if base.startswith(OWN):
        raise InputError(fault("", "base", "not_name", value=base))
    name = re.sub(r"[^a-z0-9]+", "-", called.casefold()).strip("-")[:40] or "district"
    name = f"{name}-{digest(content)[:6]}"
    folder = desk.folder / "districts" / name
    if (folder / "district.toml").exists():
        return OWN + name
    text = (
        f'extends = "{place.id}"\nname = {_toml_text(called)}\nprovince = {_toml_text(place.province)}\n'
        f'kind = "{place.kind}"\n'
        f"notes = {{ en = {_toml_text(f'Villages uploaded; the rest is that of {place.name}.')}, "
        f"id = {_toml_text(f'Desa diunggah; selebihnya milik {place.name}.')} }}\n\n[population]\n"
        + _totals(place, int(read_villages(content, Path(f"villages{ending}")).table["families"].sum()))
    )
    make_folder(folder, [])
    try:
        write_new(folder / f"villages{'.xlsx' if content.startswith(WORKBOOK) else '.csv'}", content)
        write_new(folder / "draft.toml", text.encode())
        (folder / "draft.toml").rename(folder / "district.toml")
        load_district(folder)
    except InputError:
        for each in folder.iterdir():
            each.unlink()
        folder.rmdir()
        raise
    return OWN + name


def _totals(place: District, families: int) -> str:
    """The counts of the district: families as uploaded, the others as many for each family as in `place`."""
    ratio = families / float(place.population["families"].value)
    lines = []
    for name, each in place.population.items():
        if each.unit.startswith("share"):
            continue  # shares stay those of the district it extends
        own = name == "families"
        value = families if own else each.value * ratio
        source = "the table of villages, uploaded" if own else f"{place.name}: as many for each family there"
        shown = format_value(round(value) if float(each.value).is_integer() else value)
        lines.append(f'{name} = {{ value = {shown}, unit = {_toml_text(each.unit)}, '
                     f'source = {_toml_text(source)}, grade = "assumption" }}')  # fmt: skip
    return "\n".join(lines) + "\n"


def _toml_text(text: str) -> str:
    kept = "".join(each for each in text if each.isprintable())
    return '"' + kept.replace("\\", "\\\\").replace('"', '\\"') + '"'


# ---- the file as it was sent -----------------------------------------------------------------------------------------


def _plain_name(name: str) -> str:
    """A file's name without folders and controls."""
    kept = "".join(each for each in PurePosixPath(name.replace("\\", "/")).name if each.isprintable())
    return kept[-60:] or "villages.csv"


def _keep(desk: Desk, content: bytes, name: str) -> str:
    ending = ".xlsx" if content.startswith(WORKBOOK) else ".csv"
    draft = digest(content)[:16] + ending
    folder = desk.folder / "uploads"
    folder.mkdir(exist_ok=True)
    if not (folder / draft).exists():
        write_new(folder / draft, content)
    return draft


def _kept(desk: Desk, draft: str) -> tuple[bytes, str]:
    if not re.fullmatch(r"[0-9a-f]{16}\.(csv|xlsx)", draft) or not (desk.folder / "uploads" / draft).is_file():
        raise InputError(fault("", "draft", "no_file"))
    return (desk.folder / "uploads" / draft).read_bytes(), f"villages{Path(draft).suffix}"


def _table(content: bytes, path: Path) -> OfficeTable | None:
    try:
        return read_table(content, path, "villages", COLUMNS, ("village", "kecamatan"))
    except InputError:
        return None


def shown(content: bytes, path: Path, faults: list[Fault], lang: Lang) -> dict[str, Any] | None:
    """The rows of the file around its faults, each fault beside its cell; None where no table was found."""
    table = _table(content, path)
    if table is None:
        return None
    wrong = {(int(each.words["line"]), each.key): each for each in faults if each.phrase in NAMED}
    at = [k for k, row in enumerate(table.rows) if table.grid.lines[row] in {line for line, _ in wrong}]
    near = sorted({j for k in at or [0] for j in range(max(k - 1, 0), min(k + 2, len(table.rows)))})[: 4 * SHOWN_ROWS]
    columns = list(table.columns)
    rows = []
    for k in near:
        line = table.grid.lines[table.rows[k]]
        cells = []
        for column in columns:
            value = table.cells(column)[k]
            each = wrong.get((line, column))
            cells.append({"text": _as_written(value), "fault": each.sentence(lang) if each else "",
                          "at": f"{line}:{column}"})  # fmt: skip
        rows.append({"line": line, "cells": cells})
    return {
        "faulty": bool(at),
        "headers": dict(table.headers),
        "heads": [table.headers.get(column, column) for column in columns],
        "rows": rows,
    }


def _as_written(value: object) -> str:
    """A cell as an office would write it: 1200, not 1200.0 as a workbook keeps it."""
    return "" if value is None else f"{value:.10g}" if isinstance(value, float) else str(value)


def mended(content: bytes, name: str, said: dict[str, str]) -> bytes:
    """The file with the cells that a form names `cell LINE:COLUMN` written anew, everything else as it was."""
    table = _table(content, Path(name))
    cells = {key.removeprefix("cell "): text[:200] for key, text in said.items() if key.startswith("cell ")}
    if table is None or not cells:
        return content
    places = []
    for at, text in cells.items():
        line, _, column = at.partition(":")
        if column in table.columns and line.isdigit() and int(line) in table.grid.lines:
            places.append((int(line), table.columns[column], text))
    if content.startswith(WORKBOOK):
        return _in_workbook(content, table.grid.sheet, places)
    rows = [["" if cell is None else str(cell) for cell in row] for row in table.grid.rows]
    for number, place, text in places:
        row = rows[table.grid.lines.index(number)]
        row += [""] * (place + 1 - len(row))
        row[place] = text
    out = io.StringIO()
    csv.writer(out, delimiter=table.grid.between, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def _in_workbook(content: bytes, sheet: str, places: list[tuple[int, int, str]]) -> bytes:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(content))
    for line, column, text in places:
        cell = book[sheet].cell(row=line, column=column + 1)
        try:
            cell.value = float(text)
        except ValueError:
            cell.value = text.lstrip("=+-@")  # text, never a formula
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
