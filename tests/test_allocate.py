"""What to buy: known answers, brute force, limits, cautions, the value of information, and one small run of it all."""

import dataclasses
import itertools
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import konvergensi as kv
from konvergensi.analyses.allocate_plan import Line, along_lines, months_of, with_money
from konvergensi.base.errors import InputError
from konvergensi.base.words import Lang
from konvergensi.inputs.institutions import institutions
from konvergensi.inputs.scenarios import load_scenario
from konvergensi.methods.allocation import CAUTIONS, Offer, allocate, frontier, priced
from konvergensi.methods.information import evpi, evppi
from konvergensi.report import allocate_page
from konvergensi.results.allocation import COLUMNS, Allocation


def offer(points: list[tuple[int, float, list[float]]], sources: list[int], room: list[float]) -> Offer:
    """An offer of (line, rupiah, gain by draw) and a point of nothing for each line."""
    n, draws = len(sources), len(points[0][2])
    return Offer(
        rp=np.array([0.0] * n + [rp for _, rp, _ in points]),
        gain=np.concatenate([np.zeros((draws, n)), np.array([gain for *_, gain in points]).T], axis=1),
        line=np.array([*range(n), *(line for line, *_ in points)], np.intp),
        source=np.array(sources, np.intp),
        room=np.array(room),
    )


TOY = offer([(0, 1.0, [10.0]), (0, 2.0, [12.0]), (1, 2.0, [10.0]), (2, 1.0, [3.0])], [0, 0, 1], [9.0, 9.0])


# ---- known answers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("budget", "rp", "gain"),
    [
        (1.0, [1, 0, 0], 10.0),
        (3.0, [1, 2, 0], 20.0),
        (4.0, [1, 2, 1], 23.0),
        (5.0, [2, 2, 1], 25.0),
        (9.0, [2, 2, 1], 25.0),
    ],
)
def test_the_best_rupiah_are_spent_first(budget: float, rp: list[float], gain: float) -> None:
    found = allocate(TOY, budget)
    assert found.rp.tolist() == pytest.approx(rp)
    assert found.gain.sum() == pytest.approx(gain)


def test_a_source_gives_no_more_than_its_room() -> None:
    tight = Offer(TOY.rp, TOY.gain, TOY.line, TOY.source, np.array([1.5, 9.0]))
    found = allocate(tight, 9.0)
    assert found.rp[:2].sum() == pytest.approx(1.5) and found.rp[2] == pytest.approx(1.0)


def test_no_rupiah_is_spent_on_what_brings_nothing() -> None:
    useless = offer([(0, 1.0, [5.0]), (1, 1.0, [0.0]), (2, 1.0, [-1.0])], [0, 0, 0], [9.0])
    assert allocate(useless, 3.0).rp.tolist() == pytest.approx([1.0, 0.0, 0.0], abs=1e-6)


def test_less_money_is_taken_where_least_is_lost_and_the_same_money_moves_to_the_better() -> None:
    both = offer([(0, -2.0, [-10.0]), (1, -2.0, [-1.0]), (0, 2.0, [8.0]), (1, 2.0, [0.5])], [0, 0], [9.0])
    assert allocate(both, -1.0).rp.sum() == pytest.approx(-1.0)
    down = offer([(0, -2.0, [-10.0]), (1, -2.0, [-1.0])], [0, 0], [9.0])
    assert allocate(down, -2.0).rp.tolist() == pytest.approx([0.0, -2.0], abs=1e-6)
    assert allocate(both, 0.0).rp.tolist() == pytest.approx([2.0, -2.0])
    with pytest.raises(ValueError, match="limits"):
        allocate(down, -5.0)


def test_the_fewest_rupiah_reach_half_of_what_could_be_had() -> None:
    found = allocate(TOY, 5.0, fewest_rupiah=True)
    assert found.gain.sum() == pytest.approx(12.5, rel=1e-6)
    assert found.rp.sum() == pytest.approx(1.5, rel=1e-6)  # one rupiah for ten, half a rupiah at five a rupiah


def test_cautions_choose_as_they_say() -> None:
    """A gamble with the higher mean, a safe line, and one that hedges."""
    draws = [20.0] * 9 + [-60.0]
    risky = offer([(0, 1.0, draws), (1, 1.0, [9.0] * 10)], [0, 0], [9.0])
    assert allocate(risky, 1.0, "mean").rp.tolist() == pytest.approx([1.0, 0.0], abs=1e-6)
    assert allocate(risky, 1.0, "worst-decile").rp.tolist() == pytest.approx([0.0, 1.0], abs=1e-6)
    hedged = allocate(risky, 1.0, "regret")
    best = np.maximum(np.array(draws), 9.0)
    regret = (best - hedged.gain.sum(axis=1)).max()
    shares = np.linspace(0, 1, 1001)
    each = [(best - (w * np.array(draws) + (1 - w) * 9.0)).max() for w in shares]
    assert regret == pytest.approx(min(each), abs=0.05)


def test_priced_reads_between_the_points() -> None:
    assert priced(TOY, [1.5, 1.0, 0.0]).gain.sum() == pytest.approx(11.0 + 5.0)
    assert priced(TOY, [9.0, 0.0, 0.0]).rp.tolist() == [2.0, 0.0, 0.0]


# ---- brute force ---------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=4),
    st.integers(1, 8),
)
def test_it_is_as_good_as_every_way_to_spend_in_small_steps(lines: list[tuple[int, int, int]], budget: int) -> None:
    """Concave lines in whole rupiah, all ways tried: none is better, and the answer keeps the budget."""
    points, tables = [], []
    for i, (most, first, more) in enumerate(lines):
        slope, second = float(first), float(min(first, more))
        gains = [slope * min(rp, most) + second * max(rp - most, 0) for rp in range(2 * most + 1)]
        points += [(i, float(most), [gains[most]]), (i, 2.0 * most, [gains[-1]])]
        tables.append(gains)
    found = allocate(offer(points, [0] * len(lines), [100.0]), float(budget))
    brute = max(
        sum(table[rp] for table, rp in zip(tables, way))
        for way in itertools.product(*(range(len(table)) for table in tables))
        if sum(way) <= budget
    )
    assert found.gain.sum() == pytest.approx(brute, abs=1e-4)
    assert found.rp.sum() <= budget + 1e-6


@given(st.lists(st.floats(0.0, 10.0), min_size=6, max_size=6), st.floats(0.5, 6.0))
def test_it_is_never_worse_than_dividing_the_money_as_lines_are(gains: list[float], budget: float) -> None:
    lines = [Line(f"a:s{i}:apbd", 1.0 + i, 9.0, 2.0, -1.0) for i in range(3)]
    points = [(i, part * 2.0, [gains[2 * i + k]]) for i in range(3) for k, part in enumerate((0.5, 1.0))]
    there = offer(points, [0, 0, 0], [100.0])
    along = dict(along_lines(lines, budget * 1e6))
    even = priced(there, [along.get(line.name, 0.0) for line in lines])
    spent = float(even.rp.sum())
    assert allocate(there, max(spent, budget)).gain.sum() >= even.gain.sum() - 1e-6


def test_the_front_never_falls_and_bends_down() -> None:
    gains = [float(bought.gain.sum()) for _, bought in frontier(TOY, 5.0)]
    steps = np.diff([0.0, *gains])
    assert (steps >= -1e-6).all() and (np.diff(steps) <= 1e-6).all()


# ---- the value of information --------------------------------------------------------------------


def test_what_decides_between_options_is_worth_knowing_and_nothing_else() -> None:
    rng = np.random.default_rng(1)
    parameters = rng.uniform(-1.0, 1.0, (400, 4))
    gains = np.stack([parameters[:, 0], np.zeros(400)], axis=1) + 0.05 * rng.standard_normal((400, 2))
    value, chance = evppi(gains, parameters)
    assert value[0] == pytest.approx(0.25, abs=0.04)  # half the time the first option is worth half a unit on average
    assert value[0] > 5 * chance[0]
    assert (value[1:] <= chance[1:] + 0.01).all()
    assert (value <= evpi(gains) + 1e-12).all()


def test_a_parameter_that_moves_all_options_alike_is_worth_nothing() -> None:
    rng = np.random.default_rng(2)
    parameters = rng.uniform(-1.0, 1.0, (200, 1))
    gains = parameters + np.array([[0.0, 0.1]])
    assert evppi(gains, parameters)[0] == pytest.approx([0.0], abs=1e-6)


def test_few_draws_tell_nothing_of_information() -> None:
    assert np.isnan(evppi(np.ones((8, 2)), np.ones((8, 3)))).all()


# ---- what is planned -----------------------------------------------------------------------------


@given(st.floats(1e6, 1e10), st.lists(st.tuples(st.floats(0, 1e9), st.floats(0, 3e9)), min_size=1, max_size=6))
def test_money_divided_as_lines_are_is_all_placed_as_far_as_lines_can_take_it(
    budget: float, sizes: list[tuple[float, float]]
) -> None:
    lines = [Line(f"a:s{i}:apbd", now, 1e12, most, -now) for i, (now, most) in enumerate(sizes)]
    given_ = dict(along_lines(lines, budget))
    assert sum(given_.values()) == pytest.approx(
        min(budget, sum(line.most_rp for line in lines)), abs=10.0 * len(lines)
    )
    assert all(rp <= line.most_rp + 1.0 for line in lines if (rp := given_.get(line.name, 0.0)))


def test_a_try_is_a_policy_with_its_rupiah_from_its_month_to_its_december() -> None:
    found = with_money(load_scenario("baseline"), [("dinkes:pmba:apbd", 1e9)], 24312, 24323)
    assert [(each.month, each.value) for each in found.changes] == [(24312, 1e9), (24324, 0.0)]


@pytest.mark.parametrize(
    ("months", "said"),
    [
        (("2026-01", "2025-12", None, "2018-01"), "before"),
        (("2026-01", "2026-06", None, "2018-01"), "2026-12"),
        (("2017-01", "2017-12", None, "2018-01"), "--start"),
        (("2026-01", "2026-12", "2026-06", "2018-01"), "--at"),
        (("next year", "2026-12", None, "2018-01"), "not a month"),
    ],
)
def test_months_that_do_not_follow_are_refused(months: tuple[str, str, str | None, str], said: str) -> None:
    with pytest.raises(InputError) as error:
        months_of(*months)
    assert said in error.value.lines(typed=True)[0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"more": 1e9, "less": 1e9}, "not both"),
        ({"more": -1.0}, "outside"),
        ({"more": 5e9, "objective": "casess"}, "objective"),
        ({"more": 5e9, "caution": "none"}, "caution"),
        ({"more": 5e9, "draws": 1}, "draws"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_any_work(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        kv.allocate("lebak", since="2026-01", until="2026-12", **options)  # type: ignore[arg-type]


# ---- one small run -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small() -> Allocation:
    return kv.allocate(
        "lebak", more=5e9, since="2019-01", until="2019-12", at="2020-06", draws=2, seeds=2, population_share=0.002,
        workers=1,
    )  # fmt: skip


@pytest.mark.slow
def test_a_small_run_keeps_money_limits_columns_and_is_saved(small: Allocation, tmp_path: Path) -> None:
    assert list(small.allocation.columns) == COLUMNS["allocation"]
    assert small.allocation["rp"].sum() <= 5e9 * (1 + 1e-9)
    own = small.marginal.set_index(["agency", "service", "source"])
    for row in small.allocation.itertuples():
        assert -1.0 <= row.rp <= own.loc[(row.agency, row.service, row.source), "most_rp"] + 1.0
        assert institutions().source[row.source].district_adds
        assert 1 <= row.rank_low <= row.rank_high <= len(small.allocation)
    assert {"pkh", "bpnt"}.isdisjoint(small.allocation["service"])
    small.save(tmp_path / "out")
    again = kv.load(tmp_path / "out")
    assert again == small
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "out" / "allocation.parquet"), small.allocation)


def told(gain: tuple[float, float, float], budget: float = 5e9, objective: str = "cases") -> Allocation:
    """An allocation of one line with what its money brings when it is simulated once more."""
    line = {"agency": "dinkes", "service": "pmt-balita", "source": "apbd"}
    tables = {name: pd.DataFrame(columns=columns) for name, columns in COLUMNS.items()}
    spread = dict(zip(("gain", "low", "high"), gain))
    tables["allocation"] = pd.DataFrame([line | {"rp": budget or 1e9, "rank_low": 1, "rank_high": 1} | spread])
    tables["checked"] = pd.DataFrame([{"what": "chosen", "rp": budget} | spread])
    manifest = {
        "district": "lebak", "budget_rp": budget, "placed_rp": budget, "since": "2026-01", "until": "2026-12",
        "at": "2029-01", "objective": objective, "draws": 20, "seeds": 2, "baseline": {"children": 60000.0},
        "service_names": {"pmt-balita": {"en": "Food for children", "id": "PMT balita"}},
        "agency_names": {"dinkes": "Dinas Kesehatan"}, "first_two": ["dinkes:pmt-balita:apbd"],
        "first_two_share": 0.2, "first_two_clear": False, "synthetic_inputs": [],
    }  # fmt: skip
    return Allocation(**tables, manifest=manifest)


@pytest.mark.parametrize(
    ("gain", "budget", "first"),
    [((9.0, 4.0, 14.0), 5e9, "Recommended: "), ((2.0, -3.0, 7.0), 5e9, "No difference that matters can be shown"),
     ((2.0, math.nan, math.nan), 5e9, "No difference that matters can be shown"),
     ((2.0, -3.0, 7.0), 0.0, "No difference that matters can be shown"), ((-9.0, -14.0, -4.0), 5e9, "Keep the money"),
     ((-9.0, -14.0, -4.0), -5e9, "If that much has to be given up")],
)  # fmt: skip
def test_the_first_line_is_the_recommendation_or_that_nothing_can_be_shown(
    gain: tuple[float, float, float], budget: float, first: str
) -> None:
    shown = allocate_page.blocks(told(gain, budget), "en")[0]
    assert shown.sentences[0].startswith(first)


@pytest.mark.parametrize("lang", ["en", "id"])
@pytest.mark.parametrize("objective", ["cases", "protected", "equity", "cost"])
def test_what_to_do_and_how_sure_speak_no_jargon_and_say_what_is_counted(objective: str, lang: Lang) -> None:
    do, sure = allocate_page.blocks(told((2.0, -3.0, 7.0), objective=objective), lang)[:2]
    said = " ".join([*do.sentences, *do.after, *sure.sentences, *(cell for row in do.rows for cell in row)])
    assert not re.search(r"\b(draws?|seeds?|resamples?|levers?|benih|sampel|tuas|undian)\b", said)
    assert {"en": "children", "id": "anak"}[lang] in do.rows[0][-1] and do.rows[0][2].startswith("+Rp 5")


@pytest.mark.parametrize(
    ("own", "said"),
    [({"share": 0.26, "lines": 6, "of": 34}, "26%"), ({"share": 0.0, "lines": 0, "of": 34}, "No amount")],
)
def test_it_says_how_much_of_the_money_is_the_districts_own(own: dict[str, float], said: str) -> None:
    found = told((2.0, -3.0, 7.0))
    found = dataclasses.replace(found, manifest=found.manifest | {"own_money": own})
    assert said in allocate_page.blocks(found, "en")[1].sentences[-1]


@pytest.mark.slow
def test_the_page_says_what_to_do_first_in_both_languages(small: Allocation) -> None:
    pages = {lang: allocate_page.page(small, lang) for lang in ("en", "id")}  # type: ignore[arg-type]
    assert pages["en"].index("What to do") < pages["en"].index("Which line")
    assert "Yang perlu dilakukan" in pages["id"] and "Rp 5,0 miliar" in pages["id"]
    assert "{" not in pages["en"] + pages["id"]
    for name in CAUTIONS:
        assert name in set(small.cautions["caution"]) or small.cautions.empty
