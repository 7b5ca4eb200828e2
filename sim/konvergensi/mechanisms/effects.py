"""Effects: what a month of taking a service up adds to a child, as its agency delivers it, and how services combine.

All follow from the settings and from what agencies understand; they are worked out when asked for and kept in
`World.derived` until either changes. Parameters: effects.toml, growth.toml; choices: docs/decisions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.compiled import compiled
from konvergensi.mechanisms import growth
from konvergensi.world.children import PREGNANCY_MONTHS, age_of_rows

if TYPE_CHECKING:
    from konvergensi.inputs.parameters import Settings
    from konvergensi.inputs.services import Service
    from konvergensi.world.households import F32, Mask
    from konvergensi.world.state import World

U8 = NDArray[np.uint8]
Ends = NDArray[np.int64]
MOST = 128  # deliveries that are counted; no course is as long
DELIVERIES = np.arange(MOST + 1, dtype=np.float32)
COUNSELLING = ("home-visit", "class")


def monthly(world: World, s: int, p: int) -> F32:
    """z (or g of birth weight) per month of taking up service s from programme p, by age, (69,) float32.

    Under a dose-response other than linear this is the effect of one delivery if it were the first: see `dose_share`.
    """
    key = ("effect", s, p)
    if key not in world.derived:
        world.derived[key] = _shift(world, s) * np.float32(delivered_share(world, s, p))
    found: F32 = world.derived[key]
    return found


def _shift(world: World, s: int) -> F32:
    """`growth.monthly_shift` of service s under the settings in force, worked out once."""
    key = ("shift", s)
    if key not in world.derived:
        service, settings = world.services[s], world.settings
        world.derived[key] = growth.monthly_shift(service, settings[f"services.{service.id}.effect"], settings)
    found: F32 = world.derived[key]
    return found


def size(world: World, s: int) -> F32:
    """`size_by_age` of service s under the settings in force, worked out once."""
    key = ("size", s)
    if key not in world.derived:
        world.derived[key] = size_by_age(world.services[s], world.settings)
    found: F32 = world.derived[key]
    return found


def delivered_share(world: World, s: int, p: int) -> float:
    """What is left of a published effect for who takes the service up from programme p.

    Read as published, only what the trial did not contain is taken off: quality of delivery against the trial's (at
    most 1), and adherence where the estimate is for those who comply. Money is money.
    """
    service, settings = world.services[s], world.settings
    quality = 1.0
    if not service.place.in_money:  # money is money; everything else can be done well or badly
        quality = quality_of(world, int(world.programmes.opd[p]))
    adherence = float(settings["uptake.adherence_share"])
    if settings["effects.reading"] == "discounted":
        return quality * adherence
    kind = service.trial.kind if service.trial else "assumed"
    return min(quality, 1.0) * (adherence if kind == "efficacy" else 1.0)


def quality_of(world: World, i: int) -> float:
    """Quality of what agency i delivers, worked out once."""
    key = ("quality", i)
    if key not in world.derived:
        world.derived[key] = world.opds[i].quality(world.settings)
    found: float = world.derived[key]
    return found


def forget_quality(world: World) -> None:
    """What agencies deliver follows what they understand now: effects are worked out again."""
    for key in [key for key in world.derived if isinstance(key, tuple) and key[0] in ("effect", "dose", "quality")]:
        del world.derived[key]


def of_delivery(world: World, s: int, p: int, rows: slice) -> F32 | None:
    """z (or g) that one delivery of service s from programme p adds to each of `rows` that takes it, or None."""
    whole, steps = by_age_and_dose(world, s, p)
    if whole is None:
        return None
    found = at_dose(whole, *world.children.by_age(world.month, rows), steps, world.book.taken[s][rows])
    if world.settings["effects.heterogeneity"] != "none":
        found = found * in_whom(world, world.services[s], rows)
    return found


def by_age_and_dose(world: World, s: int, p: int) -> tuple[F32 | None, F32]:
    """What a delivery of service s from programme p brings by age, (69,), or None for nothing; times a share by
    deliveries taken before, (MOST,). Worked out once.

    Linear: an even part of the effect for each month of its window. Otherwise what the dose-response gives for one
    delivery more than those taken before.
    """
    key = ("dose", s, p)
    if key not in world.derived:
        service, settings = world.services[s], world.settings
        if by_dose(settings):
            whole, steps = size(world, s), dose_steps(service, settings, delivered_share(world, s, p))
        else:
            whole, steps = monthly(world, s, p) * growth.months_per_delivery(service), np.ones(MOST, np.float32)
        world.derived[key] = (whole if whole.any() else None, steps)
    found: tuple[F32 | None, F32] = world.derived[key]
    return found


def add_deliveries(world: World, s: int, p: int, rows: slice, takes: Mask) -> None:
    """Add what one delivery of service s from programme p brings to those of `rows` who take it (in place)."""
    combined, children = combination(world), world.children
    if not combined.lifetime or world.settings["effects.heterogeneity"] != "none":
        if (each := of_delivery(world, s, p, rows)) is not None:
            add_shift(world, s, rows, takes, each)
        return
    whole, steps = by_age_and_dose(world, s, p)
    if whole is not None:
        taken, gained, best = world.book.taken[s][rows], world.book.gained[s][rows], children.best[rows]
        together, shift = np.float32(combined.together), world.month_shift[rows]
        ages = children.by_age(world.month, rows)
        add_doses(takes, whole, *ages, steps, taken, gained, best, together, shift)
        world.month_services[rows] += takes


def add_shift(world: World, s: int, rows: slice, takes: Mask, each: F32) -> None:
    """Add what service s brings this month to those who take it, z by row, (n,) (in place)."""
    combined = combination(world)
    if combined.lifetime:
        gained, best = world.book.gained[s][rows], world.children.best[rows]
        growth.add_gain(takes, each, gained, best, np.float32(combined.together), world.month_shift[rows])
    else:
        world.month_shift[rows] += takes * combined.forward(each)
    world.month_services[rows] += takes


def in_whom(world: World, service: Service, rows: slice) -> F32:
    """How much larger the effect is in each child than in the middle one, (n,) float32."""
    settings, children = world.settings, world.children
    if settings["effects.heterogeneity"] == "deficit":
        z = children.lasting[rows] - np.float32(settings["growth.level_shift_z"]) + children.deviation[rows]
        return np.clip(1.0 - np.float32(settings["effects.deficit_slope"]) * z, 0.2, 3.0).astype(np.float32)
    other = np.float32(settings["effects.food_other_share"])
    short = world.households.food_insecure[children.household[rows]]
    if service.uptake == "food" and service.contact not in COUNSELLING:
        return np.where(short, np.float32(1.0), other)
    if service.contact in COUNSELLING:
        return np.where(short, other, np.float32(1.0))
    return np.ones(len(short), np.float32)


def by_row(world: World, rows: slice, by_age: F32) -> F32:
    """Values by age (69,), for ages -9..59, as one value per row, (n,)."""
    return by_age[world.children.ages(world.month, rows) + PREGNANCY_MONTHS]


# ---- dose ------------------------------------------------------------------------------------------------------------


def response(rule: str, dose: F32, saturation: float) -> F32:
    """Share of the whole effect at a dose, (n,) of the trial's dose, under a rule of `effects.dose_response`."""
    part = np.minimum(dose, 1.0)
    if rule == "saturating":
        return (np.expm1(-saturation * part) / np.expm1(-saturation)).astype(np.float32)
    if rule == "threshold":
        return np.where(part < 0.5, 0.0, 2.0 * part - 1.0).astype(np.float32)
    return part.astype(np.float32)


def dose_steps(service: Service, settings: Settings, quality: float) -> F32:
    """Share of the whole effect that each next delivery adds, (MOST,), given deliveries taken before.

    quality: of delivery against the trial's; it counts inside the dose, once, so that many poor deliveries can make
    one good dose.
    """
    trial = service.trial
    window = service.effect.to_age - service.effect.from_age + 1
    whole = trial.doses * trial.delivered_share if trial else float(window)
    dose = DELIVERIES * np.float32(quality / whole)
    share = response(settings["effects.dose_response"], dose, settings["effects.saturation"])
    return share[1:] - share[:-1]


def at_dose(whole: F32, ends: Ends, oldest: int, steps: F32, taken: U8) -> F32:
    """What the next delivery adds to each child, (n,): whole (69,) by age, steps (MOST,) by those taken before.

    Ages as `Children.by_age` tells them.
    """
    return whole[age_of_rows(ends, oldest, len(taken)) + PREGNANCY_MONTHS] * steps[taken]


def _add_doses_in_columns(
    takes: Mask,
    whole: F32,
    ends: Ends,
    oldest: int,
    steps: F32,
    taken: U8,
    gained: F32,
    best: F32,
    together: np.float32,
    shift: F32,
) -> None:
    growth.add_gain(takes, at_dose(whole, ends, oldest, steps, taken), gained, best, together, shift)


@compiled(_add_doses_in_columns)
def add_doses(takes, whole, ends, oldest, steps, taken, gained, best, together, shift):  # type: ignore[no-untyped-def]
    """`growth.add_gain` of what `at_dose` says, in one pass over those who take."""
    nothing = np.float32(0.0)
    rest = np.float32(1.0) - together
    at, start = np.empty(len(takes), np.int32), 0
    for age in range(len(ends)):
        by_age = whole[oldest - age + PREGNANCY_MONTHS]
        part, m = takes[start : ends[age]], 0
        for i in range(len(part)):  # first who, then what: no branch to guess
            at[m] = start + i
            m += part[i]
        for k in range(m):
            i = at[k]
            each = by_age * steps[taken[i]]
            up = max(each, nothing)
            gained[i] += up
            largest = max(best[i], gained[i])
            shift[i] += together * up + rest * (largest - best[i]) + min(each, nothing)
            best[i] = largest
        start = ends[age]


def by_dose(settings: Settings) -> bool:
    """Whether what a delivery adds depends on those taken before."""
    return bool(settings["effects.dose_response"] != "linear")


def size_by_age(service: Service, settings: Settings) -> F32:
    """The whole effect by age at which a delivery counts, (69,) float32: nothing outside its window."""
    each = growth.monthly_shift(service, settings[f"services.{service.id}.effect"], settings)
    months = service.effect.to_age - service.effect.from_age + 1
    return (each * months).astype(np.float32)


def combination(world: World) -> growth.Combination:
    """How services of one month combine."""
    if "combination" not in world.derived:
        world.derived["combination"] = growth.Combination.of(world.settings)
    found: growth.Combination = world.derived["combination"]
    return found
