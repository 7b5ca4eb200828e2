"""How each kind of result is shown: page, figures, lines to print, and writing all of that into a folder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from konvergensi.base.errors import format_value
from konvergensi.base.folders import drafted, write_json
from konvergensi.base.harmless import plain
from konvergensi.base.scalars import scalar
from konvergensi.base.units import unit_word
from konvergensi.base.words import Lang, number
from konvergensi.observe.units import units_of
from konvergensi.report import (
    allocate_page,
    comparison,
    comparison_printed,
    country_validation_page,
    discovery_page,
    districts_page,
    explain_page,
    figures_calibration,
    figures_country_validation,
    figures_discovery,
    figures_explain,
    figures_gaps,
    figures_nation,
    figures_robustness,
    figures_sensitivity,
    gaps_page,
    nation_page,
    paper,
    robustness_page,
    run_page,
    sensitivity_page,
    summary,
    theme,
    trial_words,
    validation_page,
    villages_page,
)
from konvergensi.report import figures as run_figures
from konvergensi.results.saving import write_result

Draw = Callable[[], Figure]
SHOWN_ROWS = 5  # of each table in a notebook


@dataclass(frozen=True)
class Shown:
    """How one kind of result is shown.

    lines: to print; page: name of the page's file and what makes it; figures: by name; there: names of those that there
    is something to draw for, None for all; extra: writes what else belongs to it into a folder.
    """

    lines: Callable[[Any, Lang], list[str]]
    page: tuple[str, Callable[[Any, Lang], str]] | None = None
    figures: Callable[[Any, Lang], Mapping[str, Draw]] = lambda _result, _lang: {}
    there: Callable[[Any], Collection[str]] | None = None
    extra: Callable[[Any, Path, Lang], object] | None = None
    own_figures: bool = False  # `extra` writes the figures too, in several formats


def _made(makers: Mapping[str, Callable[[Any, Lang], Figure]]) -> Callable[[Any, Lang], Mapping[str, Draw]]:
    """Figures that are functions of the result and the language."""

    def of(result: Any, lang: Lang) -> Mapping[str, Draw]:
        return {name: _drawn(make, result, lang) for name, make in makers.items()}

    return of


def _drawn(make: Callable[[Any, Lang], Figure], result: Any, lang: Lang) -> Draw:
    return lambda: make(result, lang)


def _every(all_at_once: Callable[[Any, Lang], Mapping[str, Figure]]) -> Callable[[Any, Lang], Mapping[str, Draw]]:
    """Figures that are made together."""

    def of(result: Any, lang: Lang) -> Mapping[str, Draw]:
        return {name: _kept(figure) for name, figure in all_at_once(result, lang).items()}

    return of


def _kept(figure: Figure) -> Draw:
    return lambda: figure


def _of_sensitivity(result: Any, lang: Lang) -> Mapping[str, Draw]:
    made = figures_sensitivity.figures(result)
    return {name: _drawn(lambda drawing, lang: drawing.draw(lang), each, lang) for name, each in made.items()}


def _of_comparison(result: Any, lang: Lang) -> Mapping[str, Draw]:
    return {name: _drawn(make, result, lang) for name, make in comparison.makers(result).items()}


def _fitted(result: Any, out: Path, _lang: Lang) -> None:
    """The manifest under the district's name, as `--draws-from` looks for it: a folder may hold several districts."""
    write_json(result.manifest, out / f"{result.study.place.id}.json")


SHOWN: dict[str, Shown] = {
    "run": Shown(run_page.lines, ("summary.md", summary.summary), _made(run_figures.FIGURES), run_figures.shown),
    "comparison": Shown(comparison_printed.lines, None, _of_comparison, extra=comparison.write, own_figures=True),
    "gaps": Shown(gaps_page.lines, ("gaps.md", gaps_page.page), _made(figures_gaps.FIGURES), figures_gaps.shown),
    "allocation": Shown(allocate_page.lines, ("allocation.md", allocate_page.page)),
    "explanation": Shown(explain_page.lines, ("explain.md", explain_page.page), _made(figures_explain.FIGURES)),
    "villages": Shown(villages_page.lines, ("villages.md", villages_page.page), extra=villages_page.write),
    "trial": Shown(trial_words.lines),
    "calibration": Shown(validation_page.calibration_lines, extra=_fitted),
    "sensitivity": Shown(
        sensitivity_page.lines,
        ("sensitivity.md", sensitivity_page.page),
        _of_sensitivity,
        extra=figures_sensitivity.write,
        own_figures=True,
    ),
    "discovery": Shown(discovery_page.lines, ("discovery.md", discovery_page.page), _every(figures_discovery.figures)),
    "robustness": Shown(
        robustness_page.lines, ("robustness.md", robustness_page.page), _every(figures_robustness.figures)
    ),
    "validation": Shown(
        validation_page.lines,
        ("validation.md", validation_page.page),
        _made(figures_calibration.FIGURES),
        figures_calibration.shown,
    ),
    "districts": Shown(districts_page.lines, ("districts.md", districts_page.page), _made(districts_page.FIGURES)),
    "nation": Shown(
        nation_page.lines,
        ("nation.md", nation_page.page),
        _made(figures_nation.FIGURES),
        extra=nation_page.write,
    ),
    "country_validation": Shown(
        country_validation_page.lines,
        ("validation.md", country_validation_page.page),
        _made(figures_country_validation.FIGURES),
    ),
}


def save(
    result: Any, out: Path, lang: Lang, command: str | None, figures: bool = True, also: Collection[str] = ()
) -> list[str]:
    """Write everything there is of a result into `out`, all of it or nothing; return the names.

    Parameters: also, what is written beside it (report/paper.py).

    Raises InputError when something that is not ours stands in the way, OSError when `out` cannot be written.
    """
    shown, page = SHOWN[result.kind], ""
    paper.check(result.kind, also)
    own = result.manifest | {"lang": lang, "command": command or result.manifest.get("command", "")}
    result = replace(result, manifest=own)
    with drafted(out) as draft:
        if shown.page is not None:
            name, of_page = shown.page
            page = plain(of_page(result, lang))
            (draft / name).write_text(page, encoding="utf-8")
        if shown.extra is not None:
            shown.extra(result, draft, lang)
        if figures and not shown.own_figures:
            drawn = shown.figures(result, lang)
            write_figures({name: drawn[name] for name in _there(result)}, draft / "figures")
        paper.write(result, draft, lang, also, page)
        return write_result(result, draft)


def write_figures(drawn: Mapping[str, Draw], folder: Path) -> None:
    """Draw figures and write them as PNG into a folder, which is made; matplotlib's settings stay as they were."""
    for name, draw in drawn.items():
        folder.mkdir(exist_ok=True)
        theme.save_png(draw(), folder / f"{name}.png", run_figures.DPI)


def _there(result: Any) -> list[str]:
    shown = SHOWN[result.kind]
    return list(shown.figures(result, "en") if shown.there is None else shown.there(result))


def plot(result: Any, name: str, lang: Lang) -> Figure:
    """Draw one of the figures. Raises KeyError when there is none of that name."""
    return SHOWN[result.kind].figures(result, lang)[name]()


def figure_names(result: Any) -> list[str]:
    """Names of the figures there are."""
    return list(SHOWN[result.kind].figures(result, "en"))


def lines(result: Any, lang: Lang) -> list[str]:
    """What the result says, to print."""
    return [plain(line) for line in SHOWN[result.kind].lines(result, lang)]


def html(result: Any, lang: Lang) -> str:
    """What a notebook shows: the lines, and each table to unfold: its first rows under columns with their units."""
    said = escape("\n".join(lines(result, lang)))
    tables = "".join(_unfolding(name, table, lang) for name, table in result.tables().items())
    return f"<pre style='white-space: pre-wrap'>{said}</pre>{tables}"


def _unfolding(name: str, table: pd.DataFrame, lang: Lang) -> str:
    """The beginning of a table, as HTML that shows one line until it is unfolded."""
    units = units_of("", name, table.columns) | table.attrs.get("units", {})
    said = [escape(plain(unit_word(units[str(each)], lang))) for each in table.columns]
    heads = [f"{escape(plain(str(each)))}<br><small>{unit}</small>" for each, unit in zip(table.columns, said)]
    cells = [
        [escape(plain(format_value(scalar(cell)))) for cell in row] for row in table.head(SHOWN_ROWS).to_numpy(object)
    ]
    rows = [f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in cells]
    size = f"{number(len(table), lang)} × {number(table.shape[1], lang)}"
    return (
        f"<details><summary>{escape(name)} ({size})</summary><table><tr>"
        f"{''.join(f'<th>{head}</th>' for head in heads)}</tr>{''.join(rows)}</table></details>"
    )
