"""What a comparison writes: the decision sheet, the page that can be mailed, its figures and their data."""

from __future__ import annotations

import dataclasses
import functools
import html
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from fake_comparison import compared, detail
from test_report import drawn_texts

from konvergensi.base import words
from konvergensi.base.errors import format_value
from konvergensi.inputs.scenarios import list_scenarios, load_scenario
from konvergensi.report import decision, numbers
from konvergensi.report import findings_comparison as findings
from konvergensi.report import readings_comparison as read
from konvergensi.report import readings_moves as moves
from konvergensi.report.comparison import as_svg, sheets, write
from konvergensi.report.figures_comparison import FIGURES
from konvergensi.report.front_page import front
from konvergensi.report.readings_comparison import Estimate
from konvergensi.report.theme import SMALL
from konvergensi.results.comparison import Comparison

AWKWARD = """<script>alert("x")</script> & 'one' "list" </title>"""
SHORT = {"start": "2019-11", "end": "2021-02"}
MANY = tuple(
    "baseline close-data close-timing early-planning funds-to-lokus no-covid no-programme one-list".split(),
)


def long_title(name: str) -> dict[str, str]:
    return dict.fromkeys(
        ("en", "id"), f"Kebijakan {name} yang judulnya panjang sekali dan harus muat pada layar ponsel"
    )


@functools.cache
def case(name: str) -> Comparison:
    if name == "crowded":
        return compared(MANY, titles={each: long_title(each) for each in MANY}, **SHORT)
    if name == "inert":
        return compared(("baseline", "one-list"), gain=0.0)
    if name == "one run, one month":
        return compared(("baseline", "one-list"), draws=0, seeds=1, start="2019-11", end="2019-11")
    if name == "awkward":
        titles = {each: dict.fromkeys(("en", "id"), f"{AWKWARD} {each}") for each in ("baseline", "one-list")}
        comparison = compared(("baseline", "one-list"), titles=titles, **SHORT)
        comparison.manifest |= {"questions": titles, "district_name": f"Kabupaten {AWKWARD}", "command": AWKWARD}
        return comparison
    return compared()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write(case("awkward"), folder, "id")
    return folder


class Page(HTMLParser):
    """The elements of a page and its text, as a browser takes them in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def page(written: Path) -> Page:
    return Page((written / "report.html").read_text(encoding="utf-8"))


# ---- files -----------------------------------------------------------------------------------------------------------


def test_every_file_it_names_is_there_and_every_figure_has_picture_drawing_and_data(written) -> None:
    names = {path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file()}
    assert {"report.html", "decision.md"} <= names
    for name in FIGURES:
        assert {f"figures/{name}.{kind}" for kind in ("png", "svg", "csv")} <= names
    assert all((written / name).stat().st_size > 100 for name in names)


def test_the_page_can_be_mailed(written) -> None:
    assert (written / "report.html").stat().st_size < 6e6


def test_the_data_of_a_figure_say_what_they_are_of(written) -> None:
    for name in FIGURES:
        table = pd.read_csv(written / "figures" / f"{name}.csv")
        assert len(table) > 0
        said = table.iloc[0]
        assert said["district"] == "lebak"
        assert (said["draws"], said["seeds"], said["population_share"]) == (6, 2, 0.01)
        assert said["synthetic_inputs"] == "villages"
        assert {"policy", "version", "intervals"} <= set(table.columns)


def test_the_data_are_those_that_are_drawn() -> None:
    comparison = case("plain")
    for name in ("trajectories", "differences"):
        table = FIGURES[name][1](comparison)
        row = table[(table["policy"] == "one-list") & (table["measure"] == "prevalence")].iloc[-1]
        assert row["difference"] == read.difference(comparison, "prevalence", "one-list").mean
    doors = FIGURES["calendar"][1](comparison).set_index(["policy", "name"])
    assert doors.loc[("baseline", "apbd"), "plan"] == "missed"
    assert doors.loc[("early-planning", "apbd"), "plan"] == "caught"


def test_a_policy_of_many_levers_is_told_in_few_and_the_report_lists_them_all() -> None:
    comparison = compared(("baseline", "full-convergence"), **SHORT)
    run = comparison.details["full-convergence"]
    moved = {each.key for each in moves.moved_besides(comparison, "full-convergence")}
    do = decision.sheet(comparison, "en").parts[0]
    told = " ".join(line.text for line in do.lines)
    assert len(moved) > 40 and told.count(" → ") <= 10 and f"moves {len(moved)} levers" in told
    assert len(findings.levers(comparison, "full-convergence", "en").rows) >= len(moved), run.manifest["changes"]


def moved(key: str, old: str, new: str) -> moves.Moved:
    return moves.Moved("2019-01", None, key, old, new, "policy.toml")


def test_what_a_policy_does_is_said_as_something_to_do_and_by_whom() -> None:
    agencies = {"dinkes": "Dinas Kesehatan"}
    every = {change.key: change for name in list_scenarios() for change in load_scenario(name).changes}
    for key, change in every.items():
        each = moved(key, "", format_value(change.value))
        for lang in words.LANGUAGES:
            said = each.to_do(lang, agencies)
            assert key not in said
            idle = each.whose == "nobody" or change.value is False
            assert idle or not said.startswith(("Whether", "Apakah")), said
    assert moved("goals.leadership", "0.4", "0.8").whose == "district"
    assert moved("cascade.kpm_share", "0.5", "1").whose == "village"
    assert moved("budget.apbn_released_by_june", "0.45", "0.5").whose == "above"
    assert "Dinas Kesehatan" in moved("opd.dinkes.ego", "0.5", "0.2").to_do("id", agencies)
    off = moved("registers.linkage", "true", "false")  # there are no words for that, so its meaning and values stand
    assert not off.says_value and off.to_do("en", agencies).startswith("Whether")


def test_what_the_history_of_the_district_brings_anyway_is_not_to_be_done() -> None:
    comparison = compared(("baseline", "full-convergence"))
    keys = {each.key: each for each in moves.stand_otherwise(comparison, "full-convergence")}
    assert "network.decree_in_force" in {each.key for each in moves.moved_besides(comparison, "full-convergence")}
    assert "network.decree_in_force" not in keys  # the baseline of Lebak has a decree by the end
    assert "calendar.reform_plan_month" not in keys  # nothing before 2025 follows it
    assert (keys["cascade.kpm_share"].old, keys["cascade.kpm_share"].new) == ("0.5", "1")
    do = " ".join(line.text for line in decision.sheet(comparison, "en").parts[0].lines)
    assert "For villages to decide" in do and "For centre or province to decide" in do


def test_policies_that_tie_are_told_as_a_tie() -> None:
    text = sheet_text(compared(gain=0.0))
    assert "None of the other policies changes prevalence" in text
    assert "Lowest prevalence equally often: A, B, and C." in text
    assert "The same prevalence as B in every run: A and C." in text
    assert "told apart" not in text and "Lowest prevalence most often" not in text


def test_a_target_due_before_a_policy_begins_is_not_its_doing() -> None:
    comparison = compared()
    late = comparison.details["one-list"]
    log = [line.replace("2018-01 registers", "2025-01 registers") for line in late.manifest["changes"]]
    later = dataclasses.replace(late, manifest=late.manifest | {"changes": log})
    reached = comparison.targets.assign(probability=1.0)
    shown = findings.targets(
        dataclasses.replace(comparison, details=comparison.details | {"one-list": later}, targets=reached), "en"
    )
    assert shown is not None
    assert [row[1] for row in shown.rows] == ["100%", "100%", words.ABSENT]


def test_targets_that_nobody_reaches_are_one_sentence() -> None:
    comparison = compared()
    nobody = dataclasses.replace(comparison, targets=comparison.targets.assign(probability=0.0))
    assert findings.targets(nobody, "en") is None
    assert findings.out_of_reach(nobody, "en") == [
        "No policy brings true prevalence to 14% or less by Dec 2024 in any run."
    ]


def test_two_policies_that_half_a_million_runs_would_tell_apart_are_equal() -> None:
    comparison = compared()
    far = comparison.pairs.assign(decided=False, more_runs=561_753.0)
    text = sheet_text(dataclasses.replace(comparison, pairs=far))
    assert "more than 1,000 runs; treat as equal" in text and "561" not in text


def test_money_is_told_by_who_would_have_to_find_it() -> None:
    comparison = compared()
    more = read.more_spent(comparison, "one-list")
    spent = comparison.costs[comparison.costs["stage"] == "spent"].groupby(["policy", "source"])["amount_rp"].mean()
    assert more["apbn"] == pytest.approx((spent["one-list", "apbn"] - spent["baseline", "apbn"]) / 7)
    assert "The district itself decides on APBD" in sheet_text(comparison)


def test_a_district_of_few_families_is_told_to_be_compared_whole() -> None:
    comparison = compared()
    few = dataclasses.replace(comparison, manifest=comparison.manifest | {"families_simulated": 300})
    assert "compare a small district whole, --population-share 1" in sheet_text(few)
    assert "--population-share 1" not in sheet_text(comparison)


def test_a_price_that_is_surely_not_nothing_is_never_shown_as_nothing() -> None:
    wide = Estimate(75.7e6, 27.9e6, 29.4e9)
    assert numbers.rupiah(wide, "en") == "Rp 80 million (30 to 29,000)"
    assert numbers.rupiah(Estimate(75.7e6, -27.9e6, 29.4e9), "en") == "Rp 0 million (0 to 29,000)"  # it may be nothing


def test_the_same_figure_is_the_same_file() -> None:
    make = FIGURES["map_change"][0]
    first, second = (as_svg(make(case("inert"), "en"), "map_change") for _ in range(2))
    assert first == second


# ---- the page --------------------------------------------------------------------------------------------------------


def test_the_page_fetches_nothing_and_runs_nothing(written, page: Page) -> None:
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "iframe", "object", "embed", "base", "form"}
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "srcset", "href", "xlink:href", "action", "poster"):
            assert re.match(r"#|data:image/png;base64,", attributes.get(name) or "#")
    text = (written / "report.html").read_text(encoding="utf-8")
    assert set(re.findall(r"\bhttps?://[^\s\"'<)]+", text)) <= {"http://www.w3.org/1999/xlink"}
    assert not re.findall(r"@import|url\((?!#)", text)


def test_what_comes_from_files_is_text_and_never_markup(written, page: Page) -> None:
    text = (written / "report.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert page.words.count('<script>alert("x")</script>') >= 4  # titles, questions and the district, as written
    sheet = (written / "decision.md").read_text(encoding="utf-8")
    assert "<" not in re.sub(r"\\<", "", sheet)
    for name in FIGURES:
        drawing = ElementTree.parse(written / "figures" / f"{name}.svg")
        assert "script" not in {each.tag.split("}")[-1] for each in drawing.iter()}


def test_figures_in_the_page_are_whole_and_their_ids_their_own(written, page: Page) -> None:
    text = (written / "report.html").read_text(encoding="utf-8")
    drawings = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(drawings) == len(words.LANGUAGES) * len(FIGURES)
    for drawing in drawings:
        root = ElementTree.fromstring(drawing)
        assert root.get("aria-label")
        known = {each.get("id") for each in root.iter()}
        used = re.findall(r'(?:xlink:href="#|url\(#)([^")]+)', drawing)
        assert set(used) <= known
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_both_languages_are_in_the_page_and_the_one_asked_for_is_open(page: Page) -> None:
    mains = [attributes["lang"] for tag, attributes in page.elements if tag == "main"]
    assert mains == ["id", "en"]
    assert next(attributes for tag, attributes in page.elements if tag == "html")["lang"] == "id"
    chosen = [attributes["id"] for tag, attributes in page.elements if tag == "input" and "checked" in attributes]
    assert chosen == ["show-id"]
    for lang in words.LANGUAGES:
        for key in [key for key in words.catalogue() if key.startswith("report.heading.")]:
            assert words.word(key, lang) in page.words


def test_the_page_opens_with_the_words_of_decision_md(written, page: Page) -> None:
    first, behind = front(case("awkward"), "id"), decision.sheet(case("awkward"), "id")
    kept = (written / "decision.md").read_text(encoding="utf-8")
    assert sheets(case("awkward"), "id") == kept
    unescaped = re.sub(r"\\(.)", r"\1", kept)
    for line in [line for part in (*first.parts, *behind.parts) for line in part.lines]:
        shown = " ".join(line.text.split())
        assert shown in page.words
        assert shown in unescaped
    headings = [part.heading for part in first.parts]
    assert [line[3:] for line in kept.splitlines() if line.startswith("## ")][: len(headings)] == headings
    assert page.words.index(headings[0]) < page.words.index(words.word("report.heading.glance", "id"))


def test_a_table_on_a_phone_names_each_cell(page: Page) -> None:
    cells = [attributes for tag, attributes in page.elements if tag == "td"]
    assert cells
    assert all(attributes.get("data-label") for attributes in cells)


# ---- figures ---------------------------------------------------------------------------------------------------------

CASES = [("plain", "en"), ("crowded", "id"), ("inert", "id"), ("one run, one month", "id")]


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize(("which", "lang"), CASES, ids=[" ".join(each) for each in CASES])
def test_all_text_is_on_the_canvas_legible_and_apart(which: str, lang: words.Lang, name: str) -> None:
    figure = FIGURES[name][0](case(which), lang)
    texts = drawn_texts(figure)
    assert min(text.get_fontsize() for text in texts) >= SMALL
    boxes = [text.get_window_extent() for text in texts]
    width, height = figure.bbox.size
    outside = [
        text.get_text()
        for text, box in zip(texts, boxes)
        if not (box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1)
    ]
    assert outside == []
    corners = np.array([box.extents for box in boxes])
    low, high = corners[:, None, :2], corners[:, None, 2:]
    overlap = np.minimum(high, high.swapaxes(0, 1)) - np.maximum(low, low.swapaxes(0, 1))
    clash = np.argwhere(np.triu((overlap > 1.5).all(axis=2), 1))
    assert not [(texts[i].get_text(), texts[j].get_text()) for i, j in clash]


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_says_where_it_comes_from(name: str) -> None:
    comparison = case("plain")
    shown = " ".join(" ".join(text.get_text() for text in FIGURES[name][0](comparison, "en").texts).split())
    for part in (
        "konvergensi",
        "policies baseline, early-planning, one-list",
        "Kabupaten Lebak",
        "6 draws",
        "2 seeds",
    ):
        assert part in shown
    for part in ("Jan 2018 – Dec 2024", "1% of the population", "synthetic: villages"):
        assert part in shown
    assert any(kind in shown for kind in ("95% of draws and seeds", "no interval", "95% interval"))


def test_every_policy_looks_different() -> None:
    found = read.policies(SimpleNamespace(manifest={"policies": [f"policy-{k}" for k in range(56)]}))
    assert len({(each.colour, each.marker) for each in found.values()}) == 56
    assert [each.letter for each in found.values()][:3] == ["A", "B", "C"]
    assert list(found.values())[30].letter == "AE"


def test_the_cost_plane_marks_unit_costs_that_are_assumptions() -> None:
    shown = " ".join(text.get_text() for text in FIGURES["cost_cases"][0](case("plain"), "en").texts)
    assert "assumptions for 2 services, which take 25% of the money spent" in " ".join(shown.split())


# ---- the decision sheet ----------------------------------------------------------------------------------------------


def sheet_text(comparison: Comparison, lang: words.Lang = "en") -> str:
    return re.sub(r"\\(.)", r"\1", decision.markdown(decision.sheet(comparison, lang)))


def test_a_clear_winner_is_named_with_unit_and_interval() -> None:
    text = sheet_text(case("plain"))
    less = read.difference(case("plain"), "prevalence", "one-list")
    assert f"C · One linked and shared list does best: {numbers.change(less, 'prevalence', 'en')}" in text
    assert " points (-" in text
    assert "told apart from that of every other policy" in text


def test_an_undecided_pair_says_how_many_more_runs_would_settle_it() -> None:
    comparison = compared()
    pairs = comparison.pairs.assign(decided=False, more_runs=[40.0, 12.0, np.nan] * 2)
    text = sheet_text(dataclasses.replace(comparison, pairs=pairs))
    assert "Undecided. C" in text
    assert "A (about 12 more runs of each), and B (more runs would not settle it)" in text.replace(" and", ", and")
    one = comparison.pairs.assign(decided=True)
    one.loc[(one["policy_a"] == "early-planning"), ["decided", "more_runs"]] = [False, 1.0]
    text = sheet_text(dataclasses.replace(comparison, pairs=one))
    assert "C · One linked and shared list comes first" in text
    assert "B (about 1 more run of each)" in text


def test_a_policy_that_does_worse_is_not_recommended() -> None:
    assert "No policy compared does better on average than A" in sheet_text(compared(gain=-1.0))


def test_an_inert_policy_makes_no_difference() -> None:
    text = sheet_text(case("inert"))
    assert "does not change prevalence: no difference in any run" in text
    assert "spends as much as A: no difference in any run" in text
    assert "No cost per stunted child fewer or child protected in time: the same in every run" in text


def test_without_draws_or_seeds_nothing_pretends_to_be_sure() -> None:
    text = sheet_text(case("one run, one month"))
    assert "(no interval)" in text
    assert "No parameter was drawn from its range" in text
    assert "nan" not in text.lower()


def test_the_sheet_says_by_which_month_and_which_doors_that_meets() -> None:
    comparison = compared(("baseline", "early-planning"))
    assert moves.steps(comparison.details["early-planning"])["plan"] == 3
    text = sheet_text(comparison)
    assert (
        "**By the end of March**: Situation analysis ready in January, activity plan agreed at the rembuk in March"
        in text
    )
    assert "in time for all 5 doors of next year's money; under A, for 4" in text
    assert "**Paling lambat akhir Maret**" in sheet_text(comparison, "id")
    assert "Missed: Musrenbang (APBD)" in sheet_text(compared(("early-planning", "baseline")))


def test_levers_are_said_as_people_say_them() -> None:
    text = sheet_text(case("plain"))
    assert "Join the registers by NIK" in text and "(no → yes)" not in text
    for key, text, en in (
        ("registers.linkage", "true", "yes"),
        ("calendar.aksi_3_month", "3", "Mar"),
        ("registers.by_name_village_share", "0.4", "40%"),
        ("cascade.kpm_incentive_rp", "500000", "Rp 500,000"),
        ("socialization.meetings_per_year", "12", "12"),
        ("calendar.regime", "reform-2025", "reform-2025"),
        ("opd.dinkes.ego", "0.25", "25%"),
    ):
        assert moves.lever_value(key, text, "en") == en
    assert "opd.dinkes.ego" in moves.meaning("opd.dinkes.ego", "id")


def test_another_yardstick_that_would_choose_another_policy_is_named() -> None:
    comparison = compared()
    table = comparison.comparison.copy()
    package = table["measure"] == "complete_package_share"
    table.loc[package, "p_best"] = np.where(table.loc[package, "policy"] == "early-planning", 1.0, 0.0)
    text = sheet_text(dataclasses.replace(comparison, comparison=table))
    assert "households with the complete package (points): B (100% of the runs)" in text


def test_a_parameter_that_moves_the_answer_is_named_only_where_the_draws_can_tell() -> None:
    comparison = compared(draws=16)
    rng = np.random.default_rng(2)
    end = comparison.runs[(comparison.runs["measure"] == "prevalence") & (comparison.runs["month"] == "2024-12")]
    level = end.groupby(["draw", "policy"])["value"].mean().unstack("policy")
    less = level["one-list"] - level["baseline"]
    keys = ["budget.inertia", "socialization.turnover_share", *(f"services.{k}.effect" for k in range(60))]
    parameter_draws = pd.DataFrame(
        [(draw, key, less[draw] if key == "budget.inertia" else rng.random()) for draw in less.index for key in keys],
        columns=["draw", "parameter", "value"],
    )
    comparison = dataclasses.replace(comparison, parameter_draws=parameter_draws)
    assert read.standing_out(comparison, "one-list") == ["budget.inertia"]
    assert "moves most with: How much next year's lines copy this year's" in sheet_text(comparison)
    none = dataclasses.replace(
        comparison, parameter_draws=parameter_draws[parameter_draws["parameter"] != "budget.inertia"]
    )
    assert read.standing_out(none, "one-list") == []
    assert "stands out" in sheet_text(none)
    assert read.standing_out(case("plain"), "one-list") is None


def test_the_sheet_says_how_many_parameters_were_fitted_and_how_many_drawn_from_their_ranges() -> None:
    comparison = compared(draws=4)
    assert "3 uncertain parameters were drawn from their ranges." in sheet_text(comparison)
    parameter_draws = {"from": "fitted", "fitted": ["socialization.turnover_share", "growth.level_shift_z"]}
    fitted = dataclasses.replace(comparison, manifest=comparison.manifest | {"parameter_draws": parameter_draws})
    assert "3 uncertain parameters were drawn, 1 of them from what was fitted to the district" in sheet_text(fitted)


# ---- readings --------------------------------------------------------------------------------------------------------


def test_the_log_of_changes_is_read_without_history_and_without_what_comes_after_the_end() -> None:
    log = [
        "2018-01 growth.level_shift_z: 0 -> -0.541 (district lebak)",
        "2018-01 calendar.aksi_3_month: 4 -> 3 (early-planning.toml)",
        "2019-01 .. 2020-12 goals.leadership: 0.5 -> 0.85 (full-convergence.toml; 0.6 at 2019-06)",
        "2019-02 registers.linkage: true -> true (one-list.toml)",
        "2030-01 review.quality: 0.9 (later.toml) (after the end, left out)",
        "2018-01 budget.envelope: room -> fixed (--set)",
    ]
    run = SimpleNamespace(manifest={"changes": log, "end": "2024-12"})
    found = moves.moved(run)
    assert [each.key for each in found] == ["calendar.aksi_3_month", "goals.leadership", "budget.envelope"]
    assert (found[1].month, found[1].until, found[1].new) == ("2019-01", "2020-12", "0.85")
    assert [each.theme for each in found] == ["timing", "leadership", "money-district"]
    assert moves.calendar_settings(run)["calendar.aksi_3_month"] == 3


@pytest.mark.parametrize(
    ("changes", "missed"),
    [
        ({"calendar.aksi_2_month": 4, "calendar.aksi_3_month": 4}, {"apbd"}),
        ({"calendar.aksi_2_month": 2, "calendar.aksi_3_month": 3}, set()),
        ({"calendar.aksi_2_month": 2, "calendar.aksi_3_month": 3, "calendar.aksi_4_month": 7}, {"dana-desa"}),
        ({"calendar.aksi_3_month": 10}, {"apbd", "apbn", "dana-desa", "dak", "apbdp"}),
        ({"calendar.regime": "reform-2025", "calendar.reform_plan_month": 3}, set()),
    ],
)
def test_a_door_is_caught_when_the_plan_is_ready_by_then(changes: dict[str, object], missed: set[str]) -> None:
    log = [f"2018-01 {key}: ? -> {value} (mine.toml)" for key, value in changes.items()]
    run = SimpleNamespace(manifest={"changes": log, "end": "2024-12"})
    assert {door for door, ok in moves.caught(run).items() if not ok} == missed


def test_the_leading_policy_is_the_one_most_often_best_and_never_the_first() -> None:
    assert read.leading(compared()) == "one-list"
    assert read.leading(compared(gain=-1.0)) == "early-planning"


def test_the_chain_of_services_starts_with_everybody_in_need() -> None:
    shares = read.chain_shares(detail("baseline"))
    assert shares["in_need"] == 1.0
    assert (shares.dropna() <= 1.0).all()
    assert 0 < shares["taken_up"] < shares["delivered"]


@pytest.mark.parametrize("lang", words.LANGUAGES)
def test_the_triangle_has_four_corners_with_the_field_and_the_runs(lang: words.Lang) -> None:
    corners = findings.triangle(case("plain"), lang)
    assert [corner.heading.split(":")[0] for corner in corners] == (
        ["Content", "Context", "Process", "Actor"] if lang == "en" else ["Isi", "Konteks", "Proses", "Aktor"]
    )
    for corner in corners:
        assert corner.field
        assert len(corner.sentences) == len(corner.table.rows) > 3
        assert all(len(row) == len(corner.table.columns) == 4 for row in corner.table.rows)
    process = {row[0]: row[1:] for row in corners[2].table.rows}
    assert process[words.word("report.measure.doors", lang)][1] == words.word("report.k_of_n", lang, k=5, n=5)


def test_how_much_rests_on_weak_evidence_is_said() -> None:
    comparison = case("plain")
    assert "2 are of these weak grades" in " ".join(findings.resting(comparison, "en"))
    grades = {row[0]: row[1:] for row in findings.grades(comparison, "en").rows}
    assert grades["assumption"][1] == "2"
    drawn = findings.drawn(comparison, "en")
    assert drawn is not None
    assert len(drawn.rows) == 3
    assert findings.drawn(case("one run, one month"), "en") is None


# ---- numbers ---------------------------------------------------------------------------------------------------------

SHOWN = {  # what is shown: (English, Indonesian)
    "level prevalence 31.04 27.8 33.9": ("31.0% (27.8 to 33.9)", "31,0% (27,8 s.d. 33,9)"),
    "level complete_package_share 0.042 nan nan": ("4.2% (no interval)", "4,2% (tanpa selang)"),
    "change prevalence -0.554 -0.77 -0.334": ("-0.55 points (-0.77 to -0.33)", "-0,55 poin (-0,77 s.d. -0,33)"),
    "change protected_in_time 1234 980 1480": ("+1,230 children (+980 to +1,480)", "+1.230 anak (+980 s.d. +1.480)"),
    "change prevalence 0 0 0": ("no difference in any run", "tidak berbeda pada semua simulasi"),
    "change prevalence 0.0001 -0.004 0.004": ("0.00 points (0.00 to 0.00)", "0,00 poin (0,00 s.d. 0,00)"),
    "change prevalence nan nan nan": ("–", "–"),
    "rupiah - 15.31e9 5.3e9 39.1e9": ("Rp 15 billion (5 to 39)", "Rp 15 miliar (5 s.d. 39)"),
    "rupiah - 2.4e12 2.1e12 2.7e12": ("Rp 2,400 billion (2,100 to 2,700)", "Rp 2.400 miliar (2.100 s.d. 2.700)"),
    "rupiah - 12.3e6 nan nan": ("Rp 12.3 million (no interval)", "Rp 12,3 juta (tanpa selang)"),
}


@pytest.mark.parametrize("asked", SHOWN)
def test_results_carry_unit_and_interval_and_no_false_digits(asked: str) -> None:
    kind, measure, *ends = asked.split()
    estimate = Estimate(*map(float, ends))
    for lang, expected in zip(words.LANGUAGES, SHOWN[asked]):
        if kind == "rupiah":
            assert numbers.rupiah(estimate, lang) == expected
        else:
            assert getattr(numbers, kind)(estimate, measure, lang) == expected


@pytest.mark.parametrize(
    ("shown", "en", "id_"),
    [
        (lambda lang: words.counted("count.runs", 1, lang), "1 run", "1 simulasi"),
        (lambda lang: words.counted("count.runs", 1200, lang), "1,200 runs", "1.200 simulasi"),
        (lambda lang: words.listed(["a", "b", "c"], lang), "a, b, and c", "a, b, dan c"),
        (lambda lang: words.month_of_year(8, lang), "August", "Agustus"),
    ],
)
def test_words_follow_the_rules_of_the_language(shown, en: str, id_: str) -> None:
    assert (shown("en"), shown("id")) == (en, id_)


def test_html_of_the_page_is_escaped_once(written) -> None:
    text = (written / "report.html").read_text(encoding="utf-8")
    assert html.escape('alert("x")', quote=False) in html.unescape(text)
    assert "&amp;lt;" not in text
