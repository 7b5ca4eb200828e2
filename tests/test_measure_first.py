"""What is worth measuring before choosing among the policies compared, and how the page says it."""

from __future__ import annotations

import dataclasses
import functools
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fake_comparison import compared

from konvergensi.analyses.measure_first import choices, measure_first
from konvergensi.base.words import LANGUAGES, Lang
from konvergensi.inputs.scenarios import load_scenario
from konvergensi.methods.information import evppi
from konvergensi.report import measure_first_page
from konvergensi.report.comparison import sheets
from konvergensi.report.front_page import front
from konvergensi.report.readings_moves import meaning
from konvergensi.results.comparison import Comparison

DRAWS = 200
KEY = "budget.inertia"


def drawn(values: np.ndarray, keys: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        [(draw + 1, key, float(values[draw, at])) for draw in range(len(values)) for at, key in enumerate(keys)],
        columns=["draw", "parameter", "value"],
    )


def asked(draws: int = DRAWS, rp_each: float | None = 2e6, moves: float = 1.0) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Two policies with 30 % stunting of 100,000 children; the second is better by the first parameter, of four."""
    values = np.random.default_rng(4).uniform(-1.0, 1.0, (draws, 4))
    better = moves * values[:, 0] + (2.0 if moves < 1.0 else 0.0)
    prevalence = np.stack([np.full(draws, 30.0), 30.0 - better], axis=1)[:, None, :]
    table = drawn(values, [KEY, "socialization.turnover_share", "services.pmba.effect", "services.anc.effect"])
    return measure_first(prevalence, 1000.0 * prevalence, list(range(1, draws + 1)), table, rp_each)


def test_what_decides_between_policies_is_worth_what_theory_says_in_points_children_and_rupiah() -> None:
    """Uniform on -1 to 1: the better of 0 and x is 0.25 on average, which is 250 of 100,000 children."""
    table, told = asked()
    first = table.iloc[0]
    assert first["parameter"] == KEY
    assert first["points"] == pytest.approx(0.25, abs=0.04)
    assert first["value"] == pytest.approx(1000.0 * first["points"])
    assert first["value_rp"] == pytest.approx(2e6 * first["value"])
    assert first["value"] > first["chance"] and (table["value"][1:] <= table["chance"][1:]).all()
    assert told["everything_points"] >= first["points"]


def test_what_changes_no_choice_is_worth_nothing() -> None:
    table, told = asked(moves=0.5)
    assert told["everything_points"] == 0.0 and (table["value"] == 0.0).all()


def test_of_many_parameters_without_effect_hardly_ever_one_is_named() -> None:
    """One in twenty by construction; three standard errors above that in 100 repetitions is 12."""
    rng = np.random.default_rng(6)
    named = 0
    for k in range(100):
        value, chance = evppi(rng.standard_normal((20, 2)), rng.uniform(size=(20, 40)), seed=k)
        named += bool((value > chance).any())
    assert named <= 12


def test_without_a_price_there_are_no_rupiah_and_a_negative_price_is_none() -> None:
    for price in (None, -1e6):
        table, told = asked(rp_each=price)
        assert table["value_rp"].isna().all() and told["rp_each"] is None


def test_few_draws_and_a_single_choice_tell_nothing() -> None:
    table, _ = asked(draws=8)
    assert table["value"].isna().all()
    one = np.ones((20, 1, 1))
    alone, told = measure_first(one, one, range(1, 21), drawn(np.arange(20.0)[:, None], [KEY]), None)
    assert alone.empty and told["choices"] == 1


def test_a_cut_is_no_choice() -> None:
    policies = [load_scenario(name) for name in ("baseline", "cut-20-percent", "one-list")]
    assert choices(policies) == [0, 2]


# ---- the page --------------------------------------------------------------------------------------------------------


@functools.cache
def shown(**changed: Any) -> Comparison:
    """A comparison whose manifest and table say what was found."""
    table, told = asked(**changed)
    made = compared(("baseline", "one-list"))
    draws = int(changed.get("draws", DRAWS))
    return dataclasses.replace(made, manifest=made.manifest | {"information": told, "draws": draws}, information=table)


def text(comparison: Comparison, lang: Lang) -> str:
    return re.sub(r"\\(.)", r"\1", measure_first_page.markdown(comparison, lang))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_names_what_to_measure_with_points_children_and_rupiah(lang: Lang) -> None:
    page = text(shown(), lang)
    assert page.startswith({"en": "## Measure this first", "id": "## Ukur ini lebih dulu"}[lang])
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert len(rows) == 3  # headings, rule, the one that decides
    assert meaning(KEY, lang) in rows[2]
    assert re.search({"en": r"\| 0\.2\d\d \|.*\| Rp .*million", "id": r"\| 0,2\d\d \|.*\| Rp .*juta"}[lang], rows[2])
    assert text(shown(), lang) in re.sub(r"\\(.)", r"\1", sheets(shown(), lang))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_page_one_says_to_measure_it_only_where_it_could_change_the_choice(lang: Lang) -> None:
    first, same = (
        " ".join(line.text for line in front(each, lang).parts[-1].lines) for each in (shown(), shown(moves=0.5))
    )
    assert {"en": "could change the choice", "id": "dapat mengubah pilihan"}[lang] in first
    assert {"en": "The choice is the same under every value", "id": "Pilihannya sama pada semua nilai"}[lang] in same
    assert {"en": "easure it first", "id": "kur ini lebih dulu"}[lang] not in same


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"draws": 8}, "at least 16 are needed"), ({"moves": 0.5}, "Nothing that was varied changes the choice")],
)
def test_one_plain_line_says_why_there_is_nothing_to_measure(changed: dict[str, Any], said: str) -> None:
    page = text(shown(**changed), "en")
    assert said in page and "|" not in page


def test_without_draws_it_says_that_nothing_was_varied() -> None:
    assert "was not varied in this comparison" in text(compared(("baseline", "one-list"), draws=0), "en")
