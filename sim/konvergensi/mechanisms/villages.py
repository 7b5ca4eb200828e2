"""The village as an agent: its KPM finds families whom services miss, its council meets, it facilitates sanitation.

A KPM visits as many missed families as training, pay and the village team let it, and finds them by the scorecard or
the by-name list; without either it visits those it thinks of. Part of those visited come. What villages buy is in
mechanisms/village_money.py. Parameters: villages.toml, cascade.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.compiled import compiled
from konvergensi.mechanisms import cascade, shocks, village_money
from konvergensi.world.children import FIRST_1000_DAYS, LAST_AGE, PREGNANCY_MONTHS

if TYPE_CHECKING:
    from konvergensi.inputs.parameters import Settings
    from konvergensi.world.coordination import Column, Flags
    from konvergensi.world.households import F32, Mask
    from konvergensi.world.state import World

VISITS_IN_PREGNANCY = 4  # K4, what the village scorecard counts


# ---- KPM -------------------------------------------------------------------------------------------------------------


def visits(world: World) -> Column:
    """Missed families that each village's KPM can visit this month, full-size village, (n_villages,)."""
    settings, state = world.settings, world.coordination
    effort, _ = cascade.kpm_effort(settings)
    trained = world.villages.fixed_draws["kpm trained"] < settings["villages.kpm_trained_share"]
    able = np.where(trained, 1.0, settings["villages.kpm_untrained_share"])
    backed = np.where(state.tpps_desa, 1.0, settings["villages.kpm_alone_share"])
    open_ = shocks.in_force(settings, "home_contact_share")
    found: Column = state.kpm * (settings["villages.kpm_visits"] * effort * open_) * able * backed
    return found


def knows_missed(world: World) -> Flags:
    """Villages whose KPM knows whom services miss: by the scorecard or by the by-name list, (n_villages,)."""
    share = world.settings["villages.kpm_scorecard_share"]
    found: Flags = world.has_by_name_list | (world.villages.fixed_draws["kpm scorecard"] < share)
    return found


def brought_share(visits: Column, missed: Column, finds: Column, persuaded: float) -> Column:
    """Share of a village's missed families that a month's visits bring, (n_villages,).

    Parameters: visits and missed, families; finds, share of the visits that meet a missed family; persuaded, share of
    those who come. Nobody is visited twice in a month, so it never exceeds finds * persuaded.
    """
    met = np.minimum(visits / np.maximum(missed, 1e-9), 1.0)
    found: Column = np.where(missed > 0.0, met * finds * persuaded, 0.0)
    return found


def bring(world: World) -> None:
    """Bring children who stayed away to the posyandu: KPM who visit, a day that the village pays for (in place).

    Of the under-twos a KPM brings some; of all under-fives come some more where the village pays for more than it did
    at the start. A posyandu that a shock keeps shut stays empty.
    """
    children, settings = world.children, world.settings
    rows = children.window(world.month, 0, LAST_AGE)
    village, attended = children.village[rows], world.attended
    young = children.window(world.month, 0, FIRST_1000_DAYS).start - rows.start
    pull = village_money.day_pull(world)
    missed = away_from(attended[young:], village[young:], len(world.lokus))
    older, younger = 1.0 - (1.0 - pull), _come_share(world, missed, pull)
    if (share := shocks.in_force(settings, "posyandu_open_share")) < 1.0:  # the same draw as in uptake.attend
        open_ = world.draws.uniform("posyandu open", world.month, world.village_keys) < share
        older, younger = older * open_, younger * open_
    draw = world.draws.uniform("brought to posyandu", world.month, children.key[rows])
    world.villages.brought_children = int(come_too(attended, village, young, older, younger, draw))


def _away_from_in_columns(attended: Mask, village: NDArray[np.integer], n_villages: int) -> NDArray[np.int64]:
    return np.bincount(village[~attended], minlength=n_villages)


@compiled(_away_from_in_columns)
def away_from(attended, village, n_villages):  # type: ignore[no-untyped-def]
    """Children of each village who stayed away, (n_villages,); attended and village (n,)."""
    found = np.zeros(n_villages, np.int64)
    for i in range(len(attended)):
        found[village[i]] += not attended[i]
    return found


def _come_too_in_columns(
    attended: Mask, village: NDArray[np.integer], young: int, older: Column, younger: Column, draw: F32
) -> int:
    chance = older[village]
    chance[young:] = younger[village[young:]]
    comes = ~attended & (draw < chance)
    attended |= comes
    return int(np.count_nonzero(comes))


@compiled(_come_too_in_columns)
def come_too(attended, village, young, older, younger, draw):  # type: ignore[no-untyped-def]
    """How many of those away come after all, (n,) in place: by chances of their village, (n_villages,), those of
    `younger` from row `young` on.
    """
    would, came = np.empty(len(attended), np.bool_), 0
    for first, last, chance in ((0, young, older), (young, len(attended), younger)):
        part, place, drawn = would[first:last], village[first:last], draw[first:last]
        for i in range(len(part)):
            part[i] = drawn[i] < chance[place[i]]
    for i in range(len(would)):
        came += would[i] & (not attended[i])
    for i in range(len(would)):
        attended[i] |= would[i]
    return came


def brought_pregnant(world: World, rows: slice, seen: Mask, begun: Mask, had: NDArray[np.uint8]) -> Mask:
    """Pregnancies that a KPM or paid transport brings to antenatal care this month, (n,) over `rows`.

    Only those not `seen` this month, `begun`, and behind the pace of four visits in a pregnancy; `had`, visits so far.
    """
    found: Mask = np.zeros(len(seen), bool)
    if world.burn_in or not world.settings["villages.on"]:
        return found
    children = world.children
    at = behind_pace(children.birth_month[rows], world.month + PREGNANCY_MONTHS, begun, seen, had)
    village = children.village[rows][at]
    missed = np.bincount(village, minlength=len(world.villages.met))
    share = _come_share(world, missed, village_money.transport_pull(world))
    found[at] = world.draws.uniform("brought to antenatal care", world.month, children.key[rows][at]) < share[village]
    world.villages.brought_pregnant = int(found.sum())
    return found


def _behind_pace_in_columns(
    birth_month: NDArray[np.int32], month: int, begun: Mask, seen: Mask, had: NDArray[np.uint8]
) -> NDArray[np.intp]:
    months = month - birth_month
    return np.flatnonzero(begun & ~seen & (had.astype(np.int64) * PREGNANCY_MONTHS < VISITS_IN_PREGNANCY * months))


@compiled(_behind_pace_in_columns)
def behind_pace(birth_month, month, begun, seen, had):  # type: ignore[no-untyped-def]
    """Rows of pregnancies begun, (n,), not seen this month and with fewer visits than four in nine months would be."""
    found, m = np.empty(len(begun), np.intp), 0
    for i in range(len(begun)):
        found[m] = i
        late = np.int64(had[i]) * PREGNANCY_MONTHS < VISITS_IN_PREGNANCY * (month - birth_month[i])
        m += begun[i] & (not seen[i]) & late
    return found[:m]


def _come_share(world: World, missed: NDArray[np.int64], pull: Column) -> Column:
    """Share of the missed who come, by the village's KPM or because of what it pays for, (n_villages,).

    Half of a KPM's visits go to children, half to pregnancies. missed: how many each village's are, (n_villages,);
    pull: the share whom what the village pays for draws, (n_villages,).
    """
    half_visits, finds = _kpm_work(world)
    persuaded = world.settings["villages.persuaded_share"]
    return either_way(half_visits, missed, world.population_share, finds, persuaded, pull)


def _either_way_in_columns(
    visits: Column, missed: NDArray[np.int64], scale: float, finds: Column, persuaded: float, pull: Column
) -> Column:
    found: Column = 1.0 - (1.0 - brought_share(visits, missed / scale, finds, persuaded)) * (1.0 - pull)
    return found


@compiled(_either_way_in_columns)
def either_way(visits, missed, scale, finds, persuaded, pull):  # type: ignore[no-untyped-def]
    """Share of the missed who come by `brought_share` or of those left by `pull`, (n_villages,); `missed` are those
    simulated, `scale` their share of all.
    """
    found = np.empty(len(missed), np.float64)
    for i in range(len(missed)):
        all_ = missed[i] / scale
        met = min(visits[i] / max(all_, 1e-9), 1.0)
        brought = met * finds[i] * persuaded if all_ > 0.0 else 0.0
        found[i] = 1.0 - (1.0 - brought) * (1.0 - pull[i])
    return found


def _kpm_work(world: World) -> tuple[Column, Column]:
    """Half the visits of each village's KPM this month and the share of them that meet a missed family, (n_villages,).

    As in the months before until settings, teams, KPM or lists change.
    """
    state = world.coordination
    now = tuple(each.tobytes() for each in (state.tpps_desa, state.kpm, world.has_by_name_list))  # moved in place too
    of, found = world.derived.get("kpm work", (None, None))
    if of != now:
        finds = np.where(knows_missed(world), 1.0, world.settings["registers.village_guess_share"])
        found = (0.5 * visits(world), finds)
        world.derived["kpm work"] = (now, found)
    work: tuple[Column, Column] = found
    return work


# ---- the council and sanitation --------------------------------------------------------------------------------------


def meet(world: World) -> None:
    """Village councils on stunting: what the kecamatan knows is told; in time for the Musdes they decide money."""
    settings, state, here = world.settings, world.coordination, world.villages
    holds = here.fixed_draws["village rembuk"] < settings["villages.rembuk_share"]
    held = world.draws.uniform("village rembuk held", world.month, state.village_keys)
    holds &= held < shocks.in_force(settings, "meeting_open_share")
    more = np.maximum(state.kecamatan_understanding[state.village_kecamatan] - state.village_understanding, 0.0)
    state.village_understanding += holds * settings["villages.rembuk_learning_share"] * more
    here.met = holds & bool(settings["villages.rembuk_month"] <= settings["calendar.musdes_month"])


def trigger_sanitation(world: World) -> None:
    """January: families in facilitated villages, the poor aside, build latrines from their own means (in place)."""
    share, builds = (world.settings[f"villages.{name}_share"] for name in ("triggering", "triggered_build"))
    if share == 0.0:
        return
    homes = world.households
    there = (world.villages.fixed_draws["village triggered"] < share)[homes.village]
    drawn = world.draws.uniform("triggered latrine", world.month, homes.key)
    homes.no_latrine &= ~(there & ~homes.poor & (drawn < builds))


def is_rembuk_month(settings: Settings, month_of_year: int) -> bool:
    """Whether village councils meet this month."""
    return bool(settings["villages.rembuk_month"] == month_of_year)
