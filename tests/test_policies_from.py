"""Policies for the years ahead: every one can begin in a chosen month; what came since 2024 is dated and graded."""

from pathlib import Path

import numpy as np
import pytest
from conftest import live

import konvergensi as kv
from konvergensi.analyses.gaps_plan import SETS, make_plan
from konvergensi.base.errors import InputError
from konvergensi.base.months import parse_month
from konvergensi.inputs.context import context
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.scenarios import list_scenarios, load_scenario, resolve, starting

AHEAD = parse_month("2026-01")


@pytest.mark.parametrize("name", [name for name in list_scenarios() if load_scenario(name).changes])
def test_every_shipped_policy_can_begin_in_a_chosen_month(name: str) -> None:
    """Its changes keep their distances, and before that month nothing of it is in force."""
    own, moved = load_scenario(name), load_scenario(f"{name}@2026-01")
    first = min(each.month for each in own.changes)
    assert [(each.month - AHEAD, each.key, each.value) for each in moved.changes] == [
        (each.month - first, each.key, each.value) for each in own.changes
    ]
    assert moved.id == f"{name}@2026-01" and moved.hashes != own.hashes
    place, span = find_district("lebak"), (parse_month("2018-01"), parse_month("2027-12"))
    before, after = (resolve(each, place, None, *span) for each in (load_scenario("baseline"), moved))
    assert before.initial.as_dict() == after.initial.as_dict()
    early = [
        [(each.month, each.key, each.value) for each in found.changes if each.month < AHEAD]
        for found in (before, after)
    ]
    assert early[0] == early[1]


def test_until_that_month_not_a_bit_differs_from_baseline() -> None:
    options = {"share": 0.003, "start": "2018-01", "end": "2019-12"}
    base, same, other = (live(name, **options) for name in ("baseline", "one-list@2020-01", "one-list@2019-01"))
    assert np.array_equal(base.world.children.z, same.world.children.z)
    assert not np.array_equal(base.world.children.z, other.world.children.z)


def test_what_changes_nothing_or_has_a_month_of_its_own_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KONVERGENSI_MONTH", "2026-11")
    names = ["baseline", "one-list", "one-list+early-planning", "early-data@2027-03"]
    assert starting(names, None) == names
    assert starting(names, "Januari depan") == [
        "baseline", "one-list@2027-01", "one-list@2027-01+early-planning@2027-01", "early-data@2027-03",
    ]  # fmt: skip


def test_a_file_begins_later_too_and_an_at_in_its_name_is_part_of_it(tmp_path: Path) -> None:
    file = tmp_path / "a@b.toml"
    change = 'change = [{ from = "2019-01", until = "2019-12", set = { "budget.inertia" = 0.2 } }]'
    file.write_text(f'title = "t"\nquestion = "q"\n{change}\n', encoding="utf-8")
    assert load_scenario(str(file)).changes[0].month == parse_month("2019-01")
    (moved,) = load_scenario(f"{file}@2026-01").changes
    assert (moved.month, moved.until) == (AHEAD, parse_month("2026-12"))


@pytest.mark.parametrize("month", ["2026", "soon", "2026-13", ""])
def test_what_is_no_month_is_refused(month: str) -> None:
    with pytest.raises(InputError, match="not a month"):
        kv.compare(["baseline", "one-list"], policies_from=month)


def test_gaps_are_closed_from_that_month_and_simulated_alike_before() -> None:
    plan = make_plan("lebak", 1, 1, 0.01, "2018-01", "2027-12", True, policies_from="2026-01")
    for closed in SETS:
        policy = load_scenario(plan.main[closed, 1].scenario)
        assert all(each.month >= AHEAD for each in policy.changes)
    for draws in (plan.drawn, plan.ends):
        sets: dict[object, set[object]] = {}
        for (_, *about), job in draws.items():  # type: ignore[misc]
            sets.setdefault(tuple(about), set()).add(job.set)
        assert all(len(each) == 1 for each in sets.values())


def test_what_came_since_2024_is_dated_graded_and_says_whether_the_model_acts_on_it() -> None:
    found = context()
    assert all(each.month >= parse_month("2024-01") and each.source and each.grade for each in found.event)
    assert any(each.modelled for each in found.event)
    named = " ".join(each.name.en for each in found.left_out)
    assert "MBG" in named and "GENTING" in named
    for each in (*(event.said for event in found.event), *(left.why for left in found.left_out)):
        assert each.en != each.id
