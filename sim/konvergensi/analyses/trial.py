"""A virtual trial: the same children with and without a service, at full adherence, measured at 24 months.

Nothing but growth is at work: no lists, no money, no refusal. So the trial shows what the growth mechanism makes of a
published effect, before delivery and uptake take their share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from konvergensi.base.errors import InputError, unknown_name
from konvergensi.base.version import __version__
from konvergensi.inputs.arguments import public
from konvergensi.inputs.extensions import as_data as extensions_in_force
from konvergensi.inputs.extensions import takes_extensions
from konvergensi.inputs.options import number_faults
from konvergensi.inputs.parameters import Settings
from konvergensi.inputs.services import load_services
from konvergensi.mechanisms import effects, growth
from konvergensi.observe.who import measured_laz
from konvergensi.results.trial import Trial, TrialEstimate
from konvergensi.world.children import PREGNANCY_MONTHS
from konvergensi.world.draws import Draws, entity_keys
from konvergensi.world.households import F32, Mask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from konvergensi.base.words import Lang
    from konvergensi.inputs.services import Service

END_AGE = 24  # months; measured in standing height, as the WHO tables count from 24 months
PAIR_RULES = ("substitutes", "additive", "reinforcing")  # from the least to the most together
FIRST_MONTH = 2018 * 12  # month of conception of the first twelfth of the children; they are spread over a year


@public()
@takes_extensions
def trial(
    services: str | Sequence[str],
    n: int = 20_000,
    seed: int = 1,
    lang: str = "en",
    set: Mapping[str, object] | None = None,
    *,
    extensions: Sequence[str | Path] | str | Path | None = None,
) -> Trial:
    """Try one service, or several together, on the same n children at the national level of growth.

    Parameters: services, an id, "a+b", or ids; n children in each arm; seed of the draws; lang "en" or "id" for
    `lines`; set, parameter values, for instance another growth.combination; extensions, as in `konvergensi.run`.
    Raises InputError for an unknown service or parameter.
    """
    known = load_services()
    ids = services.split("+") if isinstance(services, str) else list(services)
    for name in ids:
        if name not in known:
            raise InputError(unknown_name("", "trial", "service", name, known))
    if twice := [name for name in ids if ids.count(name) > 1]:
        raise InputError(f"trial: {twice[0]} is named twice; name each service once")
    if faults := number_faults({"children": n, "seed": seed}):
        raise InputError(faults)
    settings = Settings.defaults().changed(dict(set or {}), "trial")
    chosen = [known[name] for name in ids]
    with_, without = grow_cohort(chosen, settings, n, seed), grow_cohort([], settings, n, seed)
    laz = TrialEstimate.of_mean(with_.measured - without.measured)
    weight = TrialEstimate.of_mean(with_.birth_weight - without.birth_weight)
    ratio = _ratio(with_.measured < -2.0, without.measured < -2.0)
    published = published_laz(chosen[0], settings) if len(chosen) == 1 else None
    manifest = {
        "version": __version__,
        "extensions": extensions_in_force(),
        "services": ids,
        "children": n,
        "seed": seed,
        "set": dict(set or {}),
        "effects": {each.id: effect_shown(each) for each in chosen},
        "command": "konvergensi.trial",
    }
    combined = _by_combination(chosen, settings, n, seed, without) if len(chosen) > 1 else {}
    return Trial(tuple(ids), laz, ratio, weight, published, manifest, cast("Lang", lang), combined)


def _by_combination(
    chosen: Sequence[Service], settings: Settings, n: int, seed: int, without: Cohort
) -> dict[str, TrialEstimate]:
    """LAZ effect of the services together under each rule of combination that a trial of a pair could tell apart."""
    found = {}
    for rule in PAIR_RULES:
        other = grow_cohort(chosen, settings.changed({"growth.combination": rule}), n, seed)
        found[rule] = TrialEstimate.of_mean(other.measured - without.measured)
    return found


@dataclass(frozen=True)
class Cohort:
    """Children at 24 months, (n,): true and measured LAZ, and birth weight in g."""

    true: F32
    measured: F32
    birth_weight: F32


def grow_cohort(chosen: Sequence[Service], settings: Settings, n: int, seed: int) -> Cohort:
    """Grow n children from conception to 24 months under the chosen services at full adherence."""
    draws = Draws(seed)
    key = entity_keys("trial child", np.arange(n))
    male = draws.uniform("sex", 0, key) < settings["population.male_birth_share"]
    spread = np.hypot(settings["growth.wealth_effect_z"], settings["growth.village_sd_z"])
    lasting = np.float32(spread) * draws.normal("lasting", 0, key)
    lasting += np.where(male, 1.0, -1.0).astype(np.float32) * np.float32(settings["growth.male_effect_z"])
    combination = growth.Combination.of(settings)
    arms = [_Given(service, settings, n) for service in chosen]
    best = np.zeros(n, np.float32)
    conceived = FIRST_MONTH + np.arange(n) % 12  # spread over the year, for services given in some months only
    weight_gain, gain = np.zeros(n, np.float32), np.zeros(n, np.float32)
    keep = growth.persistence(settings)
    sd = np.float32(settings["growth.deviation_sd"])
    deviation = birth_weight = np.zeros(n, np.float32)
    for age in range(-PREGNANCY_MONTHS, END_AGE + 1):
        if age == 0:
            size, own = growth.birth_size(settings, draws, key)
            birth_weight = size + weight_gain
            deviation = own + np.float32(growth.birth_length_z(settings)) * weight_gain
        elif age > 0:
            fresh = np.sqrt(1.0 - keep[age - 1] ** 2) * sd
            deviation = keep[age - 1] * deviation + fresh * draws.normal("deviation", age, key)
        if age == END_AGE:
            break
        shift, count = np.zeros(n, np.float32), np.zeros(n, np.uint8)
        for given in arms:
            calendar_month = (conceived + age + PREGNANCY_MONTHS) % 12 + 1
            each = given.month(age, np.isin(calendar_month, given.service.months))
            if given.service.act.at_birth:
                weight_gain += each
            elif combination.lifetime:
                shift += combination.added(each, given.gained, best)
            else:
                shift += combination.forward(each)
                count += each != 0
        gain += combination.inverse(shift, count)
    z = growth.mean_curve(settings)[END_AGE] + lasting + deviation + gain
    arm = "with" if chosen else "without"  # each arm is measured with its own errors, as in a trial
    error = draws.normal(f"trial measurement {arm}", 0, key)
    measured = measured_laz(
        z, (~male).view(np.int8), np.full(n, END_AGE), error, settings["measurement.survey_error_cm"]
    )
    return Cohort(z, measured, birth_weight)


class _Given:
    """One service in a trial: what each month of it adds to every child, delivered as its trial delivered it."""

    def __init__(self, service: Service, settings: Settings, n: int) -> None:
        self.service = service
        self.works = service.place.built  # what is built stays: a month is a month of use
        self.by_dose = effects.by_dose(settings) and not self.works
        self.taken, self.gained = np.zeros(n, np.intp), np.zeros(n, np.float32)
        if self.by_dose:
            self.by_age = effects.size_by_age(service, settings)
            self.steps = effects.dose_steps(service, settings, quality=1.0)
        else:
            self.by_age = growth.monthly_shift(service, settings[f"services.{service.id}.effect"], settings)
            self.times = 1 if self.works else growth.months_per_delivery(service)

    def month(self, age: int, given: Mask) -> F32:
        """z (or g) of this month, (n,): given (n,), whose delivery falls into it."""
        now = self.by_age[age + PREGNANCY_MONTHS]
        if not self.by_dose:
            return (now * self.times * (given | self.works)).astype(np.float32)
        here = given if now != 0.0 else np.zeros_like(given)
        found = (now * self.steps[self.taken] * here).astype(np.float32)
        self.taken += here
        return found


def effect_shown(service: Service) -> dict[str, Any]:
    """What was published of a service's effect, as the manifest of a trial holds it."""
    effect, laz = service.effect, service.laz_24
    names = ("value", "low", "high", "unit", "grade", "source")
    return {name: getattr(effect, name) for name in names} | {
        "acts_on": service.acts_on,
        "laz_24": None if laz is None else {name: getattr(laz, name) for name in names if name != "unit"},
        "other_evidence": [each.text for each in service.other_evidence],
    }


def published_laz(service: Service, settings: Settings) -> TrialEstimate | None:
    """The published effect on length at 24 months in z, with its interval; None where none was published."""
    if service.laz_24 is not None:
        return TrialEstimate(service.laz_24.value, service.laz_24.low, service.laz_24.high)
    effect = service.effect
    if effect.unit == "g" or effect.low is None or effect.high is None:
        return None
    size = settings["growth.sd_of_published_effects"] if effect.unit == "sd" else 1.0
    return TrialEstimate(size * effect.value, size * effect.low, size * effect.high)


def _ratio(with_: np.ndarray, without: np.ndarray) -> TrialEstimate:
    """Ratio of two shares of the same children, 95 % interval by linearisation on the log scale."""
    p1, p0 = float(with_.mean()), float(without.mean())
    if p1 == 0 or p0 == 0:
        return TrialEstimate(p1 / p0 if p0 else np.nan, np.nan, np.nan)
    influence = with_ / p1 - without / p0
    half = 1.96 * float(influence.std(ddof=1)) / np.sqrt(len(with_))
    return TrialEstimate(p1 / p0, p1 / p0 * np.exp(-half), p1 / p0 * np.exp(half))
