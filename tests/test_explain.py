"""Why prevalence changed: drivers that stand still, shares that add up, measurement apart, and what is said of it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_report import drawn_texts
from typer.testing import CliRunner

import konvergensi as kv
from konvergensi.analyses import explain as explain_module
from konvergensi.analyses import explain_plan
from konvergensi.analyses.explain import Explanation, explain, measured, single_pairs, split
from konvergensi.analyses.explain_plan import LEVEL, live_worlds, make_plan, world_of
from konvergensi.base.errors import InputError
from konvergensi.base.files import data_root
from konvergensi.base.months import parse_month
from konvergensi.cli.main import app
from konvergensi.inputs.districts import find_district, list_districts
from konvergensi.inputs.parameters import Settings, load_parameters
from konvergensi.methods.shapley import coalitions
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.model.replay import (
    COORDINATION,
    COVID,
    DRIVERS,
    HISTORY,
    INCOME,
    Replay,
    driver_of,
    service_groups,
    switches,
)
from konvergensi.report import explain_page
from konvergensi.report.theme import SMALL

LEBAK = find_district("lebak")
GROUPS = service_groups(LEBAK, 1)
DINKES, OTHERS, VILLAGES, PARTNERS = GROUPS
ALL = (INCOME, COVID, COORDINATION, *GROUPS)
SHARE = 0.003
BRIEF: dict[str, Any] = {"seeds": 1, "population_share": SHARE, "agencies": 1, "until": "2018-03", "workers": 1}


def past(since: str = "2018-01", until: str = "2019-06", **options: Any) -> Replay:
    model = Replay("baseline", "lebak", 1, SHARE, "2018-01", until, **options)
    while model.world.month < parse_month(since):
        model.step()
    return model


def live_on(model: Replay, *still: str) -> Replay:
    """A twin with these drivers held, that has run to its end."""
    twin = model.twin()
    twin.hold(still, GROUPS)
    while twin.running:
        twin.step()
    return twin


@pytest.fixture(scope="module")
def start() -> Replay:
    return past()


@pytest.fixture(scope="module")
def moved(start: Replay) -> Replay:
    return live_on(start)


@pytest.fixture(scope="module")
def small() -> Explanation:
    """Two seeds, two surveys (April 2018 and September 2019), four drivers."""
    return explain(since="2018-04", until="2019-09", seeds=2, population_share=SHARE, agencies=1, workers=1)


# ---- drivers that stand still ----------------------------------------------------------------------------------------


def test_with_all_drivers_moving_it_is_the_model_bit_for_bit(moved: Replay) -> None:
    usual = ConvergenceModel("baseline", "lebak", 1, SHARE, "2018-01", "2019-06")
    while usual.running:
        usual.step()
    for column in ("z", "gain", "deviation", "birth_weight"):
        assert getattr(usual.world.children, column).tobytes() == getattr(moved.world.children, column).tobytes()
    assert usual.world.programmes.line.tobytes() == moved.world.programmes.line.tobytes()


def test_a_twin_changes_nothing_in_the_model_it_was_taken_from(start: Replay) -> None:
    again = past()
    live_on(start, *ALL)
    assert start.world.month == parse_month("2018-01")
    assert start.world.children.z.tobytes() == again.world.children.z.tobytes()
    assert start.world.programmes.line.tobytes() == again.world.programmes.line.tobytes()
    assert start.world.settings == again.world.settings and start.changes == again.changes
    assert [opd.understanding for opd in start.opds] == [opd.understanding for opd in again.opds]


def test_coordination_that_stands_still_leaves_agencies_villages_and_caregivers_as_they_were(
    start: Replay, moved: Replay
) -> None:
    still = live_on(start, COORDINATION)

    def stands_of(model: Replay) -> Any:
        opds = [(o.understanding, o.institutional_understanding, o.goal_adoption, o.adaptation) for o in model.opds]
        state = model.world.coordination
        return opds, state.village_understanding.tolist(), {k: v.tolist() for k, v in state.ties.items()}

    assert stands_of(still) == stands_of(start) != stands_of(moved)
    assert still.world.settings["calendar.regime"] == "eight-aksi"
    assert still.actions or still.world.coordination.carried_out  # actions go on


def test_every_room_of_coordination_that_can_be_switched_off_is() -> None:
    known = load_parameters()
    every = {key for key, each in known.items() if key.endswith(".on") and DRIVERS.get(each.theme) == COORDINATION}
    assert every - set(switches(Settings.defaults())) == {"actions.on"}  # which would do every action in full


def test_incomes_that_stand_still_leave_later_children_at_the_level_of_the_first(start: Replay, moved: Replay) -> None:
    still = live_on(start, INCOME).world.children
    usual = moved.world.children
    first = parse_month("2018-01") + explain_plan.PREGNANCY_MONTHS
    rate = moved.world.settings["growth.income_trend_z_per_year"]
    conceived = usual.birth_month <= parse_month("2019-06") + explain_plan.PREGNANCY_MONTHS
    years = np.clip(usual.birth_month - first, 0, None) / 12.0
    np.testing.assert_allclose((usual.lasting - still.lasting)[conceived], (rate * years)[conceived], atol=1e-6)
    assert (usual.lasting != still.lasting).any()


def test_incomes_that_always_stood_still_give_every_birth_the_same_trend(start: Replay) -> None:
    level = parse_month("2018-10")
    always, usual = past(level_from=level).world.children, start.world.children
    rate = start.world.settings["growth.income_trend_z_per_year"]
    alive = usual.window(parse_month("2018-01") - 1, 0, 59)
    years = (level - usual.birth_month[alive]) / 12.0
    np.testing.assert_allclose((always.lasting - usual.lasting)[alive], rate * years, atol=1e-6)


def test_a_shock_that_stands_still_stays_as_it_was() -> None:
    before = past("2020-06", "2020-10")
    free, held = live_on(before), live_on(before, COVID)
    assert free.world.settings["shocks.posyandu_open_share"] == 0.6  # September 2020
    assert held.world.settings["shocks.posyandu_open_share"] == 0.25  # as in June


def test_a_change_of_the_very_month_is_in_force_already() -> None:
    before = past("2020-04", "2020-05")
    assert live_on(before, COVID).world.settings["shocks.posyandu_open_share"] == 0.25
    assert before.world.settings["shocks.posyandu_open_share"] == 1.0


def test_services_that_stand_still_keep_their_money_and_the_others_move_on(start: Replay, moved: Replay) -> None:
    held = live_on(start, DINKES).world.programmes
    begun, usual = start.world.programmes, moved.world.programmes
    of_dinkes = np.array([start.opds[opd].id == "dinkes" for opd in begun.opd])
    assert held.line[of_dinkes].tolist() == begun.line[of_dinkes].tolist() != usual.line[of_dinkes].tolist()
    assert held.budgeted[of_dinkes].tolist() == begun.line[of_dinkes].tolist()  # of 2019
    assert not held.waiting[of_dinkes].any() and not held.accepted[of_dinkes].any()
    assert (held.line[~of_dinkes] != begun.line[~of_dinkes]).any()
    assert held.spent[of_dinkes].sum() > 0
    for programmes in (held, live_on(start, *GROUPS).world.programmes):
        assert (programmes.planned >= programmes.budgeted - 1e-6).all()
        assert (programmes.budgeted >= programmes.released - 1e-6).all()
        assert (programmes.released >= programmes.spent - 1e-6).all()


def test_an_agency_that_stops_spends_nothing_from_then_on() -> None:
    model = past("2018-07", "2019-02")
    which = [p for p, opd in enumerate(model.world.programmes.opd) if model.opds[opd].id == "dinkes"]
    spent = model.world.programmes.spent[which].copy()
    assert spent.sum() > 0
    model.stop(["dinkes"])
    for _ in range(3):
        model.step()
    np.testing.assert_allclose(model.world.programmes.spent[which], spent, rtol=1e-9)
    while model.running:
        model.step()
    assert not model.world.programmes.spent[which].any() and not model.world.programmes.line[which].any()
    assert model.world.programmes.spent.sum() > 0


def test_every_dated_change_belongs_to_one_driver() -> None:
    place = find_district("lebak")

    def driver(key: str) -> str:
        return driver_of(place.parameters()[key])

    assert driver("shocks.posyandu_open_share") == driver("shocks.budget_moved_share") == COVID
    assert driver("shocks.mutasi_share") == driver("network.decree_in_force") == COORDINATION
    assert driver("registers.krs_min_risks") == driver("opd.dinkes.ego") == COORDINATION
    assert driver("growth.income_trend_z_per_year") == INCOME
    assert driver("budget.apbd_room_share") == driver("growth.level_shift_z") == HISTORY
    known = {"shocks.on"} | {
        key for name in list_districts() for e in find_district(name).timeline for key in e.set if key[:4] != "opd."
    }
    assert {driver(key) for key in known} <= {COVID, COORDINATION, HISTORY}


def test_agencies_with_most_programmes_have_a_share_of_their_own() -> None:
    groups = service_groups(LEBAK, 3)
    named = ["services:dinkes", "services:dp3ak2kb", "services:dinsos"]
    assert list(groups) == [*named, "services:others", "services:villages", "services:partners"]
    # what villages and partners pay for is theirs, whichever agency answers for it
    assert (groups["services:villages"], groups["services:partners"]) == (("dana-desa",), ("csr",))
    every = {programme.opd for programme in LEBAK.programmes if programme.money not in ("dana-desa", "csr")}
    assert {agency for ids in groups.values() for agency in ids} == every | {"dana-desa", "csr"}
    n = len(every)
    assert list(service_groups(LEBAK, n - 1)) == list(service_groups(LEBAK, n))  # a rest of one is no rest
    assert "services:others" not in service_groups(LEBAK, n)


# ---- shares ----------------------------------------------------------------------------------------------------------

THREE = ("income", "covid", "coordination")
changes = st.lists(st.floats(-50, 50), min_size=9, max_size=9).map(
    lambda v: dict(zip([*map(world_of, coalitions(THREE)), LEVEL], v))
)


@given(changes)
def test_shares_and_cohort_replacement_sum_to_the_change(change: dict[str, float]) -> None:
    found = split(change, THREE)
    assert found["cohort_replacement"] + sum(found[each] for each in THREE) == pytest.approx(found["true"], abs=1e-9)
    assert found["cohort_replacement:incomes"] + found["cohort_replacement:rest"] == pytest.approx(
        found["cohort_replacement"], abs=1e-9
    )
    assert found["true"] == change[world_of(frozenset(THREE))]


@given(changes, st.permutations(THREE))
def test_the_order_of_the_drivers_changes_nothing(change: dict[str, float], order: list[str]) -> None:
    assert split(change, order) == split(change, THREE)


def test_the_order_of_drivers_and_agencies_changes_no_world() -> None:
    plan = make_plan("lebak", "2018-01", "2018-03", {"seeds": 1, "population_share": SHARE, "agencies": 1})
    job = replace(plan.jobs[0], worlds=plan.jobs[0].worlds[::5])
    turned = explain_plan.Worlds(
        **vars(job)
        | {"drivers": job.drivers[::-1], "groups": tuple((name, ids[::-1]) for name, ids in job.groups[::-1])}
    )
    assert live_worlds(job) == live_worlds(turned)


def test_parts_sum_to_the_published_change_and_drivers_to_the_true_one(small: Explanation) -> None:
    parts = small.parts[small.parts["kind"] == "part"]
    assert parts["value"].sum() == pytest.approx(small.of("published")["value"], abs=1e-9)
    assert parts.loc[parts["part"] != "measurement", "value"].sum() == pytest.approx(
        small.of("true")["value"], abs=1e-9
    )
    for whole in ("measurement", "cohort_replacement"):
        inside = small.parts[small.parts["part"].str.startswith(f"{whole}:")]
        assert len(inside) == 2 and inside["value"].sum() == pytest.approx(small.of(whole)["value"], abs=1e-9)
    agencies = small.parts[small.parts["part"].str.startswith("services:")]["value"].sum()
    assert small.of("services")["value"] == pytest.approx(agencies, abs=1e-9)
    contrast = small.of("coordination")["value"] - agencies
    assert small.of("coordination less services")["value"] == pytest.approx(contrast, abs=1e-9)
    with pytest.raises(KeyError, match="nobody"):
        small.of("nobody")


def test_values_are_means_over_seeds_of_worlds_that_can_be_read(small: Explanation) -> None:
    wide = small.worlds.pivot(index="seed", columns="world", values="change")
    drivers = small.manifest["drivers"]
    stopped = len(GROUPS) + 1  # services of each group, and of everybody
    assert len(drivers) == 2 + len(GROUPS) and wide.shape == (2, 2 ** len(drivers) + stopped + 1)
    everything = wide[world_of(frozenset(drivers))]
    assert small.of("true")["value"] == pytest.approx(everything.mean())
    assert small.of("cohort_replacement")["value"] == pytest.approx(wide[world_of(frozenset())].mean())
    assert small.of("without services")["value"] == pytest.approx((wide["without services"] - everything).mean())
    income = small.of("income")
    alone = (wide[world_of(frozenset({"income"}))] - wide[world_of(frozenset())]).mean()
    last = (everything - wide[world_of(frozenset(drivers) - {"income"})]).mean()
    assert (income["alone"], income["last"]) == pytest.approx((alone, last))
    assert income["low"] <= income["value"] <= income["high"]
    assert small.manifest["worlds"] == len(small.worlds)


def test_without_a_rise_of_incomes_nothing_is_ascribed_to_it() -> None:
    found = explain(**BRIEF, set={"growth.income_trend_z_per_year": 0.0})
    for part in ("income", "cohort_replacement:incomes"):
        assert found.of(part)["value"] == 0.0
    assert found.manifest["income_trend"]["value"] == 0.0 and np.isnan(found.of("income")["low"])


def test_what_did_not_move_in_these_months_is_no_player_and_has_no_share(small: Explanation) -> None:
    numbers = {"seeds": 1, "population_share": 0.1, "agencies": 3}
    assert make_plan("lebak", "2018-01", "2019-12", numbers).idle == (COVID,)
    whole = make_plan("lebak", "2018-01", "2021-12", numbers)
    assert whole.idle == () and COVID in whole.drivers and HISTORY not in whole.drivers
    # three agencies, the others, villages, partners; and each of them, or all, without services
    assert len(whole.drivers) == 3 + 6 and whole.worlds == 2**9 + (6 + 1) + 1
    assert make_plan("lebak", "2022-01", "2022-12", numbers).idle == (COVID,)  # it ended in that month
    assert small.of("covid")["value"] == 0.0 and small.manifest["idle"] == [COVID]


def test_other_dated_history_is_a_driver_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "lebak-with-history"
    shutil.copytree(data_root() / "districts" / "lebak", folder)
    event = (
        '\n[[timeline]]\nfrom = "2018-03"\nset = { "budget.overhead_share" = 0.3 }\nreason = { en = "x", id = "y" }\n'
    )
    with (folder / "district.toml").open("a", encoding="utf-8") as file:
        file.write(event)
    assert (
        HISTORY
        in make_plan(str(folder), "2018-01", "2018-06", {"seeds": 1, "population_share": SHARE, "agencies": 1}).drivers
    )


# ---- measurement -----------------------------------------------------------------------------------------------------


def surveyed(*surveys: tuple[str, float]) -> dict[str, Any]:
    each = [
        {"fieldwork": month, "system": "SSGI", "percent": [p - 1, p + 1], "half_width": 4.0} for month, p in surveys
    ]
    return {"before": 40.0, "truth": {"2018-04": 39.5, "2021-09": 37.0, "2021-12": 36.5}, "surveys": each}


def test_measurement_is_what_surveys_add_to_the_truth() -> None:
    found = measured(surveyed(("2018-04", 41.0), ("2021-09", 36.0)), "2021-12")
    assert found["published"] == pytest.approx(-5.0)
    assert found["measurement:dates"] == pytest.approx((37.0 - 36.5) - (39.5 - 40.0))
    assert found["measurement:error"] == pytest.approx((36.0 - 37.0) - (41.0 - 39.5))
    assert found["measurement"] == pytest.approx(-5.0 - (36.5 - 40.0))
    assert single_pairs([surveyed(("2018-04", 41.0), ("2021-09", 36.0))]) == pytest.approx([-5.0, -5.0])


def test_one_survey_publishes_no_change() -> None:
    row = surveyed(("2018-04", 41.0))
    assert measured(row, "2021-12") == {} and single_pairs([row]) == []


def test_surveys_are_held_by_many_teams_around_the_truth(small: Explanation) -> None:
    held = small.surveys
    assert held["fieldwork"].tolist() == ["2018-04", "2019-09"]
    assert held["published"].tolist() == [40.2, 32.96]
    assert ((held["simulated"] - held["truth"]).abs() < 3).all() and (held["half_width"] > 1).all()
    low, high = small.manifest["single_pairs"]
    assert low < small.of("published")["value"] < high


def test_where_there_were_no_two_surveys_the_true_change_is_explained() -> None:
    found = explain(**BRIEF)
    parts = found.parts[found.parts["kind"] == "part"]
    assert "measurement" not in set(parts["part"]) and not found.manifest["single_pairs"]
    assert parts["value"].sum() == pytest.approx(found.of("true")["value"], abs=1e-9)
    assert "no two surveys" in str(found) and "not in the district's folder" in str(found)
    assert "{" not in explain_page.page(found, "id")
    assert found.plot().axes


def test_what_lebak_published_is_as_in_the_evidence() -> None:
    found = {(each.system, each.fieldwork[:4]): each.percent for each in LEBAK.published if not each.routine}
    assert found == {
        ("PSG", "2017"): 37.3, ("Riskesdas", "2018"): 40.2, ("SSGBI", "2019"): 32.96,
        ("SSGI", "2021"): 27.3, ("SSGI", "2022"): 26.2, ("SKI", "2023"): 35.5,
    }  # fmt: skip


# ---- the worlds ------------------------------------------------------------------------------------------------------


class Stop(BaseException):
    """A stand-in for Ctrl-C."""


def test_stopped_halfway_it_goes_on_and_comes_to_the_same(tmp_path: Path) -> None:
    keep = tmp_path / "runs"
    told: list[tuple[int, int]] = []

    def stop_at_first(done: int, _all: int) -> None:
        if done:
            raise Stop

    with pytest.raises(Stop):
        explain(**BRIEF, keep=keep, progress=stop_at_first)
    one = explain(**BRIEF, keep=keep, progress=lambda *each: told.append(each))
    first, whole = told[0]  # what was kept is told at once
    assert 0 < first < whole == one.manifest["worlds"]
    assert told == [(done, whole) for done in range(first, whole + 1, first)]
    other = explain(**BRIEF, keep=keep)
    pd.testing.assert_frame_equal(one.parts, other.parts, check_exact=True)


# ---- words and pictures ----------------------------------------------------------------------------------------------


def with_parts(found: Explanation, **values: tuple[float, float, float]) -> Explanation:
    """The same with other values, low and high, of some parts."""
    parts = found.parts.copy()
    for name, each in values.items():
        parts.loc[parts["part"] == name.replace("_", " "), ["value", "low", "high"]] = each
    return Explanation(**{**vars(found), "parts": parts})


@pytest.mark.parametrize("lang", ["en", "id"])
def test_the_page_opens_with_the_question_and_says_what_the_tables_say(small: Explanation, lang: Any) -> None:
    page = explain_page.page(small, lang)
    title, _, opening = page.splitlines()[:3]
    assert title.startswith("# Why" if lang == "en" else "# Mengapa") and "Supriyanto & Jannah 2022" in opening
    for part in ("true", "cohort_replacement", "income", "services"):
        assert explain_page.points(small.of(part)["value"], lang) in page
    assert "{" not in page and "Dinas Kesehatan" in page and "Riskesdas" in page
    printed = "\n".join(explain_page.lines(small, lang))
    assert printed.splitlines()[0] == title.removeprefix("# ") and not any(
        line != line.rstrip() for line in printed.splitlines()
    )


NOTHING = (0.0, -0.01, 0.01)


@pytest.mark.parametrize(
    ("coordination", "services", "less", "said"),
    [
        (NOTHING, (-0.1, -0.2, -0.05), (0.1, 0.05, 0.2), ("neither", "it was the agencies")),
        ((-2.0, -2.5, -1.5), NOTHING, (-2.0, -2.5, -1.5), ("together brought", "it was integration")),
        ((-1.0, -3.0, 1.0), (-1.0, -3.0, 1.0), (0.0, -4.0, 4.0), ("together brought", "cannot be decided")),
        (NOTHING, NOTHING, (np.nan,) * 3, ("neither", "cannot be decided")),
    ],
)
def test_the_answer_follows_the_numbers(
    small: Explanation, coordination: Any, services: Any, less: Any, said: tuple[str, str]
) -> None:
    values = {"coordination": coordination, "services": services, "coordination_less_services": less}
    found = with_parts(small, true=(-4.0, -5.0, -3.0), **values)
    first, second = explain_page.answers(found, "en")
    assert said[0] in first and said[1] in second
    assert all("{" not in each for each in explain_page.answers(found, "id"))


@pytest.mark.parametrize(("pairs", "said"), [([-20.0, 5.0], "within"), ([-5.0, 5.0], "lies outside"), ([], "Really")])
def test_it_says_whether_two_surveys_could_have_found_what_was_published(
    small: Explanation, pairs: list[float], said: str
) -> None:
    found = Explanation(**{**vars(small), "manifest": small.manifest | {"single_pairs": pairs}})
    text = " ".join(explain_page.really(found, "en"))
    assert said in text and "-7.2 points" in text
    assert ("even at the edge of this interval -2.2 points are left" in text) is ("outside" in said)
    assert ("points not explained" in text) is bool(pairs)


@pytest.mark.parametrize("lang", ["en", "id"])
def test_the_figure_is_legible(small: Explanation, lang: Any) -> None:
    figure = small.plot("explain", lang)
    texts = drawn_texts(figure)
    assert min(text.get_fontsize() for text in texts) >= SMALL
    width, height = figure.bbox.size
    boxes = [text.get_window_extent() for text in texts]
    for i, (text, box) in enumerate(zip(texts, boxes)):
        assert box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1, text.get_text()
        for other, that in zip(texts[:i], boxes):
            apart = (
                min(box.x1, that.x1) - max(box.x0, that.x0) <= 1.5 or min(box.y1, that.y1) - max(box.y0, that.y0) <= 1.5
            )
            assert apart, f"{text.get_text()!r} lies on {other.get_text()!r}"
    with pytest.raises(KeyError, match="there are explain"):
        small.plot("waterfall")


def test_saving_writes_all_of_it_and_again(small: Explanation, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    for lang in ("en", "id"):
        small.save(out, lang=lang, command="konvergensi explain")
    assert {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()} == {
        "manifest.json", "explain.md", "explain.parquet", "worlds.parquet", "surveys.parquet", "figures/explain.png",
    }  # fmt: skip
    assert (out / "explain.md").read_text(encoding="utf-8").startswith("# Mengapa")
    read = pd.read_parquet(out / "explain.parquet")
    pd.testing.assert_frame_equal(read, small.parts)
    assert read.attrs["since"] == "2018-04"
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["command"] == "konvergensi explain" and manifest["lang"] == "id"
    assert manifest["hashes"] and manifest["packages"]["numpy"]
    assert 40.2 in {each["percent"] for each in manifest["published"]}
    assert list(out.parent.iterdir()) == [out]


# ---- refusals and the command line -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": 0}, "seeds: 0 is outside"),
        ({"agencies": 0}, "agencies: 0 is outside"),
        ({"workers": 0}, "workers: 0 is outside"),
        ({"population_share": 10}, "population_share: 10 looks like a percent"),
        ({"since": "2019-01", "until": "2018-12"}, r"until: '2018-12' is before 2019-01 \(since\)"),
        ({"since": "2018"}, "since: '2018' is not a month"),
        ({"district": "lebakk"}, "unknown district 'lebakk'"),
        ({"set": {"growth.income": 1}}, "growth.income: unknown key"),
    ],
)
def test_bad_input_is_refused_before_the_first_world(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        explain(**BRIEF | {"keep": tmp_path / "runs"} | options)
    assert not (tmp_path / "runs").exists()


def call(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--from 2019-01 --to 2018-12", "--to: '2018-12' is before 2019-01 (--from)"),
        ("--agencies 9 --lang id", "--agencies: 9 di luar rentang"),
        ("--set growth.income=1", "--set: growth.income: unknown key"),
        ("--district nowhere/else", "nowhere/else: there is no such file or folder"),
    ],
)
def test_the_command_refuses_with_one_line_and_writes_nothing(tmp_path: Path, options: str, message: str) -> None:
    done = call("explain", "--out", tmp_path / "out", *options.split())
    lines = [line for line in done.stderr.splitlines() if line.strip() and "runs/s" not in line]
    assert done.exit_code == 2 and done.stdout == "" and len(lines) == 1 and lines[0].startswith(message), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_command_passes_its_options_on_and_says_what_it_wrote(
    monkeypatch: pytest.MonkeyPatch, small: Explanation, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {}

    def stand_in(district: str, **options: Any) -> Explanation:
        asked.update(options, district=district)
        options["progress"](1, 20)
        return small

    monkeypatch.setitem(vars(kv), "explain", stand_in)
    words = "--from 2018-04 --to 2019-09 --seeds 2 --population-share 0.5 --agencies 1 --workers 2 --set goals.on=false"
    done = call("explain", "--out", tmp_path / "out", *words.split())
    assert done.exit_code == 0, done.output
    del asked["progress"]
    assert asked == {
        "district": "lebak", "since": "2018-04", "until": "2019-09", "seeds": 2, "population_share": 0.5,
        "agencies": 1, "set": {"goals.on": False}, "workers": 2, "cluster": None, "draws_from": "fitted",
        "structures": "all", "lang": "en",
        "keep": tmp_path / "out" / "runs",
    }  # fmt: skip
    assert done.stdout.startswith("Why prevalence changed: Kabupaten Lebak")
    assert done.stdout.splitlines()[-1].startswith(f"Written to {tmp_path / 'out'}: explain.md")


def test_ctrl_c_ends_with_how_to_go_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(vars(kv), "explain", interrupted)
    done = call("explain", "--out", tmp_path / "out", "--lang", "id")
    assert done.exit_code == 130 and "perintah yang sama melanjutkannya" in done.stderr and done.stdout == ""


def test_it_is_part_of_the_package() -> None:
    assert kv.explain is explain_module.explain and kv.Explanation is Explanation
