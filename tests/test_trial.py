import numpy as np
import pytest

import konvergensi as kv
from konvergensi.analyses.trial import TrialEstimate, grow_cohort, published_laz, trial
from konvergensi.base.errors import InputError
from konvergensi.inputs.parameters import Settings
from konvergensi.inputs.services import load_services

SERVICES = load_services()
SETTINGS = Settings.defaults()
N = 20_000
NULL = ("mms", "wash-water", "wash-latrine", "vitamin-a")


@pytest.mark.parametrize("name", ["sq-lns", "pmba", "pmt-child", *NULL])
def test_a_trial_returns_the_published_effect(name: str) -> None:
    found = trial(name)
    assert found.published is not None
    assert found.published.low <= found.laz.value <= found.published.high
    if name not in NULL:
        assert found.laz.value == pytest.approx(found.published.value, abs=0.02)
        assert found.laz.low > 0
        assert found.ratio.high < 1
    assert not any("OUTSIDE" in line for line in found.lines)


@pytest.mark.parametrize("name", NULL)
def test_a_null_service_shows_nothing_worth_telling(name: str) -> None:
    found = trial(name)
    assert abs(found.laz.value) < 0.03
    assert found.ratio.value == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_can_be_tried_and_says_where_its_figure_is_from(name: str) -> None:
    found = trial(name, n=1000)
    assert found.lines[0].startswith(f"{name}: LAZ ")
    assert "at 24 months" in found.lines[0]
    assert any(SERVICES[name].effect.source in line for line in found.lines)
    assert str(found) == "\n".join(found.lines)


def test_additive_effects_of_two_services_add() -> None:
    one, other, both = (trial(name).laz for name in ("pmba", "sq-lns", "pmba+sq-lns"))
    noise = np.sqrt(sum(((each.high - each.low) / 3.92) ** 2 for each in (one, other, both)))
    assert both.value == pytest.approx(one.value + other.value, abs=4 * noise)


@pytest.mark.parametrize(("rule", "sign"), [("multiplicative", -1), ("complementary", +1), ("threshold", -1)])
def test_other_rules_of_combination_show_in_the_trial_of_two(rule: str, sign: int) -> None:
    changes = {"growth.combination": rule, "growth.combination_threshold_services": 3}
    added, combined = (trial("pmba+sq-lns", set=each).laz.value for each in ({}, changes))
    assert np.sign(combined - added) == sign


def test_the_order_of_two_services_does_not_matter() -> None:
    assert trial("pmba+sq-lns", n=2000).laz == trial(["sq-lns", "pmba"], n=2000).laz


def test_a_supplement_in_pregnancy_returns_its_grams() -> None:
    for name in ("mms", "ttd-bumil", "pmt-bumil"):
        effect = SERVICES[name].effect
        assert trial(name).birth_weight.value == pytest.approx(effect.value, rel=0.02)


def test_a_service_given_in_some_months_adds_up_over_children_born_through_the_year() -> None:
    """Vitamin A comes in February and August only; whenever a child is born, three doses stand for 18 months."""
    found = trial("vitamin-a", set={"services.vitamin-a.effect": 0.05})
    assert found.laz.value == pytest.approx(0.05 * SETTINGS["growth.sd_of_published_effects"], abs=0.015)


def test_the_trial_is_the_same_children_with_and_without() -> None:
    with_, without = grow_cohort([SERVICES["pmba"]], SETTINGS, N, 1), grow_cohort([], SETTINGS, N, 1)
    gained = with_.true - without.true
    assert gained.min() > 0
    assert gained.std() < 1e-4  # everybody gains the same: what differs is chance, and chance is shared
    assert np.corrcoef(with_.true, without.true)[0, 1] > 0.9999


def test_the_interval_narrows_with_more_children() -> None:
    few, many = trial("pmba", n=1000).laz, trial("pmba", n=16_000).laz
    assert (few.high - few.low) == pytest.approx(4 * (many.high - many.low), rel=0.1)


def test_seeds_differ_and_a_seed_returns() -> None:
    assert trial("pmba", n=2000, seed=1).laz == trial("pmba", n=2000, seed=1).laz
    assert trial("pmba", n=2000, seed=1).laz != trial("pmba", n=2000, seed=2).laz


def test_a_bigger_effect_gives_a_bigger_gain() -> None:
    low, high = (trial("pmba", set={"services.pmba.effect": value}).laz.value for value in (0.09, 0.36))
    assert high > low > 0


def test_published_figures_in_sd_are_turned_into_z() -> None:
    published = published_laz(SERVICES["pmba"], SETTINGS)
    assert published is not None
    unit = SETTINGS["growth.sd_of_published_effects"]
    assert published.value == pytest.approx(0.23 * unit)
    assert (published.low, published.high) == pytest.approx((0.09 * unit, 0.36 * unit))


def test_two_services_together_have_no_published_effect() -> None:
    assert trial("pmba+sq-lns", n=1000).published is None


def test_it_speaks_indonesian() -> None:
    found = trial("pmba", n=1000, lang="id")
    assert "rasio prevalensi" in found.lines[0]
    assert "umur 24 bulan" in found.lines[0]


@pytest.mark.parametrize(("given", "near"), [("pmbaa", "pmba"), ("pmba+sqlns", "sq-lns"), ("", "service")])
def test_an_unknown_service_is_refused_with_the_nearest(given: str, near: str) -> None:
    with pytest.raises(InputError, match=near):
        trial(given, n=1000)


def test_a_bad_value_is_refused_by_key() -> None:
    with pytest.raises(InputError, match=r"services\.pmba\.effect"):
        trial("pmba", n=1000, set={"services.pmba.effect": 3.0})


@pytest.mark.parametrize("n", [0, 1, -5])
def test_a_trial_of_nobody_is_refused(n: int) -> None:
    with pytest.raises(InputError, match="children"):
        trial("pmba", n=n)


def test_the_mean_of_a_constant_has_no_width() -> None:
    each = np.full(100, 0.25, np.float32)
    assert TrialEstimate.of_mean(each) == TrialEstimate(0.25, 0.25, 0.25)


def test_it_is_part_of_the_package() -> None:
    assert kv.trial is trial
