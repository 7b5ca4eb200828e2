"""Three more items of the questionnaire, asked by the study and answered here without its counts: S1, I4, I6.

Items and categories are those of evidence/questionnaire_items.csv. Rules use the same six levels as the others
(observe/questionnaire.py) and draw nothing: the state of teams below the district, sharing of case lists, and how lines
and programmes are spread. Nothing was fitted to them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from konvergensi.mechanisms import lists, places
from konvergensi.observe.questionnaire import Levels, Respondent, respondents, surveyed

if TYPE_CHECKING:
    from konvergensi.world.state import World

CASES = "eppgbm"  # the register of stunted children


@dataclass(frozen=True, slots=True)
class Sight:
    """What an agency sees beyond `Respondent`; shares 0..1."""

    seen_teams: float  # of the places it sees below the district: those with an active team (TPPS)
    keeps_cases: bool  # works from the register of stunted children itself
    gets_cases: bool  # is handed the case list, by name and address or joined
    case_tie: float  # strongest tie of any kind to an agency that keeps the register
    lead_share: float  # of programmes and of money that it sees, what leading agencies hold


def knows_teams(it: Respondent, sight: Sight, at: Levels) -> str:
    """S1. Process and dynamics are told by who sees active teams at work and can explain.

    Members of the decree, and whoever has to do with the others, know that teams were decreed; the rest cannot
    describe them.
    """
    if sight.seen_teams >= at.tied and it.known >= at.partial:
        return "knows process and dynamics"
    decreed = it.in_decree or it.aware >= at.tied
    return "knows only that TPPS were decreed everywhere" if decreed else "cannot describe"


def knows_sharing(it: Respondent, sight: Sight, at: Levels) -> str:
    """I4. Who keeps the case data or is handed them knows of sharing, and who is tied to a keeper hears of it."""
    knows = sight.keeps_cases or sight.gets_cases or sight.case_tie >= at.tied
    return "knows of sharing" if knows else "does not know of it"


def centred(it: Respondent, sight: Sight, at: Levels) -> str:
    """I6. Centralised where leading agencies hold most of the programmes and the money that it sees.

    Who has little to do with the others and can explain little does not know.
    """
    if it.aware < at.tied and it.known < at.partial:
        return "does not know"
    return "centralised" if sight.lead_share >= at.most else "spread over all OPD"


# item -> rule and categories, in the order of evidence/questionnaire_items.csv
MORE_ITEMS: dict[str, tuple[Callable[[Respondent, Sight, Levels], str], tuple[str, ...]]] = {
    "S1": (
        knows_teams,
        ("knows process and dynamics", "knows only that TPPS were decreed everywhere", "cannot describe"),
    ),
    "I4": (knows_sharing, ("knows of sharing", "does not know of it")),
    "I6": (centred, ("centralised", "spread over all OPD", "does not know")),
}


def more_rows(world: World, asked: list[Respondent] | None = None) -> list[tuple[str, str, int, int]]:
    """Rows of the questionnaire table for the items without counts: item_id, category, k, n.

    asked: what `respondents` says of this month; None: read here.
    """
    at = Levels.of(world.settings)
    asked = respondents(world, at) if asked is None else asked
    both = list(zip(asked, sights(world, surveyed(world)), strict=True))
    found = []
    for item, (rule, categories) in MORE_ITEMS.items():
        given = Counter(rule(it, sight, at) for it, sight in both)
        found += [(item, category, given[category], len(asked)) for category in categories]
    return found


def sights(world: World, asked: list[int]) -> list[Sight]:
    """What the agencies `asked`, rows of the agencies, see."""
    state, opds, book = world.coordination, world.opds, world.programmes
    ties = np.maximum.reduce(list(state.ties.values()))
    keeps = np.array([opd.register == CASES for opd in opds], bool)
    handed = lists.receives(world) & world.handed.in_use
    leads = np.array([opd.leads for opd in opds], bool)
    funded = book.budgeted > 0.0
    lines = np.bincount(book.opd[funded], minlength=len(opds)).astype(float)
    money = np.bincount(book.opd, weights=book.budgeted, minlength=len(opds))
    found = []
    for i in asked:
        joined = world.linked and opds[i].shares_joined_list
        found.append(
            Sight(
                seen_teams=_seen_teams(world, i),
                keeps_cases=bool(keeps[i]),
                gets_cases=bool(handed[i] or joined),
                case_tie=float(np.where(keeps, ties[i], 0.0).max(initial=0.0)),
                lead_share=0.5 * (_held(lines, leads, ties[i], i) + _held(money, leads, ties[i], i)),
            )
        )
    return found


def _held(what: np.ndarray, leads: np.ndarray, tie: np.ndarray, i: int) -> float:
    """Share of what an agency sees, by its ties and its own, that leading agencies hold; 0 where it sees nothing."""
    seen = what * np.where(np.arange(len(tie)) == i, 1.0, tie)
    total = float(seen.sum())
    return float(seen[leads].sum()) / total if total > 0.0 else 0.0


def _seen_teams(world: World, i: int) -> float:
    """Share of places that agency i sees with an active team: kecamatan for who leads, else villages it works in."""
    state = world.coordination
    if world.opds[i].leads:
        return float(state.tpps_kecamatan.mean()) if len(state.tpps_kecamatan) else 0.0
    works = np.zeros(len(world.lokus), bool)
    for p in np.flatnonzero((world.programmes.opd == i) & (world.programmes.budgeted > 0.0)):
        open_ = places.open_villages(world, int(p))
        works |= True if open_ is None else open_
    return float(state.tpps_desa[works].mean()) if works.any() else 0.0
