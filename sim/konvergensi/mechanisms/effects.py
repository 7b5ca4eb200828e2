"""Effects: what a month of taking a service up adds to a child, as its agency delivers it, and how services combine.

All follow from the settings and from what agencies understand; they are worked out when asked for and kept in
`World.derived` until either changes. Parameters: effects.toml, growth.toml; choices: docs/decisions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from konvergensi.mechanisms import growth
from konvergensi.mechanisms.programme_month import AT_BIRTH, LIFETIME, NOTHING, PLAIN
from konvergensi.world.children import LAST_AGE, PREGNANCY_MONTHS, age_of_rows

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
        known[key] = _shift(world, service_row) * np.float32(shares(world)[programme_row])
    found: F32 = known[key]
    return found


def gains(world: World, service_row: int, programme_row: int) -> Mask:
    """Ages, -9..59, at which taking up service s from programme p adds to length, (69,) bool."""
    key = ("gains", service_row, shares(world)[programme_row] > 0.0)
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


def shares(world: World) -> list[float]:
    """What is left of a published effect for who takes a service up from each programme.

    Read as published, only what the trial did not contain is taken off: quality of delivery against the trial's (at
    most 1), and adherence where the estimate is for those who comply. Money is money.
    """
    known = _of_quality(world)
    if "shares" not in known:
        in_money, kept, _ = _of_programmes(world)
        quality = qualities(world)[world.programmes.opd]
        quality[in_money] = 1.0  # everything else can be done well or badly
        if world.settings["effects.reading"] != "discounted":
            quality = np.minimum(quality, 1.0)
        known["shares"] = (quality * kept).tolist()
    found: list[float] = known["shares"]
    return found


def _of_programmes(world: World) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Of each programme, (n_programmes,): whether it pays in money, the share of its effect that adherence leaves, and
    `whole_dose`; worked out once.
    """
    if "effects of programmes" not in world.derived:
        of, settings = [world.services[s] for s in world.programmes.service.tolist()], world.settings
        adherence, all_ = float(settings["uptake.adherence_share"]), settings["effects.reading"] == "discounted"
        complied = [all_ or (each.trial is not None and each.trial.kind == "efficacy") for each in of]
        world.derived["effects of programmes"] = (
            np.array([each.place.in_money for each in of], bool),
            np.where(complied, adherence, 1.0),
            np.array([whole_dose(each) for each in of]),
        )
    found: tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]] = world.derived["effects of programmes"]
    return found


def quality_of(world: World, i: int) -> float:
    """Quality of what agency i delivers, worked out once."""
    return float(qualities(world)[i])


def qualities(world: World) -> NDArray[np.float64]:
    """Quality of what agencies deliver, (n_opd,), worked out once."""
    known = _of_quality(world)
    if "quality" not in known:
        known["quality"] = np.array([opd.quality(world.settings) for opd in world.opds])
    found: NDArray[np.float64] = known["quality"]
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
    deliveries taken before, (MOST,).

    Linear: an even part of the effect for each month of its window. Otherwise what the dose-response gives for one
    delivery more than those taken before.
    """
    service = world.services[service_row]
    if by_dose(world.settings):
        return (size(world, service_row) if _has_size(world, service_row) else None), steps_of_all(world)[programme_row]
    whole = monthly(world, service_row, programme_row) * growth.months_per_delivery(service)
    return (whole if whole.any() else None), steps_of_all(world)[programme_row]


class Doses(NamedTuple):
    """How a delivery adds to a child, as `programme_month.add_doses` asks; its steps stand in `steps_of_all`."""

    kind: int
    whole: F32
    share: np.float32


NO_DOSES = Doses(NOTHING, np.zeros(PREGNANCY_MONTHS + LAST_AGE + 1, np.float32), np.float32(1.0))


def doses(world: World) -> list[Doses | None]:
    """How deliveries of each programme add up; None where each child's has to be worked out by itself."""
    if by_dose(world.settings):  # quality moves the steps alone
        return _by_service(world)
    known = _of_quality(world)
    if "doses" not in known:
        of = enumerate(world.programmes.service.tolist())
        known["doses"] = [_doses(world, s, by_age_and_dose(world, s, p)[0]) for p, s in of]
    found: list[Doses | None] = known["doses"]
    return found


def _by_service(world: World) -> list[Doses | None]:
    """`doses` by dose, worked out once: the whole size of each programme's service."""
    if "doses of services" not in world.derived:
        of = world.programmes.service.tolist()
        sizes = (size(world, s) if _has_size(world, s) else None for s in of)
        world.derived["doses of services"] = [_doses(world, s, whole) for s, whole in zip(of, sizes, strict=True)]
    found: list[Doses | None] = world.derived["doses of services"]
    return found


def tables(world: World) -> tuple[NDArray[np.int64], F32, Mask]:
    """`doses` of all programmes and their `gains`, as compiled code takes them: kind, (n_programmes,), whole and gains,
    (n_programmes, 69). Not for structures in which each child's has to be worked out by itself.
    """
    known = _of_quality(world)
    if "tables" not in known:
        kinds, whole = _doses_in_columns(world)
        known["tables"] = kinds, whole, _at_ages_of_gain(world) & (np.array(shares(world)) > 0.0)[:, None]
    found: tuple[NDArray[np.int64], F32, Mask] = known["tables"]
    return found


def _doses_in_columns(world: World) -> tuple[NDArray[np.int64], F32]:
    """Kind and whole of `doses`, worked out once where quality moves the steps alone."""
    known = world.derived if by_dose(world.settings) else _of_quality(world)
    if "doses in columns" not in known:
        of = [NO_DOSES if each is None else each for each in doses(world)]
        known["doses in columns"] = (
            np.array([each.kind for each in of], np.int64),
            np.array([each.whole for each in of]),
        )
    found: tuple[NDArray[np.int64], F32] = known["doses in columns"]
    return found


def _at_ages_of_gain(world: World) -> Mask:
    """Ages at which each programme's service adds to length at all, (n_programmes, 69); worked out once."""
    if "ages of gain" not in world.derived:
        of = world.programmes.service.tolist()
        world.derived["ages of gain"] = np.array([_shift(world, s) > 0.0 for s in of])
    found: Mask = world.derived["ages of gain"]
    return found


def taught(world: World) -> F32:
    """What a visit of each programme adds to what caregivers know, (n_programmes,)."""
    known = _of_quality(world)
    if "taught" not in known:
        quality = qualities(world)[world.programmes.opd]
        known["taught"] = (quality * world.settings["uptake.knowledge_gain_per_visit"]).astype(np.float32)
    found: F32 = known["taught"]
    return found


def one_by_one(world: World) -> bool:
    """Whether what a delivery adds has to be worked out for each child by itself."""
    combined = combination(world)
    return world.settings["effects.heterogeneity"] != "none" or not (combined.lifetime or combined.plain)


def _doses(world: World, service_row: int, whole: F32 | None) -> Doses | None:
    service, combined = world.services[service_row], combination(world)
    if whole is None or service.place.built:  # works act while they are used, and not when they are handed over
        return NO_DOSES
    if world.settings["effects.heterogeneity"] != "none":
        return None
    if service.act.at_birth:
        return NO_DOSES._replace(kind=AT_BIRTH, whole=whole)
    if one_by_one(world):
        return None
    kind = LIFETIME if combined.lifetime else PLAIN
    return NO_DOSES._replace(kind=kind, whole=whole, share=np.float32(combined.together))


def add_one_by_one(world: World, service_row: int, rows: slice, takes: Mask, needy: Mask, each: F32) -> None:
    """Add what was worked out for each child of `rows`, (n,) z or g, to those who take a delivery (in place)."""
    if world.services[service_row].act.at_birth:
        world.children.weight_gain[rows] += (takes & needy if len(needy) else takes) * each
    else:
        add_shift(world, service_row, rows, takes, each)


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
    steps: F32 = _steps(settings, np.array([quality / whole_dose(service)]))[0]
    return steps


def _steps(settings: Settings, part: NDArray[np.float64]) -> F32:
    """Steps of deliveries each of which is a part, (n,), of the trial's dose; (n, MOST)."""
    dose = DELIVERIES * part.astype(np.float32)[:, None]
    share = response(settings["effects.dose_response"], dose, settings["effects.saturation"])
    return share[:, 1:] - share[:, :-1]


def whole_dose(service: Service) -> float:
    """Deliveries that make the trial's dose; without a trial, one for each month of the effect's window."""
    trial = service.trial
    window = service.effect.to_age - service.effect.from_age + 1
    return float(trial.doses * trial.delivered_share if trial else window)


def steps_of_all(world: World) -> F32:
    """`dose_steps` of every programme, (n_programmes, MOST), worked out once; linear: each delivery adds the same."""
    known = _of_quality(world)
    if "steps" not in known:
        if by_dose(world.settings):
            known["steps"] = _steps(world.settings, np.array(shares(world)) / _of_programmes(world)[2])
        else:
            known["steps"] = np.ones((len(world.programmes), MOST), np.float32)
    found: F32 = known["steps"]
    return found


def at_dose(whole: F32, ends: Ends, oldest: int, steps: F32, taken: U8) -> F32:
    """What the next delivery adds to each child, (n,): whole (69,) by age, steps (MOST,) by those taken before.

    Ages as `Children.by_age` tells them.
    """
    return whole[age_of_rows(ends, oldest, len(taken)) + PREGNANCY_MONTHS] * steps[taken]


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
