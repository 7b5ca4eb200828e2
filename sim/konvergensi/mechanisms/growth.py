"""Growth: a mean curve by age, lasting differences, a personal deviation that settles, and gains from services.

True length-for-age of child i at age a:

    z = mean(a) + scale(a) * lasting_i + deviation_i(a) + gain_i

The deviation is a stationary AR(1) whose month-to-month correlation exp(-k exp(-a / A)) rises to one, so it is redrawn
mostly in the first year and then stays. Gains are z-shifts per month of exposure: a full window of exposure at full
adherence adds up to the published effect. Parameters: growth.toml; choices: docs/decisions/0004-growth.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.compiled import compiled
from konvergensi.world.children import FIRST_1000_DAYS, LAST_AGE, PREGNANCY_MONTHS, Children, age_of_rows
from konvergensi.world.draws import Draws, Keys
from konvergensi.world.households import F32, Households, Mask

if TYPE_CHECKING:
    from konvergensi.inputs.parameters import Settings
    from konvergensi.inputs.services import Service

Ends = NDArray[np.int64]
KNOTS = (0, 3, 9, 18, 30, 42, 54)  # ages of growth.mean_laz_*, months; the middles of the SSGI age bands
SETTLED_AGE = 36  # months; from here the deviation moves by less than 0.02 SD a month and is left as it is
TREND_BASE_YEAR = 2018  # births of this year have no rise
DAMPED_AFTER = 3.5  # years after the middle of TREND_BASE_YEAR: births from 2022 on, as old in 2024 as under-fives are


def mean_curve(settings: Settings) -> F32:
    """Mean LAZ by completed month of age, (60,) float32 z, linear between the knots and flat after the last."""
    values = [settings[f"growth.mean_laz_{age}"] for age in KNOTS]
    return np.interp(np.arange(LAST_AGE + 1), KNOTS, values).astype(np.float32)


def lasting_scale(settings: Settings) -> F32:
    """Share of lasting differences that shows at each age, (60,) float32: part at birth, all at 24 months."""
    born = settings["growth.prenatal_share"]
    age = np.arange(LAST_AGE + 1)
    return (born + (1.0 - born) * np.minimum(age / 24.0, 1.0)).astype(np.float32)


def persistence(settings: Settings) -> F32:
    """Month-to-month correlation of the deviation from age a to a + 1, (60,) float32."""
    age = np.arange(LAST_AGE + 1)
    rate = settings["growth.deviation_k"] * np.exp(-age / settings["growth.deviation_age_scale"])
    return np.exp(-rate).astype(np.float32)


def village_effects(settings: Settings, draws: Draws, village_keys: Keys) -> F32:
    """Lasting difference between villages beyond wealth, (n_villages,) float32 z."""
    return np.float32(settings["growth.village_sd_z"]) * draws.normal("village growth", 0, village_keys)


def trend_years(birth_month: NDArray[np.integer] | float, kept: float) -> NDArray[np.float64]:
    """Birth months as the rise counts them: years since the middle of 2018, from 2022 on each `kept` times the one
    before, as the fit over the country damps trends of under-fives after 2024; float64 of the same shape.
    """
    years = np.asarray(birth_month, float) / 12.0 - TREND_BASE_YEAR - 0.5
    ahead, kept = np.maximum(years - DAMPED_AFTER, 0.0), min(kept, 1.0 - 1e-9)
    return np.minimum(years, DAMPED_AFTER) + kept * (1.0 - kept**ahead) / (1.0 - kept)


def lasting_of_home(children: Children, households: Households, settings: Settings, rows: slice) -> F32:
    """Lasting part of children, z (n,), before the risks of the family at conception and the village are added."""
    years = trend_years(children.birth_month[rows], settings["growth.trend_kept_per_year"]).astype(np.float32)
    sex = np.where(children.male[rows], np.float32(1.0), np.float32(-1.0))
    found: F32 = (
        np.float32(settings["growth.level_shift_z"])
        + np.float32(settings["growth.income_trend_z_per_year"]) * years
        + np.float32(settings["growth.wealth_effect_z"]) * households.wealth[children.household[rows]]
        + np.float32(settings["growth.male_effect_z"]) * sex
    )
    return found


def birth_size(settings: Settings, draws: Draws, key: Keys) -> tuple[F32, F32]:
    """Birth weight (g) and deviation at birth (z) before services and the mother's state, two (n,) float32."""
    size = draws.normal("birth size", 0, key)
    link = settings["growth.birth_weight_length_correlation"]
    own = np.float32(link) * size + np.float32(np.sqrt(1 - link**2)) * draws.normal("birth length", 0, key)
    weight = settings["growth.birth_weight_mean_g"] + np.float32(settings["growth.birth_weight_sd_g"]) * size
    return weight.astype(np.float32), np.float32(settings["growth.deviation_sd"]) * own


def birth_length_z(settings: Settings) -> float:
    """z of length at birth per g of birth weight that a service added."""
    return float(settings["growth.birth_length_of_weight_z_per_100g"]) / 100.0


def give_birth(children: Children, settings: Settings, weight: F32, deviation: F32, rows: slice) -> None:
    """Birth weight and deviation at birth, each (n,), with what services in pregnancy added (in place)."""
    won = children.weight_gain[rows]
    children.birth_weight[rows] = weight + won
    children.deviation[rows] = deviation + np.float32(birth_length_z(settings)) * won


@dataclass(frozen=True, slots=True)
class Curves:
    """How growth goes by completed month of age, (60,) float32 each.

    mean and scale as in the equation above; keep and fresh, what a child that reaches the age keeps of its deviation
    and takes of a new draw; lasts, what remains of earlier gains.
    """

    mean: F32
    scale: F32
    keep: F32
    fresh: F32
    lasts: F32

    @classmethod
    def of(cls, settings: Settings) -> Curves:
        """Those of the settings in force: read as published, what services gained fades past 24 months."""
        before = persistence(settings)
        keep, fresh, lasts = np.ones(LAST_AGE + 1, np.float32), np.zeros(LAST_AGE + 1, np.float32), np.float32(1.0)
        keep[1:], fresh[1:] = before[:-1], np.sqrt(1.0 - before[:-1] ** 2) * np.float32(settings["growth.deviation_sd"])
        if settings["effects.reading"] == "published":
            lasts = np.float32((1.0 - settings["effects.fade_per_year"]) ** (1.0 / 12.0))
        later = np.arange(LAST_AGE + 1) > FIRST_1000_DAYS
        return cls(mean_curve(settings), lasting_scale(settings), keep, fresh, np.where(later, lasts, np.float32(1.0)))


def grow(children: Children, curves: Curves, draws: Draws, month: int, added: F32) -> None:
    """The month's gains, deviations of 1 to 36 months moved on, and the true LAZ of all under-fives (in place).

    added: z from services this month, (n,), of pregnancies and under-fives.
    """
    rows, moving = children.window(month, -PREGNANCY_MONTHS, LAST_AGE), children.window(month, 1, SETTLED_AGE)
    drawn = draws.normal("deviation", month, children.key[moving])
    move_on(
        children.z[rows],
        children.gain[rows],
        children.deviation[rows],
        added,
        children.lasting[rows],
        drawn,
        *(curves.mean, curves.scale, curves.keep, curves.fresh, curves.lasts),
        *children.by_age(month, rows),
    )


def _move_on_in_columns(
    z: F32,
    gain: F32,
    deviation: F32,
    added: F32,
    lasting: F32,
    drawn: F32,
    mean: F32,
    scale: F32,
    keep: F32,
    fresh: F32,
    lasts: F32,
    ends: Ends,
    oldest: int,
) -> None:
    ages = age_of_rows(ends, oldest, len(z))
    gain += added
    born, moving = ages >= 0, (ages > 0) & (ages <= SETTLED_AGE)
    age = ages[born]
    gain[born] *= lasts[age]
    deviation[moving] = deviation[moving] * keep[ages[moving]] + fresh[ages[moving]] * drawn
    z[born] = scale[age] * lasting[born] + mean[age] + deviation[born] + gain[born]


@compiled(_move_on_in_columns)
def move_on(  # type: ignore[no-untyped-def]
    z, gain, deviation, added, lasting, drawn, mean, scale, keep, fresh, lasts, ends, oldest
):  # fmt: skip
    """One month of growth, (n,) in place: gains, the AR(1) of deviations, and of those born the sum of all parts, z.

    drawn: of those whose deviation moves; curves by age, (60,), as `Curves` has them; ages as `Children.by_age` tells.
    """
    start, first = 0, 0
    for each in range(len(ends)):
        age, rows = oldest - each, slice(start, ends[each])
        won, more = gain[rows], added[rows]
        if age < 0:
            for i in range(len(won)):
                won[i] += more[i]
            start = ends[each]
            continue
        left, times, level = lasts[age], scale[age], mean[age]
        true, moved, own = z[rows], deviation[rows], lasting[rows]
        if 0 < age <= SETTLED_AGE:
            old, new, fixed_draws = keep[age], fresh[age], drawn[first : first + len(won)]
            for i in range(len(won)):
                moved[i] = moved[i] * old + new * fixed_draws[i]
            first += len(won)
        for i in range(len(won)):
            won[i] = (won[i] + more[i]) * left
            true[i] = times * own[i] + level + moved[i] + won[i]
        start = ends[each]


# ---- gains from services ---------------------------------------------------------------------------------------------


def months_per_delivery(service: Service) -> int:
    """Months of exposure that one delivery stands for: 1 when given monthly, 3 when quarterly, 6 twice a year."""
    return 12 // len(service.months)


def monthly_shift(service: Service, effect: float, settings: Settings) -> F32:
    """z (or g of birth weight) per month of exposure by age, (69,) float32 for ages -9..59.

    Inside the effect's window the whole effect is spread evenly over its months. After 24 months a service that is
    still received adds growth.after_24_months_share of that; a window that ends earlier ends there.
    """
    window = service.effect
    shift = np.zeros(PREGNANCY_MONTHS + LAST_AGE + 1, np.float32)
    size = effect
    if window.unit == "sd":
        size *= settings["growth.sd_of_published_effects"]
    each = size / (window.to_age - window.from_age + 1)
    shift[PREGNANCY_MONTHS + window.from_age : PREGNANCY_MONTHS + window.to_age + 1] = each
    if window.to_age >= FIRST_1000_DAYS and service.to_age > FIRST_1000_DAYS and window.unit != "g":
        late = each * settings["growth.after_24_months_share"]
        shift[PREGNANCY_MONTHS + FIRST_1000_DAYS + 1 : PREGNANCY_MONTHS + service.to_age + 1] = late
    return shift


# lifetime rules of growth.combination, and how much of every gain but the largest adds to it
LIFETIME = {"substitutes": 0.0, "reinforcing": 2.0}


@dataclass(slots=True)
class Combination:
    """How the monthly shifts of several services combine in one child (growth.combination).

    Every rule is `inverse(sum of forward(shift))`, so services are added one at a time whatever the rule, and one
    service alone gives its own shift back (except under the threshold rule, whose claim is that it does not).
    """

    rule: str
    cap: float
    threshold: int
    below: float
    exponent: float
    together: float = 1.0  # lifetime rules: share of everything but the largest gain that adds to it

    @classmethod
    def of(cls, settings: Settings) -> Combination:
        return cls(
            rule=settings["growth.combination"],
            cap=settings["growth.combination_cap_z"] / 18.0,
            threshold=settings["growth.combination_threshold_services"],
            below=settings["growth.combination_below_threshold_share"],
            exponent=settings["growth.combination_ces_exponent"],
            together=LIFETIME.get(settings["growth.combination"], 1.0),
        )

    @property
    def lifetime(self) -> bool:
        """Whether what a child gained from each service so far decides, and not what meets in one month."""
        return self.rule in LIFETIME

    @property
    def plain(self) -> bool:
        """Whether shifts are simply added up: `forward` leaves them as they are."""
        return not self.lifetime and self.rule not in ("multiplicative", "complementary")

    def added(self, each: F32, gained: F32, best: F32) -> F32:
        """What one service's shift adds to a child under a lifetime rule, (n,); gained and best move on in place.

        Parameters: each (n,) z of this month from this service; gained (n,) z from it so far; best (n,) the largest
        gain from any one service so far. Gains make `best + together * (sum - best)`; a loss counts wholly, so a
        service alone gives its own shift back.
        """
        moved = np.zeros(len(each), np.float32)
        add_gain(np.ones(len(each), bool), each, gained, best, np.float32(self.together), moved)
        return moved

    def forward(self, shift: F32) -> F32:
        """Shift of one service, z per month, to the scale on which services add."""
        if self.rule == "multiplicative":
            return -np.log1p(-np.minimum(shift / self.cap, 0.99)).astype(np.float32)
        if self.rule == "complementary":
            return (np.sign(shift) * np.abs(shift) ** self.exponent).astype(np.float32)
        return shift

    def inverse(self, total: F32, services: NDArray[np.uint8]) -> F32:
        """Combined shift, z per month, from the sum of forward() and the number of growth services received."""
        if self.rule == "multiplicative":
            return (self.cap * -np.expm1(-total)).astype(np.float32)
        if self.rule == "complementary":
            return (np.sign(total) * np.abs(total) ** (1.0 / self.exponent)).astype(np.float32)
        if self.rule == "threshold":
            return np.where(services >= self.threshold, total, np.float32(self.below) * total)
        return total


def _add_gain_in_columns(takes: Mask, each: F32, gained: F32, best: F32, together: np.float32, shift: F32) -> None:
    own = takes * each
    up = np.maximum(own, np.float32(0.0))
    gained += up
    largest = np.maximum(best, gained)
    shift += together * up + (np.float32(1.0) - together) * (largest - best) + np.minimum(own, np.float32(0.0))
    best[:] = largest


@compiled(_add_gain_in_columns)
def add_gain(takes, each, gained, best, together, shift):  # type: ignore[no-untyped-def]
    """`Combination.added` for those who take, (n,) bool: gained, best and shift move on in place."""
    nothing = np.float32(0.0)
    rest = np.float32(1.0) - together
    for i in range(len(takes)):
        if takes[i]:
            up = max(each[i], nothing)
            gained[i] += up
            largest = max(best[i], gained[i])
            shift[i] += together * up + rest * (largest - best[i]) + min(each[i], nothing)
            best[i] = largest


def stunted(z: F32) -> Mask:
    """Length-for-age below -2 z (WHO 2006)."""
    return z < -2.0
