"""The calendar: which doors are open in a month, under the eight Aksi or the 2025 reform.

Doors and actions are data (calendar.toml); every month is a lever. Aksi months belong to the year before the money
they ask for. Parameters: calendar.toml; sources: evidence/calendar.csv.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from konvergensi.base.months import month_of, year_of

if TYPE_CHECKING:
    from konvergensi.inputs.parameters import Settings

REFORM_YEAR = 2025  # four main actions instead of eight
DOOR_OF_SOURCE = {
    "apbn": "calendar.apbn_month",
    "dak": "calendar.dak_month",
    "apbd": "calendar.musrenbang_month",
    "dana-desa": "calendar.musdes_month",
    "csr": "calendar.csr_month",
}


def regime(settings: Settings, month: int) -> str:
    """The set of convergence actions in force: `eight-aksi` or `reform-2025`."""
    chosen = settings["calendar.regime"]
    if chosen != "by-date":
        return str(chosen)
    return "reform-2025" if year_of(month) >= REFORM_YEAR else "eight-aksi"


def action_months(settings: Settings, month: int) -> dict[str, int]:
    """Month of the year of each step the model acts on, under the regime in force.

    Keys: analysis, plan (ready once agreed), rembuk, village_rule, coaching, data, measurement, review.
    """
    if regime(settings, month) == "reform-2025":
        plan = settings["calendar.reform_plan_month"]
        return {
            "analysis": settings["calendar.reform_analysis_month"],
            "plan": plan,
            "rembuk": plan,
            "village_rule": plan,
            "coaching": plan,
            "data": settings["calendar.aksi_6_month"],
            "measurement": settings["calendar.aksi_7_month"],
            "review": settings["calendar.reform_review_month"],
        }
    return {
        "analysis": settings["calendar.aksi_1_month"],
        # the activity plan binds once the rembuk has agreed it
        "plan": max(settings["calendar.aksi_2_month"], settings["calendar.aksi_3_month"]),
        "rembuk": settings["calendar.aksi_3_month"],
        "village_rule": settings["calendar.aksi_4_month"],
        "coaching": settings["calendar.aksi_5_month"],
        "data": settings["calendar.aksi_6_month"],
        "measurement": settings["calendar.aksi_7_month"],
        "review": settings["calendar.aksi_8_month"],
    }


def due(settings: Settings, month: int) -> set[str]:
    """Actions that fall in this month."""
    now = month_of(month)
    return {action for action, at in action_months(settings, month).items() if at == now}


def door(settings: Settings, source: str) -> int:
    """Last month of the year in which a proposal can still enter next year's money of this source."""
    return int(settings[DOOR_OF_SOURCE[source]])


def cut_month(settings: Settings, source: str) -> int:
    """Month in which next year's lines of the source are cut to the ceiling: KUA-PPAS, or the door if later."""
    return max(door(settings, source), int(settings["calendar.ceiling_month"]))


def is_meeting_month(times_a_year: int, month: int) -> bool:
    """Whether a round held so many times a year (0..12), spread evenly with the last in December, is this month."""
    now = month_of(month)
    return now * times_a_year // 12 > (now - 1) * times_a_year // 12
