"""e-PPGBM, the register of children weighed and measured at the posyandu, as an observation process.

Between the truth and the published percent stand four filters: who comes (the caller's attendance), with what
tool (children are measured taller than they are, `bias_cm`, and less exactly, `error_cm`), who is entered at
all, and that a stunted result is entered less often than another. The register knows its children's birth
dates, so errors of age are not drawn apart; rounding to whole centimetres is small beside `error_cm` and part
of it.

Why a bias in centimetres: in Lebak in 2019 the register read 11.8 where the survey read 33.0, and elsewhere
it reads from a quarter to nine tenths of the survey. That the young and the taller come more often explains a
few points of this; children measured too tall can explain all of it. `fit_bias_cm` finds the bias that closes
the gap once the other filters are chosen; one percent cannot tell them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from konvergensi.base.compiled import compiled
from konvergensi.observe.surveys import SurveyRow
from konvergensi.observe.who import CM_PER_Z, F32, STUNTED_BELOW, cm_per_z, measured_laz
from konvergensi.world.children import Children, age_of_rows
from konvergensi.world.draws import Draws, Keys

SYSTEM = "e-PPGBM"


@dataclass(frozen=True, slots=True)
class PosyanduMeasurement:
    """How the posyandu measures and enters; each field is a parameter of mechanisms/measurement.toml."""

    error_cm: float
    bias_cm: float
    entry_share: float
    stunted_entry_factor: float
    kit_error_cm: float = 0.8  # where the posyandu has a standard length board and a trained hand
    kit_bias_cm: float = 0.0


class Tools(NamedTuple):
    """How the posyandu of each village measure and enter, (n_villages,) each; the factor is the same for all."""

    error_cm: F32
    bias_cm: F32
    entry_share: F32
    stunted_factor: np.float32

    @classmethod
    def of(cls, posyandu: PosyanduMeasurement, kit: NDArray[np.bool_], entry_share: NDArray[np.floating]) -> Tools:
        """Where there is a kit, (n_villages,), and where there is none; entry_share (n_villages,)."""
        return cls(
            _by_tool(kit, posyandu.kit_error_cm, posyandu.error_cm),
            _by_tool(kit, posyandu.kit_bias_cm, posyandu.bias_cm),
            entry_share.astype(np.float32),
            np.float32(posyandu.stunted_entry_factor),
        )


def weigh(
    z_true: F32,
    sex: NDArray[np.integer],
    age_months: NDArray[np.integer],
    keys: Keys,
    draws: Draws,
    month: int,
    posyandu: PosyanduMeasurement,
    kit: NDArray[np.bool_] | None = None,
    entry_share: NDArray[np.floating] | None = None,
) -> tuple[F32, NDArray[np.bool_]]:
    """Measure the children who came this month and enter some of them.

    kit (n,): whether the child's posyandu has a standard kit; None: no posyandu has. entry_share (n,): share of the
    results its village enters; None: that of `posyandu`.

    Parameters: z_true, sex (0 male, 1 female), age_months (completed, 0 to 60), keys (hashed entity keys):
    (n,), only the children who came. Returns: measured z (n,) float32, and whether the result was entered
    (n,) bool.
    """
    z = measured_laz(
        z_true,
        sex,
        age_months,
        draws.normal("eppgbm.error", month, keys),
        posyandu.error_cm if kit is None else _by_tool(kit, posyandu.kit_error_cm, posyandu.error_cm),
        posyandu.bias_cm if kit is None else _by_tool(kit, posyandu.kit_bias_cm, posyandu.bias_cm),
    )
    by_result = np.array([1.0, posyandu.stunted_entry_factor], dtype=np.float32)
    share = np.float32(posyandu.entry_share) if entry_share is None else entry_share.astype(np.float32)
    p_entry = by_result[(z < STUNTED_BELOW).view(np.int8)] * share
    return z, draws.uniform("eppgbm.entry", month, keys) < p_entry


def weigh_rows(
    came: NDArray[np.bool_],
    children: Children,
    rows: slice,
    draws: Draws,
    month: int,
    tools: Tools,
) -> tuple[F32, NDArray[np.bool_]]:
    """`weigh` for those of `rows` who came, (n,) bool.

    Returns: z as measured, (n,), of whoever did not come too, and who was entered, (n,).
    """
    key = children.key[rows]
    return weighed(
        came,
        children.z[rows],
        children.male[rows],
        *children.by_age(month, rows),
        children.village[rows],
        draws.normal("eppgbm.error", month, key),
        draws.uniform("eppgbm.entry", month, key),
        tools.error_cm,
        tools.bias_cm,
        tools.entry_share,
        tools.stunted_factor,
        CM_PER_Z,
    )


def _weighed_in_columns(
    came: NDArray[np.bool_],
    z_true: F32,
    male: NDArray[np.bool_],
    ends: NDArray[np.int64],
    oldest: int,
    village: NDArray[np.integer],
    error: F32,
    fixed_draws: F32,
    error_cm: F32,
    bias_cm: F32,
    entry_share: F32,
    stunted_factor: np.float32,
    cm: F32,
) -> tuple[F32, NDArray[np.bool_]]:
    age, sex = age_of_rows(ends, oldest, len(came)), (~male).view(np.int8)
    z = measured_laz(z_true, sex, age, error, error_cm[village], bias_cm[village])
    by_result = np.array([1.0, stunted_factor], np.float32)
    return z, came & (fixed_draws < by_result[(z < STUNTED_BELOW).view(np.int8)] * entry_share[village])


@compiled(_weighed_in_columns)
def weighed(  # type: ignore[no-untyped-def]
    came, z_true, male, ends, oldest, village, error, fixed_draws, error_cm, bias_cm, entry_share, stunted_factor, cm
):  # fmt: skip
    """z as measured and who of those who came is entered, (n,): columns by child (n,), ages as `Children.by_age` tells
    them, columns by village (n_villages,), cm per z (2, 61). Whoever did not come is worked out too: no guess is wrong.
    """
    z, entered, start = np.empty(len(came), np.float32), np.empty(len(came), np.bool_), 0
    for each in range(len(ends)):
        age, rows = oldest - each, slice(start, ends[each])
        boys, girls = cm[0, age], cm[1, age]
        found, true, boy, place, wrong = z[rows], z_true[rows], male[rows], village[rows], error[rows]
        for i in range(len(found)):
            added = wrong[i] * error_cm[place[i]] + bias_cm[place[i]]
            found[i] = added / (boys if boy[i] else girls) + true[i]
        part, here, drawn = entered[rows], came[rows], fixed_draws[rows]
        for i in range(len(found)):
            share = entry_share[place[i]]
            low = stunted_factor * share
            part[i] = here[i] & (drawn[i] < (low if found[i] < STUNTED_BELOW else share))
        start = ends[each]
    return z, entered


def _by_village_in_columns(
    entered: NDArray[np.bool_], z: F32, village: NDArray[np.integer], n_villages: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    low = village[entered & (z < STUNTED_BELOW)]
    return np.bincount(village[entered], minlength=n_villages), np.bincount(low, minlength=n_villages)


@compiled(_by_village_in_columns)
def by_village(entered, z, village, n_villages):  # type: ignore[no-untyped-def]
    """Children entered in each village, and those of them measured below -2, (n_villages,) each."""
    every, low = np.zeros(n_villages, np.int64), np.zeros(n_villages, np.int64)
    for i in range(len(z)):
        every[village[i]] += entered[i]
        low[village[i]] += entered[i] & (z[i] < STUNTED_BELOW)
    return every, low


def _by_tool(kit: NDArray[np.bool_], with_kit: float, without: float) -> F32:
    return np.where(kit, np.float32(with_kit), np.float32(without))


def round_table(
    measured: NDArray[np.integer],
    stunted: NDArray[np.integer],
    kecamatan_names: Sequence[str],
    district_name: str,
    month: int,
    publication_lag_months: int,
) -> list[SurveyRow]:
    """Percent stunted among the children entered in one round: first the district, then each kecamatan.

    Parameters: children entered in each kecamatan, and those below -2 of them, (n_kecamatan,) each.
    Returns: rows of the `surveys` table. The register is no sample and publishes no interval: low and high
    are NaN; an area with nobody entered has percent NaN.
    """
    areas = [(district_name, "district", int(measured.sum()), int(stunted.sum()))]
    areas += [
        (name, "subdistrict", int(n), int(k)) for name, n, k in zip(kecamatan_names, measured, stunted, strict=True)
    ]
    published, nan = month + publication_lag_months, float("nan")
    return [
        SurveyRow(month, published, SYSTEM, name, level, n, 100 * k / n if n else nan, nan, nan)
        for name, level, n, k in areas
    ]


def expected_percent(
    z_true: F32,
    sex: NDArray[np.integer],
    age_months: NDArray[np.integer],
    p_attend: NDArray[np.floating],
    posyandu: PosyanduMeasurement,
) -> float:
    """The percent the register shows on average over all draws of attendance, error and entry.

    Parameters: all under-fives (n,), with p_attend the chance that each comes to the round. Returns: percent.
    Entry completeness cancels; the relative entry of stunted results does not.
    """
    one_z_cm = cm_per_z(sex, age_months)
    above_cutoff_cm = (z_true - STUNTED_BELOW) * one_z_cm + posyandu.bias_cm
    p_stunted = ndtr(-above_cutoff_cm / max(posyandu.error_cm, 1e-6))
    stunted = posyandu.stunted_entry_factor * float(p_attend @ p_stunted)
    others = float(p_attend @ (1.0 - p_stunted))
    return 100.0 * stunted / (stunted + others)


def fit_bias_cm(
    target_percent: float,
    z_true: F32,
    sex: NDArray[np.integer],
    age_months: NDArray[np.integer],
    p_attend: NDArray[np.floating],
    posyandu: PosyanduMeasurement,
) -> float:
    """The bias (cm) with which the register shows `target_percent` on average, all else as given.

    Parameters: as in `expected_percent`; posyandu.bias_cm is ignored. This is how the default in
    mechanisms/measurement.toml was found (target 11.83 %, Lebak 2019).
    Raises: ValueError when no bias between -3 and 6 cm does it.
    """
    from scipy.optimize import brentq  # used when fitting only, and slow to import

    def gap(bias_cm: float) -> float:
        trial = replace(posyandu, bias_cm=bias_cm)
        return expected_percent(z_true, sex, age_months, p_attend, trial) - target_percent

    low_cm, high_cm = -3.0, 6.0
    if not gap(low_cm) >= 0 >= gap(high_cm):
        raise ValueError(
            f"target_percent: no bias between {low_cm} and {high_cm} cm gives {target_percent} %; the "
            f"reachable range is {target_percent + gap(high_cm):.1f} to {target_percent + gap(low_cm):.1f} %"
        )
    return float(brentq(gap, low_cm, high_cm, xtol=1e-4))
