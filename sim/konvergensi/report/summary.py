"""One page in words for a planner, every number read off the tables of the run.

It says what is, never why: one run cannot tell a cause, and the page says so.
"""

from __future__ import annotations

from collections.abc import Callable

from konvergensi.base.words import Lang, number, part, percent, word
from konvergensi.report import findings, findings_indices
from konvergensi.report import readings as read
from konvergensi.report.origin import district, period, plain, synthetic
from konvergensi.report.readings import RunTables


def summary(run: RunTables, lang: Lang) -> str:
    """The page as Markdown, ending with a newline. A part without data says so and never raises."""
    title = word("summary.title", lang, district=district(run), scenario=plain(run.manifest.get("policy", "?")))
    parts: dict[str, Callable[[RunTables, Lang], list[str]]] = {
        "ran": _ran,
        "prevalence": findings.prevalence,
        "chain": findings.chain,
        "money": findings.money,
        "targeting": findings.targeting,
        "equity": findings.equity,
        "household": findings.household,
        "indices": findings_indices.indices,
        "coordination": findings.coordination,
        "limits": _limits,
        "next": _next,
    }
    page = [f"# {title}"]
    for name, write in parts.items():
        sentences = write(run, lang) or [word("summary.no_data", lang)]
        glue = "\n" if sentences[0].startswith("- ") else " "
        page += ["", f"## {word(f'summary.heading.{name}', lang)}", "", glue.join(sentences)]
    return "\n".join(page) + "\n"


def _ran(run: RunTables, lang: Lang) -> list[str]:
    manifest = run.manifest
    share = float(manifest.get("population_share", 1.0))
    sentences = [
        word(
            "summary.ran.text",
            lang,
            district=district(run),
            period=period(run, lang),
            scenario=plain(manifest.get("policy", "?")),
            seed=manifest.get("seed", "?"),
            share=part(share, lang),
            version=manifest.get("version", "?"),
        )
    ]
    if changes := manifest.get("set"):
        listed = ", ".join(f"{plain(key)} = {plain(value)}" for key, value in changes.items())
        sentences.append(word("summary.ran.set", lang, changes=listed))
    truth = read.group(run, "all")
    if len(truth):
        children = number(float(truth["n_children"].iloc[-1]), lang)
        sentences.append(word("summary.ran.children", lang, children=children))
    if share < 1:
        sentences.append(word("summary.ran.part", lang))
    return sentences


def _limits(run: RunTables, lang: Lang) -> list[str]:
    lines = [word(f"summary.limits.{name}", lang) for name in ("one_run", "cause")]
    share = run.manifest.get("assumptions_share")
    if share is not None:
        lines.append(word("summary.limits.assumptions", lang, share=percent(float(share), lang, 0)))
    if inputs := synthetic(run, lang):
        lines.append(word("summary.limits.synthetic", lang, inputs=plain(inputs)))
    lines.append(word("summary.limits.forecast", lang))
    return [f"- {line}" for line in lines]


def _next(run: RunTables, lang: Lang) -> list[str]:
    command = str(run.manifest.get("command", "")).replace("`", "'")
    lines = [word(f"summary.next.{name}", lang) for name in ("cascade", "prevalence", "money", "network")]
    lines.append(word("summary.next.manifest", lang, command=command))
    return [f"- {line}" for line in lines]
