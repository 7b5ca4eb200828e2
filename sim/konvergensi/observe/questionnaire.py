"""The virtual questionnaire: the model's agencies answer the counted items of a study of Lebak.

Items, categories and their names are those of evidence/opd_survey_lebak.csv (Supriyanto & Jannah 2022); that file is
not read here. Each agency marked `surveyed` gives one answer to each item, by a rule over what it is, what it has lived
through and what it can see of the others: it sees them in proportion to its own ties to them (the strongest of the
layers), so two agencies in one district may answer differently. Rules draw nothing. They share six levels,
questionnaire.* in mechanisms/questionnaire.toml, and no item has one of its own. Where the study counts one category
only, other answers are given and not counted.

Nothing in the model reacts to an answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.mechanisms import network, places

if TYPE_CHECKING:
    from konvergensi.inputs.parameters import Settings
    from konvergensi.world.state import World

SURVEY_MONTH = 2022 * 12 + 11  # the study asked in late 2022; asked in December 2022, when the run includes it
INTERVAL = 0.90  # of the binomial interval that an observed count is compared by
Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Levels:
    """The shared levels from which on an answer changes, as in mechanisms/questionnaire.toml."""

    aware: float
    partial: float
    specific: float
    tied: float
    most: float
    recall_years: int

    @classmethod
    def of(cls, settings: Settings) -> Levels:
        """As the settings have them."""
        names = ("aware_share", "partial_share", "specific_share", "tied_share", "most_share", "recall_years")
        return cls(*(settings[f"questionnaire.{name}"] for name in names))


@dataclass(frozen=True, slots=True)
class Respondent:
    """What one agency is, has lived through and sees; shares 0..1. What it cannot see at all is 0."""

    known: float  # by people and files together
    understanding: float  # by its people alone: what they can say without looking it up
    adaptation: float
    goal_adoption: float
    attendance: float
    leads: bool
    in_decree: bool
    in_plan: bool
    coordinator_tie: float  # formal tie to the coordinator; 1 for the coordinator itself
    years_since_rembuk: float  # inf if it never took part
    aware: float  # how much it has to do with those that run a programme or lead
    data_tie: float  # strongest data tie to another agency
    seen_attendance: float  # of the least active among the other members of the decree that it works with
    seen_bending: float  # of programmes, its own and those it is tied to: adaptation where ministry rules leave room
    seen_ego: float  # of the others it is tied to, after what mutual dependence takes away
    centrality: float  # sum of its ties over that of the agency with most
    seen_below: float  # share of the places it sees below the district that have heard of it
    has_list: bool  # works from a list at all
    same_list: bool  # and another agency that it is tied to works from that list too, or there is one joined list


# ---- the rules -------------------------------------------------------------------------------------------------------


def understands_situation(it: Respondent, at: Levels) -> str:
    """F1. Specific understanding from `specific` knowledge on, partial below."""
    return "specific understanding" if it.known >= at.specific else "partial understanding"


def describes_causes(it: Respondent, at: Levels) -> str | None:
    """F2. Able where its people understand at least partially: causes are told by a person, not by a file."""
    return "able" if it.understanding >= at.partial else None


def knows_policies(it: Respondent, at: Levels) -> str | None:
    """F3. To know policies, innovations and implementers, it is enough to have heard of them."""
    return "uniform knowledge" if it.known >= at.aware else None


def finds_relevant(it: Respondent, at: Levels) -> str:
    """F4. Relevant to the agency that has found something to bend in its own programmes; the others have doubts."""
    relevant = it.adaptation >= at.partial
    return "relevant" if relevant else "doubts: readiness, capacity, unresolved local problems"


def names_strategic_opd(it: Respondent, at: Levels) -> str | None:
    """S2. The decree names who leads: its members know, and whoever else has heard of the programme."""
    return "yes" if it.in_decree or it.known >= at.aware else None


def all_active(it: Respondent, at: Levels) -> str:
    """S3. Who has little to do with the others cannot judge; else all are active unless a member it knows stays away.

    An agency sees the members that it is tied to: who works with more of them more likely knows one that stays away.
    """
    if it.aware < at.tied:
        return "cannot judge"
    return "active" if it.seen_attendance >= at.partial else "not fully active"


def knows_obstacles(it: Respondent, at: Levels) -> str:
    """S4. Obstacles are known from work with others, or from the meetings: tied to the others, or at most of them."""
    return "knows" if it.aware >= at.tied or it.attendance >= at.most else "does not know"


def sectoral_ego(it: Respondent, at: Levels) -> str:
    """S5. Nobody accuses outright. Who sees ego around it, is not central itself and can judge points to the centre.

    What it notices is the ego of those it is tied to x (1 - its own centrality): a central role sees less conflict
    (barriers.csv, B33). All others say that there is none.
    """
    noticed = it.seen_ego * (1.0 - it.centrality)
    if it.aware >= at.tied and noticed >= at.aware:
        return "not stated outright; points to OPD with a central accommodating role"
    return "says none"


def socialization_even(it: Respondent, at: Levels) -> str:
    """G1. Even when most of the places that it sees below the district have heard of it.

    Those who lead hold the rounds (mechanisms/cascade.py) and see the kecamatan they hold them in. A member with
    programmes sees the villages where these work. The others see no further than themselves and judge by whether they
    were reached, at most of the meetings.
    """
    return "even" if it.seen_below >= at.most else "not even"


def supports(it: Respondent, at: Levels) -> str | None:
    """G2. Support costs nothing and binds to nothing: whoever has heard of convergence is for it, adopted or not."""
    return "supports fully" if it.known >= at.aware else None


def interventions_integrated(it: Respondent, at: Levels) -> str:
    """G3. Integrated when the programmes that it sees, its own among them, bend noticeably to the shared goal.

    Programmes bound by ministry rules do not bend (barriers.csv, B24).
    """
    return "integrated" if it.seen_bending >= at.partial else "not well integrated"


def took_part_in_rembuk(it: Respondent, at: Levels) -> str | None:
    """I1. Took part in a rembuk that it remembers."""
    return "attended" if it.years_since_rembuk < at.recall_years else None


def attended_launch(it: Respondent, at: Levels) -> str | None:
    """I2. The launch is the team's: who leads was there, and members of the decree who have heard of it and show up."""
    shows_up = it.in_decree and it.known >= at.aware and it.attendance >= at.aware
    return "attended" if it.leads or shows_up else None


def same_database(it: Respondent, at: Levels) -> str:
    """I3. Who shares no list and can explain little does not know; else by whether its list is another agency's too."""
    if it.same_list:
        return "same"
    ignorant = it.data_tie < at.tied and it.known < at.partial
    return "does not know" if ignorant else "not the same"


def run_separately(it: Respondent, at: Levels) -> str:
    """I5. Lists that differ make programmes run apart where the agency keeps its own goals too.

    Who has adopted the shared goal noticeably serves the families of the joint list first (mechanisms/goals.py:
    joint_share). Who does not know whether lists differ (I3), or can explain little and works from none, cannot say.
    """
    answer = same_database(it, at)
    if answer == "does not know" or (not it.has_list and it.known < at.specific):
        return "does not know"
    apart = answer == "not the same" and it.goal_adoption < at.partial
    return "yes, they do" if apart else "no, they do not"


def initiates_integration(it: Respondent, at: Levels) -> str:
    """I7. Who can explain little does not understand it.

    Who is in the joint plan and works with the coordinator sees design; to all others the team is not yet able to.
    """
    if it.known < at.partial:
        return "does not understand"
    inside = it.in_plan and it.coordinator_tie >= at.tied
    return "designs integration" if inside else "not yet able"


# item -> rule and the categories that the study counts, named as in evidence/opd_survey_lebak.csv
ITEMS: dict[str, tuple[Callable[[Respondent, Levels], str | None], tuple[str, ...]]] = {
    "F1": (understands_situation, ("specific understanding", "partial understanding")),
    "F2": (describes_causes, ("able",)),
    "F3": (knows_policies, ("uniform knowledge",)),
    "F4": (finds_relevant, ("relevant", "doubts: readiness, capacity, unresolved local problems")),
    "S2": (names_strategic_opd, ("yes",)),
    "S3": (all_active, ("active", "not fully active", "cannot judge")),
    "S4": (knows_obstacles, ("knows", "does not know")),
    "S5": (sectoral_ego, ("says none", "not stated outright; points to OPD with a central accommodating role")),
    "G1": (socialization_even, ("even", "not even")),
    "G2": (supports, ("supports fully",)),
    "G3": (interventions_integrated, ("integrated", "not well integrated")),
    "I1": (took_part_in_rembuk, ("attended",)),
    "I2": (attended_launch, ("attended",)),
    "I3": (same_database, ("same", "not the same", "does not know")),
    "I5": (run_separately, ("yes, they do", "no, they do not", "does not know")),
    "I7": (initiates_integration, ("designs integration", "not yet able", "does not understand")),
}  # fmt: skip


def answer(item: str, it: Respondent, at: Levels) -> str | None:
    """Category that an agency gives to an item; None for an answer that the study does not count."""
    return ITEMS[item][0](it, at)


# ---- what an agency sees ---------------------------------------------------------------------------------------------


def surveyed(world: World) -> list[int]:
    """Rows of the agencies that are asked: the surveyed ones, all of them where the district file marks none."""
    return [i for i, opd in enumerate(world.opds) if opd.surveyed] or list(range(len(world.opds)))


def respondents(world: World, at: Levels) -> list[Respondent]:
    """The surveyed agencies of a world as they are now; all of them where the district file marks none."""
    state, opds = world.coordination, world.opds
    asked = surveyed(world)
    ties = np.maximum.reduce(list(state.ties.values()))
    degree = ties.sum(axis=1)
    member = np.array([opd.in_decree for opd in opds], bool)
    came = np.array([opd.attendance for opd in opds])
    ego = np.array([network.effective_ego(world, i) for i in range(len(opds))])
    runs, room = _programmes(world)
    bends = np.array([opd.adaptation for opd in opds]) * room
    lists = [_lists(world, i) for i in range(len(opds))]
    lead = next((i for i, opd in enumerate(opds) if opd.role == "coordinator"), 0)
    found = []
    for i in asked:
        opd, tie = opds[i], ties[i]
        with_own = tie + np.where(np.arange(len(opds)) == i, 1.0, 0.0)
        shared = [j for j in range(len(opds)) if j != i and tie[j] > 0.0 and lists[i] & lists[j]]
        found.append(
            Respondent(
                known=opd.known,
                understanding=opd.understanding,
                adaptation=opd.adaptation,
                goal_adoption=opd.goal_adoption,
                attendance=opd.attendance,
                leads=opd.leads,
                in_decree=opd.in_decree,
                in_plan=opd.in_plan,
                coordinator_tie=1.0 if i == lead else float(state.ties["formal"][i, lead]),
                years_since_rembuk=float("inf") if opd.rembuk_year is None else world.month // 12 - opd.rembuk_year,
                aware=float(state.aware[i]),
                data_tie=float(state.ties["data"][i].max(initial=0.0)),
                seen_attendance=float(came[member & (tie >= at.tied)].min(initial=1.0)),
                seen_bending=_seen(bends, with_own * runs),
                seen_ego=_seen(ego, tie),
                centrality=float(degree[i] / degree.max()) if degree.max() > 0.0 else 0.0,
                seen_below=_seen_below(world, i, at),
                has_list=bool(lists[i]),
                same_list=bool(shared),
            )
        )
    return found


def _seen(what: Shares, weights: Shares) -> float:
    """Weighted mean of what is seen; 0 where nothing is."""
    total = weights.sum()
    return float(what @ weights / total) if total > 0.0 else 0.0


def _programmes(world: World) -> tuple[NDArray[np.bool_], Shares]:
    """Which agencies run programmes with money this year, and the share of these that ministry rules leave free."""
    book, n = world.programmes, len(world.opds)
    bound = book.rigid & bool(world.settings["registers.ministry_rules_bind"])
    funded = book.budgeted > 0.0
    runs = np.bincount(book.opd, weights=funded, minlength=n)
    free = np.bincount(book.opd, weights=funded & ~bound, minlength=n)
    return runs > 0, free / np.maximum(runs, 1.0)


def _own_programmes(world: World, i: int) -> list[int]:
    """Programmes of agency i with money this year."""
    return np.flatnonzero((world.programmes.opd == i) & (world.programmes.budgeted > 0.0)).tolist()


def _lists(world: World, i: int) -> set[str]:
    """Lists that agency i works from: its register, its programmes', the joined one. Its own is nobody else's."""
    opd, registers = world.opds[i], world.programmes.register
    names = {opd.register} | {registers[p] for p in _own_programmes(world, i)}
    if world.linked and opd.shares_joined_list:
        names.add("joined")
    return {f"own:{opd.id}" if name == "own" else name for name in names - {"none"}}


def _seen_below(world: World, i: int, at: Levels) -> float:
    """Share of the places that agency i sees below the district whose understanding has reached `aware`."""
    state, opd = world.coordination, world.opds[i]
    if opd.leads:
        return float((state.kecamatan_understanding >= at.aware).mean())
    programmes = _own_programmes(world, i)
    if not programmes:
        return opd.attendance
    works = np.zeros(len(world.lokus), bool)
    for p in programmes:
        open_ = places.open_villages(world, p)
        works |= True if open_ is None else open_
    return float((state.village_understanding[works] >= at.aware).mean()) if works.any() else 0.0


# ---- the table, and how it is compared -------------------------------------------------------------------------------


def questionnaire_rows(world: World, asked: list[Respondent] | None = None) -> list[tuple[str, str, int, int]]:
    """Rows of the questionnaire table: item_id, category, k, n, for every category that the study counts.

    asked: what `respondents` says of this month; None: read here.
    """
    at = Levels.of(world.settings)
    asked = respondents(world, at) if asked is None else asked
    found = []
    for item, (rule, categories) in ITEMS.items():
        given = Counter(rule(it, at) for it in asked)
        found += [(item, category, given[category], len(asked)) for category in categories]
    return found


def interval(k: int, n: int, level: float = INTERVAL) -> tuple[float, float]:
    """Exact (Clopper-Pearson) interval of the share behind k of n. Raises ValueError unless 0 <= k <= n and n > 0."""
    from scipy.special import betaincinv

    if not 0 <= k <= n or n == 0:
        raise ValueError(f"{k} of {n} is no share")
    tail = (1.0 - level) / 2.0
    low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, tail))
    high = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1.0 - tail))
    return low, high


def within(k_simulated: float, k_observed: int, n: int) -> bool:
    """Whether the simulated share lies in the 90 % interval of the observed one, both of n agencies."""
    low, high = interval(k_observed, n)
    return low <= k_simulated / n <= high
