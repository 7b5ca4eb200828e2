"""The report of a comparison: `report.html`, `decision.md`, and its figures as PNG, SVG and CSV."""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from konvergensi.base.harmless import plain, write_csv
from konvergensi.base.words import LANGUAGES, Lang, counted, listed, month_name, number, word, word_or
from konvergensi.report import context_page, measure_first_page, theme
from konvergensi.report import findings_comparison as findings
from konvergensi.report import readings_comparison as compared
from konvergensi.report.decision import markdown, sheet
from konvergensi.report.figures_comparison import figures_of
from konvergensi.report.front_page import front
from konvergensi.report.origin import draws_and_seeds, interval_kind, synthetic

if TYPE_CHECKING:
    from konvergensi.results.comparison import Comparison

DPI = 200
# Text stays text: it can be searched, copied and read aloud. Narrower fonts than DejaVu Sans fit as well.
_FONTS = "'DejaVu Sans', Verdana, Arial, sans-serif"
_SVG = {"svg.fonttype": "none", "svg.id": None}
_SECTIONS = {
    "time": ("trajectories", "difference_over_time", "differences"),
    "published": ("routine",),
    "reach": ("cascade", "services"),
    "places": ("map_before", "map_after", "map_change"),
    "groups": ("groups",),
    "money": ("cost_cases", "cost_protected", "money"),
    "calendar": ("calendar",),
    "coordination": ("network_before", "network_after"),
    "targeting": ("targeting",),
}


@dataclass(frozen=True)
class Drawn:
    """A figure as it stands in the page."""

    name: str
    svg: Markup


@dataclass
class Section:
    """What stands under one heading of the page; most of it empty in any one section."""

    name: str
    heading: str
    lead: str = ""
    sentences: list[str] = field(default_factory=list)
    policies: list[dict[str, str]] = field(default_factory=list)
    tables: list[findings.Table] = field(default_factory=list)
    figures: list[Drawn] = field(default_factory=list)
    corners: list[findings.Corner] = field(default_factory=list)
    folds: list[findings.Table] = field(default_factory=list)
    after: list[str] = field(default_factory=list)  # sentences below the tables
    facts: list[tuple[str, str]] = field(default_factory=list)


def makers(comparison: Comparison) -> dict[str, Callable[[Comparison, Lang], Figure]]:
    """What draws each figure."""
    return {name: make for name, (make, _) in figures_of(comparison).items()}


def write(comparison: Comparison, folder: Path, lang: Lang) -> None:
    """Write the report into a folder that exists.

    The page opens in `lang` and can be switched; `decision.md` and the files in `figures/` are in `lang`.
    """
    inside = folder / "figures"
    inside.mkdir(exist_ok=True)
    pictures: dict[Lang, dict[str, Drawn]] = {each: {} for each in LANGUAGES}
    for name, (make, data) in figures_of(comparison).items():
        for each in LANGUAGES:
            figure = make(comparison, each)
            svg = as_svg(figure, name)
            pictures[each][name] = in_page(svg, figure, name, each)
            if each == lang:
                (inside / f"{name}.svg").write_text(svg, encoding="utf-8")
                theme.save_png(figure, inside / f"{name}.png", DPI)
        write_csv(_labelled(data(comparison), comparison, lang), inside / f"{name}.csv")
    (folder / "decision.md").write_text(plain(sheets(comparison, lang)), encoding="utf-8")
    (folder / "report.html").write_text(plain(page(comparison, lang, pictures)), encoding="utf-8")


def sheets(comparison: Comparison, lang: Lang) -> str:
    """Page one and the page behind it as Markdown."""
    behind = markdown(sheet(comparison, lang), "#")
    measure = measure_first_page.markdown(comparison, lang)
    return f"{markdown(front(comparison, lang))}\n---\n\n_{word('front.details', lang)}_\n\n{behind}\n{measure}"


def page(comparison: Comparison, lang: Lang, pictures: dict[Lang, dict[str, Drawn]]) -> str:
    """The whole page, opening in `lang`; what comes from files is escaped by the template."""
    environment = Environment(
        loader=PackageLoader("konvergensi.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=False
    )
    css = files("konvergensi.report").joinpath("templates", "report.css").read_text(encoding="utf-8")
    first = [lang, *(each for each in LANGUAGES if each != lang)]
    district = str(comparison.manifest.get("district_name", comparison.manifest["district"]))
    return environment.get_template("report.html").render(
        lang=lang,
        title=word("report.title", lang, district=district),
        css=Markup(css),  # our own file
        pages=[
            {
                "lang": each,
                "language": word("report.this_language", each),
                "district": district,
                "say": functools.partial(_say, each),
                "front": front(comparison, each),
                "sheet": sheet(comparison, each),
                "sections": _sections(comparison, each, pictures[each]),
            }
            for each in first
        ],
    )


def _say(lang: Lang, key: str, **fields: object) -> str:
    return word(key, lang, **fields)


def _sections(comparison: Comparison, lang: Lang, pictures: dict[str, Drawn]) -> list[Section]:
    def heading(name: str) -> str:
        return word(f"report.heading.{name}", lang)

    tables = [findings.glance(comparison, lang)]
    tables += [shown] if (shown := findings.targets(comparison, lang)) else []
    of_drawn = [shown] if (shown := findings.drawn(comparison, lang)) else []
    folds = [findings.levers(comparison, scenario, lang) for scenario in comparison.manifest["policies"]]
    return [
        Section(
            "glance",
            heading("glance"),
            sentences=findings.out_of_reach(comparison, lang),
            policies=_policies(comparison, lang),
            tables=tables,
        ),
        *(
            Section(name, heading(name), word(f"report.lead.{name}", lang), figures=[pictures[each] for each in here])
            for name, named in _SECTIONS.items()
            if (here := [each for each in named if each in pictures])
        ),
        Section(
            "triangle",
            heading("triangle"),
            word("report.lead.triangle", lang),
            corners=findings.triangle(comparison, lang),
        ),
        Section(
            "assumptions",
            heading("assumptions"),
            sentences=findings.resting(comparison, lang),
            tables=[findings.grades(comparison, lang), *of_drawn],
        ),
        _measure(comparison, heading("measure"), lang),
        *_context(comparison, lang),
        Section("levers", heading("levers"), folds=folds),
        Section("origin", heading("origin"), facts=_facts(comparison, lang)),
    ]


def _measure(comparison: Comparison, heading: str, lang: Lang) -> Section:
    own = measure_first_page.block(comparison, lang)
    tables = [findings.Table(list(own.columns), [list(row) for row in own.rows])] if own.rows else []
    return Section("measure", heading, " ".join(own.sentences), after=own.after, tables=tables)


def _context(comparison: Comparison, lang: Lang) -> list[Section]:
    """What came since 2024, where the comparison reaches so far."""
    if str(comparison.manifest["end"]) < context_page.begins():
        return []
    shown = [context_page.events(lang), context_page.calendar(lang), context_page.left_out(lang)]
    tables = [
        findings.Table(list(each.columns), [list(row) for row in each.rows], each.heading, True) for each in shown
    ]
    return [Section("context", word("context.heading", lang), " ".join(shown[0].sentences), tables=tables)]


def _policies(comparison: Comparison, lang: Lang) -> list[dict[str, str]]:
    questions = comparison.manifest.get("questions") or {}
    return [
        {
            "id": policy.id,
            "letter": policy.letter,
            "colour": policy.colour,
            "title": policy.title(lang),
            "question": (questions.get(scenario) or {}).get(lang, ""),
        }
        for scenario, policy in compared.policies(comparison).items()
    ]


def _facts(comparison: Comparison, lang: Lang) -> list[tuple[str, str]]:
    """How it was made, as name and text."""
    manifest = comparison.manifest
    packages = manifest.get("packages") or {}
    runs = counted("count.runs", int(manifest.get("runs", 0)), lang)
    found = {
        "command": str(manifest.get("command", "")),
        "runs": f"{runs}; {draws_and_seeds(comparison, lang)}",
        "intervals": interval_kind(comparison, lang),
        "pairs": (manifest.get("pair_intervals") or {}).get(lang, ""),
        "money": (manifest.get("money_note") or {}).get(lang, ""),
        "targets": "; ".join(_target(each, lang) for each in manifest.get("targets") or []),
        "synthetic": synthetic(comparison, lang),
        "packages": listed((f"{name} {version}" for name, version in packages.items() if version), lang),
    }
    facts = [(word(f"report.origin.{name}", lang), text) for name, text in found.items() if text]
    closing = f"{word('report.origin.reproduce', lang)} {word('report.figures_note', lang)}"
    return [*facts, (f"konvergensi {manifest['version']}", closing)]


def _target(each: dict[str, Any], lang: Lang) -> str:
    """A national target with where it stands."""
    percent = number(each["percent"], lang, int(each["percent"] % 1 > 0))
    column = word("report.targets.column", lang, target=percent, month=month_name(each["month"], lang))
    return f"{column}: {each['source']} ({word_or('report.grade.' + each['grade'], lang, each['grade'])})"


# ---- figures as files ------------------------------------------------------------------------------------------------


def as_svg(figure: Figure, name: str) -> str:
    """The figure as a whole SVG file, the same bytes for the same figure. From here on its layout stays as it is."""
    figure.set_layout_engine("none")  # doing it again in every format would double the time
    text = io.StringIO()
    with matplotlib.rc_context(theme.STYLE | _SVG | {"svg.hashsalt": name}):
        # not `savefig`, which draws everything twice, once for a layout that is done
        FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None, "Creator": None})
    return plain(text.getvalue()).replace("'DejaVu Sans'", _FONTS)


def in_page(svg: str, figure: Figure, name: str, lang: Lang) -> Drawn:
    """An SVG as part of a page: without its head, as wide as its place, its ids its own."""
    prefix, title = f"{lang}-{name}", figure.texts[0].get_text()
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r'(\bid="|xlink:href="#|url\(#)', rf"\1{prefix}-", body)
    label = escape(" ".join(title.split()))
    box = re.search(r'viewBox="[^"]*"', body)
    head = f'<svg xmlns:xlink="http://www.w3.org/1999/xlink" {box[0] if box else ""} role="img" aria-label="{label}">'
    return Drawn(name, Markup(re.sub(r"<svg[^>]*>", lambda _: head, body, count=1)))  # Matplotlib escapes its texts


def _labelled(table: pd.DataFrame, comparison: Comparison, lang: Lang) -> pd.DataFrame:
    """The data of a figure with what every table says of itself, as columns at its end."""
    manifest = comparison.manifest
    labels: dict[str, Any] = {
        "district": manifest["district"],
        "draws": manifest["draws"],
        "seeds": manifest["seeds"],
        "population_share": manifest["population_share"],
        "intervals": interval_kind(comparison, lang),
        "synthetic_inputs": ", ".join(manifest.get("synthetic_inputs") or []),
        "version": manifest["version"],
    }
    return table.assign(**{name: value for name, value in labels.items() if name not in table.columns})
