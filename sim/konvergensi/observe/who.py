"""WHO 2006 length/height-for-age: from a z-score to centimetres, and back with a measurement in between.

A child is lying (length) before 24 completed months and standing (height) from 24 months on, as in the WHO
standard, so the table has two rows at 24 months and the curve drops there by about 0.7 cm. A length taken at
a fractional age below 24 is interpolated towards the lying row of 24 months, never towards the standing one.

Source: who_lms_lhfa.csv beside this file (WHO Child Growth Standards 2006).
"""

from __future__ import annotations

import csv
from importlib import resources
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

STUNTED_BELOW = np.float32(-2.0)  # LAZ; the WHO definition of stunting
STANDING_FROM_MONTHS = 24
LYING_MINUS_STANDING_CM = 0.7  # WHO 2006 rule for a child measured in the other position
LAST_MONTH = 60
_AGE_REFUSED = f"age_months must lie in 0 to {LAST_MONTH}, the range of the WHO table"

F32 = NDArray[np.float32]


class LmsTable(NamedTuple):
    """L, M (cm) and S at each completed month: arrays (2, 61), rows 0 male and 1 female.

    `at` holds the month's own row (standing at 24), `towards` the row that a fractional age moves to.
    """

    at: dict[str, NDArray[np.float64]]
    towards: dict[str, NDArray[np.float64]]


def _read_lms() -> LmsTable:
    columns = ("L", "M_cm", "S")
    at = {column: np.full((2, LAST_MONTH + 1), np.nan) for column in columns}
    towards = {column: np.full((2, LAST_MONTH + 1), np.nan) for column in columns}
    with resources.files(__package__).joinpath("who_lms_lhfa.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            sex, month = ("male", "female").index(row["sex"]), int(row["age_months"])
            lying_at_24 = month == STANDING_FROM_MONTHS and row["position"] == "length"
            standing_at_24 = month == STANDING_FROM_MONTHS and row["position"] == "height"
            for column in columns:
                if not lying_at_24:
                    at[column][sex, month] = float(row[column])
                if month > 0 and not standing_at_24:
                    towards[column][sex, month - 1] = float(row[column])
    for column in columns:
        towards[column][:, LAST_MONTH] = at[column][:, LAST_MONTH]
    return LmsTable(at, towards)


LMS = _read_lms()
# L is 1 throughout, so z is linear in centimetres and one number per sex and month is enough: cm in one z.
CM_PER_Z: F32 = (LMS.at["M_cm"] * LMS.at["S"]).astype(np.float32)
_CM_PER_Z_FLAT = CM_PER_Z.ravel()
if not ((LMS.at["L"] == 1.0).all() and np.isfinite(CM_PER_Z).all()):
    raise ValueError("who_lms_lhfa.csv: every sex and month from 0 to 60 needs a row, with L = 1")


def cm_per_z(sex: NDArray[np.integer], age_months: NDArray[np.integer]) -> F32:
    """Centimetres in one z-score (M times S) at completed months of age; arrays (n,) in, (n,) float32 out.

    Raises: ValueError for an age outside the table, such as a child not yet born.
    """
    if age_months.size and not (age_months.min() >= 0 and age_months.max() <= LAST_MONTH):
        raise ValueError(_AGE_REFUSED)
    rows = age_months.astype(np.intp)
    rows += np.multiply(sex, LAST_MONTH + 1, dtype=np.intp)
    return _CM_PER_Z_FLAT.take(rows)


def _lms(sex: ArrayLike, age_months: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    age = np.asarray(age_months, dtype=np.float64)
    if not ((age >= 0) & (age <= LAST_MONTH)).all():  # also refuses NaN
        raise ValueError(_AGE_REFUSED)
    sex_row = np.asarray(sex, dtype=np.intp)
    month = age.astype(np.intp)
    part = age - month
    return tuple(
        LMS.at[column][sex_row, month] * (1 - part) + LMS.towards[column][sex_row, month] * part
        for column in ("L", "M_cm", "S")
    )


def length_cm(z: ArrayLike, sex: ArrayLike, age_months: ArrayLike) -> NDArray[np.float64]:
    """Length (below 24 months) or height (from 24) in cm of a child with z-score `z`: M(1 + L S z)^(1/L).

    Parameters: z, sex (0 male, 1 female), age_months (0 to 60, may be fractional), all broadcast together.
    Raises: ValueError for an age outside the table.
    """
    ell, m, s = _lms(sex, age_months)
    return m * (1.0 + ell * s * np.asarray(z, dtype=np.float64)) ** (1.0 / ell)


def laz(length: ArrayLike, sex: ArrayLike, age_months: ArrayLike) -> NDArray[np.float64]:
    """Length-for-age z of a child `length` cm long (tall, from 24 months): the inverse of `length_cm`.

    Raises: ValueError for an age outside the table.
    """
    ell, m, s = _lms(sex, age_months)
    return ((np.asarray(length, dtype=np.float64) / m) ** ell - 1.0) / (ell * s)


def measured_laz(
    z_true: F32,
    sex: NDArray[np.integer],
    age_months: NDArray[np.integer],
    error_normal: F32,
    error_cm: float | F32,
    bias_cm: float | F32 = 0.0,
    age_error_months: F32 | None = None,
) -> F32:
    """What an observer writes down as the child's z-score.

    The true length gets a bias and an error in centimetres and is read against the table at the recorded age.

    Parameters: z_true, sex, age_months (completed months, 0 to 60) and error_normal (standard normal draws),
    all (n,); error_cm the SD of one measurement and bias_cm, above zero when children are measured too tall, a
    number or (n,) each; age_error_months (n,) recorded minus true age, or None when the birth date is right.
    Returns: (n,) float32. With no error of any kind it is z_true. Without age errors this is the monthly hot
    path: since L = 1, an error in cm is that error over M S in z.
    """
    added_cm = error_normal * np.asarray(error_cm, dtype=np.float32)
    added_cm += np.asarray(bias_cm, dtype=np.float32)
    if age_error_months is None:
        added_cm /= cm_per_z(sex, age_months)
        added_cm += z_true
        return added_cm
    recorded_age = np.clip(age_months + age_error_months.astype(np.float64), 0.0, LAST_MONTH)
    length = length_cm(z_true, sex, age_months) + added_cm
    # a wrong age near 24 months also puts the child in the other position; the WHO rule converts by 0.7 cm
    length += LYING_MINUS_STANDING_CM * (
        (recorded_age < STANDING_FROM_MONTHS).astype(np.int8) - (age_months < STANDING_FROM_MONTHS)
    )
    return laz(length, sex, recorded_age).astype(np.float32)
