"""Effects: what a month of taking a service up adds to a child, as its agency delivers it, and how services combine.

All follow from the settings and from what agencies understand; they are worked out when asked for and kept in
`World.derived` until either changes. Parameters: effects.toml, growth.toml; choices: docs/decisions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.compiled import compiled
from konvergensi.mechanisms import growth
from konvergensi.world.children import PREGNANCY_MONTHS, age_of_rows

if TYPE_CHECKING:
    from collections.abc import Hashable

    from konvergensi.inputs.parameters import Settings
    from konvergensi.inputs.services import Service
    from konvergensi.world.households import F32, Mask
    from konvergensi.world.state import World

U8 = NDArray[np.uint8]
Ends = NDArray[np.int64]
MOST = 128  # deliveries that are counted; no course is as long
DELIVERIES = np.arange(MOST + 1, dtype=np.float32)
COUNSELLING = ("home-visit", "class")


def monthly(world: World, service_row: int, programme_row: int) -> F32:
    """z (or g of birth weight) per month of taking up service s from programme p, by age, (69,) float32.

    Under a dose-response other than linear this is the effect of one delivery if it were the first: see `dose_share`.
    """
    key, known = ("effect", service_row, programme_row), _of_quality(world)
    if key not in known:
        known[key] = _shift(world, service_row) * np.float32(delivered_share(world, service_row, programme_row))
    found: F32 = known[key]
    return found


def gains(world: World, service_row: int, programme_row: int) -> Mask:
    """Ages, -9..59, at which taking up service s from programme p adds to length, (69,) bool."""
    key = ("gains", service_row, delivered_share(world, service_row, programme_row) > 0.0)
    if key not in world.derived:
        world.derived[key] = (_shift(world, service_row) > 0.0) & key[2]
    found: Mask = world.derived[key]
    return found


def _shift(world: World, service_row: int) -> F32:
    """`growth.monthly_shift` of service s under the settings in force, worked out once."""
    key = ("shift", service_row)
    if key not in world.derived:
        service, settings = world.services[service_row], world.settings
        world.derived[key] = growth.monthly_shift(service, settings[f"services.{service.id}.effect"], settings)
    found: F32 = world.derived[key]
    return found


def size(world: World, service_row: int) -> F32:
    """`size_by_age` of service s under the settings in force, worked out once."""
    key = ("size", service_row)
    if key not in world.derived:
        world.derived[key] = size_by_age(world.services[service_row], world.settings)
    found: F32 = world.derived[key]
    return found


def _has_size(world: World, service_row: int) -> bool:
    key = ("has size", service_row)
    if key not in world.derived:
        world.derived[key] = bool(size(world, service_row).any())
    found: bool = world.derived[key]
    return found


def delivered_share(world: World, service_row: int, programme_row: int) -> float:
    """What is left of a published effect for who takes the service up from programme p.

    Read as published, only what the trial did not contain is taken off: quality of delivery against the trial's (at
    most 1), and adherence where the estimate is for those who comply. Money is money.
    """
    key, known = ("share", service_row, programme_row), _of_quality(world)
    if key not in known:
        known[key] = _delivered_share(world, service_row, programme_row)
    found: float = known[key]
    return found


def _delivered_share(world: World, service_row: int, programme_row: int) -> float:
    service, settings = world.services[service_row], world.settings
    quality = 1.0
    if not service.place.in_money:  # money is money; everything else can be done well or badly
        quality = quality_of(world, int(world.programmes.opd[programme_row]))
    adherence = float(settings["uptake.adherence_share"])
    if settings["effects.reading"] == "discounted":
        return quality * adherence
    kind = service.trial.kind if service.trial else "assumed"
    return min(quality, 1.0) * (adherence if kind == "efficacy" else 1.0)


def quality_of(world: World, i: int) -> float:
    """Quality of what agency i delivers, worked out once."""
    key, known = ("quality", i), _of_quality(world)
    if key not in known:
        known[key] = world.opds[i].quality(world.settings)
    found: float = known[key]
    return found


def _of_quality(world: World) -> dict[Hashable, Any]:
    """What follows from how well agencies deliver, until they understand more or less."""
    found: dict[Hashable, Any] = world.derived.setdefault("of quality", {})
    return found


def forget_quality(world: World) -> None:
    """What agencies deliver follows what they understand now: effects are worked out again."""
    _of_quality(world).clear()


def of_delivery(world: World, service_row: int, programme_row: int, rows: slice) -> F32 | None:
    """z (or g) that one delivery of service s from programme p adds to each of `rows` that takes it, or None."""
    whole, steps = by_age_and_dose(world, service_row, programme_row)
    if whole is None:
        return None
    found = at_dose(whole, *world.children.by_age(world.month, rows), steps, world.book.taken[service_row][rows])
    if world.settings["effects.heterogeneity"] != "none":
        found = found * in_whom(world, world.services[service_row], rows)
    return found


def by_age_and_dose(world: World, service_row: int, programme_row: int) -> tuple[F32 | None, F32]:
    """What a delivery of service s from programme p brings by age, (69,), or None for nothing; times a share by
    deliveries taken before, (MOST,). Worked out once.

    Linear: an even part of the effect for each month of its window. Otherwise what the dose-response gives for one
    delivery more than those taken before.
    """
    key, known = ("dose", service_row, programme_row), _of_quality(world)
    if key not in known:
        service, settings = world.services[service_row], world.settings
        if by_dose(settings):
            steps = dose_steps(service, settings, delivered_share(world, service_row, programme_row))
            known[key] = (size(world, service_row) if _has_size(world, service_row) else None, steps)
        else:
            whole = monthly(world, service_row, programme_row) * growth.months_per_delivery(service)
            known[key] = (whole if whole.any() else None, np.ones(MOST, np.float32))
    found: tuple[F32 | None, F32] = known[key]
    return found


def add_deliveries(world: World, service_row: int, programme_row: int, rows: slice, takes: Mask) -> None:
    """Add what one delivery of service s from programme p brings to those of `rows` who take it (in place)."""
    combined, children = combination(world), world.children
    simple = combined.lifetime or combined.plain
    if not simple or world.settings["effects.heterogeneity"] != "none":
        if (each := of_delivery(world, service_row, programme_row, rows)) is not None:
            add_shift(world, service_row, rows, takes, each)
        return
    whole, steps = by_age_and_dose(world, service_row, programme_row)
    if whole is not None:
        taken, gained, best = (
            world.book.taken[service_row][rows],
            world.book.gained[service_row][rows],
            children.best[rows],
        )
        together, shift = np.float32(combined.together), world.month_shift[rows]
        ages = children.by_age(world.month, rows)
        add_doses(takes, whole, *ages, steps, taken, gained, best, together, shift, combined.lifetime)
        services = world.month_services[rows]
        services += takes.view(np.uint8)


def add_shift(world: World, service_row: int, rows: slice, takes: Mask, each: F32) -> None:
    """Add what service s brings this month to those who take it, z by row, (n,) (in place)."""
    combined = combination(world)
    if combined.lifetime:
        gained, best = world.book.gained[service_row][rows], world.children.best[rows]
        growth.add_gain(takes, each, gained, best, np.float32(combined.together), world.month_shift[rows])
    else:
        shift = world.month_shift[rows]
        shift += takes * combined.forward(each)
    services = world.month_services[rows]
    services += takes.view(np.uint8)


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
    return part.astype(np.float32, copy=False)


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
    lifetime: bool,
) -> None:
    each = at_dose(whole, ends, oldest, steps, taken)
    if lifetime:
        growth.add_gain(takes, each, gained, best, together, shift)
    else:
        shift += takes * each


@compiled(_add_doses_in_columns)
def add_doses(takes, whole, ends, oldest, steps, taken, gained, best, together, shift, lifetime):  # type: ignore[no-untyped-def]
    """`growth.add_gain`, or the sum under a rule that is not of a lifetime, of what `at_dose` says for who takes."""
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
            if not lifetime:
                shift[i] += each
                continue
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
