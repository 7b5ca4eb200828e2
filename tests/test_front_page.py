"""Page one of a comparison: what somebody who decides reads in two minutes."""

from __future__ import annotations

import dataclasses
import functools
import re
from pathlib import Path

import pytest
from fake_comparison import compared

import konvergensi as kv
from konvergensi.base.words import LANGUAGES, Lang
from konvergensi.report import readings_comparison as read
from konvergensi.report.comparison import sheets
from konvergensi.report.comparison_printed import lines
from konvergensi.report.decision import markdown, sheet
from konvergensi.report.front_page import MATTERS, front
from konvergensi.results.comparison import Comparison

# words of the modeller's trade, which do not belong on page one
JARGON = {
    "en": r"levers?|draws?|drawn|seeds?|bounds?|posterior|priors?|p_best|confidence|variance|parameters?|samples?",
    "id": r"tuas|sampel|undian|benih|batas (?:bawah|atas)|posterior|prior|varians|ragam|parameter",
}


@functools.cache
def plain() -> Comparison:
    return compared(("baseline", "early-planning", "one-list"))


def text(comparison: Comparison, lang: Lang = "en") -> str:
    return re.sub(r"\\(.)", r"\1", markdown(front(comparison, lang)))


def with_log(comparison: Comparison, scenario: str, *lines: str) -> Comparison:
    """The comparison as if the scenario had made these changes alone."""
    run = comparison.details[scenario]
    history = [line for line in run.manifest["changes"] if "(district " in line]
    made = dataclasses.replace(run, manifest=run.manifest | {"changes": [*history, *lines]})
    return dataclasses.replace(comparison, details=comparison.details | {scenario: made})


KECIL = Path(__file__).parent / "districts" / "kecil"
CASES = Path(__file__).parent / "cases"
CUT = "2023-01 shocks.budget_moved_share: 0 -> 0.2 (cut.toml)"


def test_the_first_line_is_the_recommendation() -> None:
    first = text(plain()).split("\n\n")[1]
    assert first.startswith("Recommended: “One linked and shared list”. In Dec 2024 there would be about 1,")
    assert text(plain(), "id").split("\n\n")[1].startswith("Disarankan: “Satu data sasaran yang ditautkan dan dibagi”.")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("policy", ["one-list", "early-planning", "full-convergence"])
def test_page_one_names_policies_and_speaks_no_jargon(policy: str, lang: Lang) -> None:
    comparison = compared(("baseline", policy), start="2019-11", end="2021-02")
    undecided = dataclasses.replace(comparison, pairs=comparison.pairs.assign(decided=False, more_runs=40.0))
    few = compared(("baseline", policy), draws=2, start="2019-11", end="2021-02")
    for each in (comparison, undecided, few, with_log(comparison, policy, CUT)):
        shown = text(each, lang)
        assert not re.findall(rf"\b({JARGON[lang]})\b", shown, re.IGNORECASE)
        assert not re.search(r"\b[A-C]\b(?! ?\()", re.sub(r"“.*?”|[Vv]itamin A", "", shown)), shown


def test_it_has_the_parts_in_the_order_in_which_they_are_asked() -> None:
    headings = [part.heading for part in front(plain(), "en").parts]
    assert headings == [
        "How sure", "What it costs a year and who pays", "What to do, through which door", "What no survey can see",
        "What would change this answer",
    ]  # fmt: skip


def test_it_fits_on_a_page() -> None:
    for comparison in (plain(), compared(("baseline", "full-convergence"), start="2019-11", end="2021-02")):
        for lang in LANGUAGES:
            assert len(text(comparison, lang).split()) < 520


def test_both_ranges_are_told_apart_in_words() -> None:
    shown = text(plain())
    less, mean = read.difference(plain(), "prevalence", "one-list"), read.pair(plain(), "baseline", "one-list")
    assert f"with a chance of 95 in 100 the difference lies between {less.low:.2f} and {less.high:.2f}" in shown
    assert f"How well its average is known: between {mean.low:.2f} and {mean.high:.2f}" in shown


def test_what_cannot_be_told_apart_is_no_difference_that_matters_and_moves_nothing() -> None:
    undecided = dataclasses.replace(plain(), pairs=plain().pairs.assign(decided=False, more_runs=40.0))
    shown = text(undecided)
    assert shown.split("\n\n")[1].startswith("No difference that matters can be shown between")
    assert "By the end of" not in shown and "Go on as today" in shown


def test_a_difference_below_a_tenth_of_a_point_does_not_matter() -> None:
    tiny = compared(("baseline", "one-list"), gain=0.1)
    assert abs(read.difference(tiny, "prevalence", "one-list").mean) < MATTERS
    assert "No difference that matters: “One linked and shared list” moves stunting" in text(tiny)


def test_none_that_is_better_means_keep_what_there_is() -> None:
    assert text(compared(("baseline", "one-list"), gain=-1.0)).split("\n\n")[1].startswith("Keep “Business as usual”")


@pytest.mark.parametrize(("draws", "seeds", "few"), [(2, 2, True), (5, 4, True), (0, 4, True), (6, 1, False)])
def test_too_few_simulations_to_say_comes_first_and_nothing_is_advised(draws: int, seeds: int, few: bool) -> None:
    comparison = compared(("baseline", "one-list"), draws=draws, seeds=seeds)
    runs = max(draws, 1) * seeds
    for lang, first, advised in (("en", "Too few simulations to say: ", "Recommended"),
                                 ("id", "Simulasi terlalu sedikit untuk menyimpulkan: ", "Disarankan")):  # fmt: skip
        shown = text(comparison, lang)  # type: ignore[arg-type]
        assert (shown.split("\n\n")[1].startswith(f"{first}{runs} ")) == few
        assert (advised in shown) != few
        assert bool(re.search(r"95 in 100|95 dari 100", shown)) != few  # no range where none can be told
        behind = sheet(comparison, lang).answer[0]  # type: ignore[arg-type]
        assert behind.startswith(first) == few
    assert ("By the end of" in text(comparison)) != few
    assert not few or "same under every value tried" not in text(comparison)
    assert lines(comparison, "en")[0].startswith("Too few simulations") == few


def test_a_policy_better_in_all_of_so_few_samples_that_chance_could_do_it_is_too_few() -> None:
    """The sign test: all n on one side by chance in 2 x 0.5^n."""
    assert 2 * 0.5**read.FEWEST <= 0.05 < 2 * 0.5 ** (read.FEWEST - 1)


def test_more_runs_say_of_what() -> None:
    undecided = plain().pairs.assign(decided=False, more_runs=40.0, more_of="seeds")
    said = markdown(sheet(dataclasses.replace(plain(), pairs=undecided), "en"))
    assert "about 40 more runs of each, as more seeds" in said


def test_costs_say_who_pays() -> None:
    shown = text(plain())
    spent = plain().costs.query("stage == 'spent'").groupby(["policy", "source"])["amount_rp"].mean()
    for source, name, payer in (("apbd", "APBD", "district"), ("dana-desa", "dana desa", "villages"),
                                ("apbn", "APBN", "centre")):  # fmt: skip
        more = (spent["one-list", source] - spent["baseline", source]) / 7 / 1e9  # seven years
        assert f"{name} {more:+.1f} ({payer})" in shown


def test_it_says_what_the_next_survey_cannot_show() -> None:
    margin = read.survey_margin(plain())
    assert f"differ by up to {margin:.1f} points by chance. The difference told above is smaller" in text(plain())


# ---- what happens to a district --------------------------------------------------------------------------------------


def test_a_cut_is_known_by_what_it_does_and_never_recommended() -> None:
    comparison = with_log(plain(), "one-list", CUT)
    assert read.is_event(comparison, "one-list") and not read.is_event(comparison, "early-planning")
    assert read.leading(comparison) == "early-planning"
    for lang in LANGUAGES:
        answer = front(comparison, lang).answer
        assert "One linked" not in answer[0] and "Satu data" not in answer[0]
    assert "“One linked and shared list” is no choice" in text(comparison)
    assert "budget_moved" not in " ".join(line.text for line in sheet(comparison, "en").parts[0].lines)


def test_a_cut_alone_gives_a_sheet_of_what_is_lost_where_and_when() -> None:
    comparison = with_log(compared(("baseline", "one-list"), gain=-1.0), "one-list", CUT)
    shown = front(comparison, "en")
    assert shown.answer[0].startswith("Nothing to choose here: “One linked and shared list” happens to the district.")
    assert shown.parts[0].heading.startswith("What is lost, where and when")
    told = " ".join(line.text for line in shown.parts[0].lines)
    for said in ("acts from Jan 2023", "more stunted children in Dec 2024", "most in", "Money spent a year",
                 "Where: lokus", "Children protected in time over the span", "of 12 simulations"):  # fmt: skip
        assert said in told, said
    everything = re.sub(r"\s+", " ", sheets(comparison, "en"))
    assert "Recommended" not in everything and "By the end of" not in everything


BACK = "2023-06 shocks.budget_moved_share: 0.2 -> 0 (cut.toml)"


@pytest.mark.parametrize(
    ("log", "said"), [((CUT,), "It acts from Jan 2023."), ((CUT, BACK), "It acts from Jan 2023 to May 2023."),
                      ((CUT, BACK.replace("-> 0 ", "-> 0.4 ")), "It acts from Jan 2023.")],
)  # fmt: skip
def test_a_cut_is_told_to_its_last_month_and_a_deeper_one_is_no_end(log: tuple[str, ...], said: str) -> None:
    comparison = with_log(compared(("baseline", "one-list"), gain=-1.0), "one-list", *log)
    assert front(comparison, "en").parts[0].lines[0].text == said


def test_a_loss_that_chance_could_bring_is_called_so() -> None:
    lost = with_log(compared(("baseline", "one-list"), gain=-1.0), "one-list", CUT)
    assert "More stunting in 12 of 12 simulations." in text(lost)
    open_ = lost.pairs.assign(low=-0.5, high=0.5)
    said = text(dataclasses.replace(lost, pairs=open_))
    assert "simulations: the average difference may be nothing but chance." in said


def test_whose_the_money_is_stands_on_the_page_once() -> None:
    both = with_log(plain(), "one-list", CUT)
    both = dataclasses.replace(both, manifest=both.manifest | {"own_money": {"share": 0.0, "lines": 0, "of": 34}})
    alone = with_log(compared(("baseline", "one-list"), gain=-1.0), "one-list", CUT)
    alone = dataclasses.replace(alone, manifest=alone.manifest | {"own_money": {"share": 0.0, "lines": 0, "of": 34}})
    for comparison in (both, alone):
        assert text(comparison).count("No amount comes from the district's own budget documents") == 1


def test_ranges_stand_in_words_and_none_where_too_few_simulations_could_tell_one() -> None:
    parts = {part.heading: " ".join(line.text for line in part.lines) for part in front(plain(), "en").parts}
    assert "with a chance of 95 in 100" in parts["What no survey can see"]
    few = compared(("baseline", "one-list"), draws=2)
    assert not re.search(r"\(-?[\d.,+]+ (to|s\.d\.) ", text(few) + text(few, "id")) and "95 in 100" not in text(few)


def test_a_file_may_say_that_its_shock_is_a_policy_and_its_policy_an_event() -> None:
    cut = with_log(plain(), "one-list", CUT)
    said = dataclasses.replace(cut, manifest=cut.manifest | {"kinds": {"one-list": "policy"}})
    assert not read.is_event(said, "one-list")
    other = dataclasses.replace(plain(), manifest=plain().manifest | {"kinds": {"early-planning": "event"}})
    assert read.is_event(other, "early-planning")


def test_a_policy_with_a_cut_in_it_is_advised_without_the_cut() -> None:
    lines = [line for line in plain().details["one-list"].manifest["changes"] if "registers." in line]
    comparison = with_log(plain(), "one-list", CUT, *lines)
    assert not read.is_event(comparison, "one-list")
    assert "Share of the year" not in text(comparison) and "Join the registers by NIK" in text(comparison)


@functools.cache
def cut(policy: str) -> Comparison:
    span = {"start": "2024-01", "end": "2027-12", "population_share": 1.0}
    return kv.compare(["baseline", policy], district=str(KECIL), draws=2, seeds=1, workers=1, **span)  # type: ignore[arg-type]


@pytest.mark.slow  # two small comparisons in full
@pytest.mark.parametrize(
    ("policy", "sources"),
    [(str(CASES / "cut_20_percent.toml"), ("apbd", "dana-desa")),
     ("cut-20-percent@2026-01", ("apbn", "dak", "apbd", "dana-desa"))],
)  # fmt: skip
def test_a_cut_as_users_write_it_tells_what_is_lost_where_and_when_and_advises_nothing(
    policy: str, sources: tuple[str, ...]
) -> None:
    found = cut(policy)
    name = str(found.manifest["policies"][1])
    less = read.more_spent(found, name)
    assert all(less[source] < 0 for source in sources)
    assert found.manifest["acts"][name][0] == 2026
    advice = {"en": ("Recommended", "By the end of", "Keep “"), "id": ("Disarankan", "Paling lambat", "Pertahankan “")}
    for lang, when in (("en", "acts from Jan 2026"), ("id", "Berlaku sejak Jan 2026")):
        page, every = text(found, lang), sheets(found, lang)  # type: ignore[arg-type]
        assert when in page and not any(word in every for word in advice[lang])
        assert not re.findall(rf"\b({JARGON[lang]})\b", page, re.IGNORECASE)
    told = front(found, "en").parts[0]
    assert told.heading.startswith("What is lost, where and when")
    assert any(line.text.startswith("Money spent a year") for line in told.lines)
