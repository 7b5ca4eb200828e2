"""The recorder: collects rows month by month and year by year, and turns them into tables at the end."""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from konvergensi.base.months import format_month
from konvergensi.inputs.indices import indices
from konvergensi.observe import (
    ikps,
    integration,
    measure,
    network,
    questionnaire,
    questionnaire_more,
    reform,
    scorecard,
    series,
    simultaneous,
)
from konvergensi.observe.counted import Past
from konvergensi.observe.diary import Diary
from konvergensi.observe.together import convergence
from konvergensi.world.costs import PAID_FROM
from konvergensi.world.programmes import SOURCES
from konvergensi.world.tally import STAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from konvergensi.observe.surveys import SurveyRow
    from konvergensi.world.state import World

COLUMNS = {
    "series": ["month", "group", "n_children", "prevalence", "mean_laz", "sd_laz"],
    "indicators": ["month", "indicator", "value"],
    "surveys": ["fieldwork", "published", "system", "area", "level", "n_measured", "percent", "low", "high"],
    "cascade": ["year", "service", "stage", "children", "households"],
    "money": [
        "year", "agency", "programme", "source", "planned_rp", "budgeted_rp", "released_rp", "spent_rp",
        "units", "unit_cost_rp", "overhead_rp", "short_of_staff",
    ],
    "targeting": [
        "year", "programme", "eligible", "listed", "targeted", "reached", "inclusion_error", "exclusion_error",
    ],
    "agencies": [
        "month", "agency", "understanding", "institutional_understanding", "goal_adoption", "ego", "in_decree",
        "focal_unit", "guideline", "list_used", "budgeted_rp", "released_rp", "spent_rp", "adaptation", "mandate",
        "skill", "attendance", "in_plan",
    ],
    "villages": [
        "year", "village", "kecamatan", "lokus", "n_children", "prevalence", "complete_package_share", "x", "y",
        "remoteness", "understanding", "tpps_active", "has_kpm", "has_by_name_list", "register_share",
    ],
    "coordination_money": ["year", "item", "source", "cost_rp", "more_rp", "displaced_rp"],
    "simultaneous": ["month", "n_services", "households", "share"],
    "single_coverage": ["month", "service", "share"],
    "ikps": ["year", "dimension", "indicator", "counted", "percent"],
    "scorecard": ["year", "village", "kecamatan", "target", "received", "due", "percent"],
    "scorecard_indicators": ["year", "target", "indicator", "received", "due", "percent"],
    "integration": ["month", "dimension", "sub_dimension", "value"],
    "questionnaire": ["item_id", "category", "k", "n"],
    "network": ["month", "layer", "measure", "value"],
    "ties": ["month", "layer", "source", "target", "weight"],
    "actions": ["year", "action", "month", "responsible", "score", "quality"],
    "reform_stages": ["year", "stage", "actions", "actions_done", "month", "score", "quality"],
    "children": ["child", "sex", "birth_month", "month", "age_months", "laz_true", "laz_measured"],
}  # fmt: skip
WRITTEN = ("villages", "cards", "ledger", "counted", "integrated")  # lists of what is written once, besides the rows
YEARLY = 12  # the month in which the year's tables are closed


class Recorder:
    """Rows of every table of a run. Money is that of the simulated share of the district.

    Parameters: more, columns of tables that the run has besides, by name.
    """

    def __init__(self, world: World, trace_children: int, more: Mapping[str, list[str]] | None = None) -> None:
        self.columns = COLUMNS | dict(more or {})
        self.rows: dict[str, list[Any]] = {name: [] for name in self.columns}
        self.villages: list[dict[str, Any]] = []  # columns of what changes, one table a year
        self.cards: list[tuple[int, scorecard.Card]] = []  # of every village, by year
        self.places = world.district.villages
        asked = (*indices().ikps.counted, *indices().scorecard.counted)
        self.past = Past.begin(world, [each.counts for each in asked])
        self.ledger: list[dict[str, Any]] = []  # programmes by month, for bookkeeping checks
        self.rounds = measure.survey_rounds(world)
        self.first_month = world.month
        self.diaries: list[Diary] = []  # of the households that a reader follows; no table of the run
        self.coordination = [np.zeros(len(PAID_FROM)) for _ in range(3)]  # cost, more, displaced of the year so far
        self.asked: int | None = None  # month of the questionnaire in the table: that of the study, or the last
        # what was counted, by table, whose rows are written when tables are asked for
        self.counted: list[tuple[str, Callable[[], list[Any]]]] = []
        self.integrated: list[integration.Month] = []
        self.traced = self._choose(world, trace_children)
        self.complete: list[Any] = []  # who has all that is due this month, and their rows

    def __deepcopy__(self, memo: dict[int, Any]) -> Recorder:
        """A twin's own lists of the same rows: a row that is written never changes, and there are thousands."""
        twin = copy.copy(self)
        memo[id(self)] = twin
        for name, value in vars(self).items():
            if name == "rows":
                twin.rows = {table: list(rows) for table, rows in self.rows.items()}
            else:
                setattr(twin, name, list(value) if name in WRITTEN else copy.deepcopy(value, memo))
        return twin

    @staticmethod
    def _choose(world: World, count: int) -> np.ndarray:
        """Rows of the first `count` children born from now on; within a month spread over the district by key."""
        if count == 0:
            return np.zeros(0, np.intp)
        children = world.children
        first = children.window(world.month, 0, 0).start
        rows = np.arange(first, len(children))
        order = np.lexsort((children.key[first:], children.birth_month[first:]))
        return np.sort(rows[order][:count])

    def month(self, world: World) -> None:
        """Record the month that has just been simulated."""
        self._later("series", series.prevalence_rows, *series.groups(world))
        had, *self.complete = convergence(world, world.package)
        self._later("indicators", series.indicator_rows, world.month, had, series.indicators(world))
        self.integrated.append(integration.Month.of(world))
        first, now = world.month == self.first_month, world.month_of_year
        if first or now in network.MEASURED_IN:
            self._later("network", network.network_rows, *network.Measured.of(world))
        if first or now == YEARLY:
            self.rows["ties"] += network.tie_rows(world)
            many, single = simultaneous.simultaneous_rows(world)
            self._add_named("simultaneous", many)
            self._add_named("single_coverage", single)
        self.past.remember(world)
        self._agencies(world)
        for total, month in zip(
            self.coordination, (world.costs.now, world.costs.more, world.costs.displaced), strict=True
        ):
            total += month
        self._ledger(world)
        self._trace(world)
        for diary in self.diaries:
            diary.write(world)

    def _later(self, table: str, write: Callable[..., list[Any]], *counted: Any) -> None:
        """Keep what was counted; `write` makes rows of it. All months at once take half as long as one by one."""
        self.counted.append((table, functools.partial(write, *counted)))

    def add(self, rows: Mapping[str, list[tuple[Any, ...]]]) -> None:
        """Record rows of the month by table."""
        for name, each in rows.items():
            self.rows[name] += each

    def _add_named(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Record rows whose values are named by column."""
        self.rows[name] += [tuple(row[column] for column in self.columns[name]) for row in rows]

    def follow(self, household: int) -> Diary:
        """Open the diary of a household, a row of the household table; the months from now on are written into it."""
        self.diaries.append(Diary(household))
        return self.diaries[-1]

    def surveys(self, rows: list[SurveyRow]) -> None:
        """Record survey and register results."""
        self.rows["surveys"] += [(format_month(row.fieldwork), format_month(row.published), *row[2:]) for row in rows]

    def year(self, world: World, last: bool) -> None:
        """Close the tables of the calendar year (or of the part of it that was run); last, the run ends here."""
        year = world.month // 12
        for s, service in enumerate(world.services):
            children, households = world.tally.cascade_counts(
                world.children, len(world.households), world.month, s, world.services[s]
            )
            self.rows["cascade"] += [
                (year, service.id, stage, c, h) for stage, c, h in zip(STAGES, children, households, strict=True)
            ]
        self._money(world, year)
        for i, (item, source) in enumerate(PAID_FROM.items()):
            self.rows["coordination_money"].append((year, item, source, *(float(of[i]) for of in self.coordination)))
        for total in self.coordination:
            total[:] = 0.0
        self._targeting(world, year)
        self.villages.append(series.village_columns(world, *self.complete))
        self._indices(world)
        self._actions(world)
        if world.month == questionnaire.SURVEY_MONTH or (last and self.asked is None):
            self.asked = world.month
            asked = questionnaire.respondents(world, questionnaire.Levels.of(world.settings))
            self.rows["questionnaire"] = [
                *questionnaire.questionnaire_rows(world, asked),
                *questionnaire_more.more_rows(world, asked),
            ]

    def _indices(self, world: World) -> None:
        """Official indices of the year."""
        self._add_named("ikps", ikps.ikps_rows(world, self.past))
        card, indicators = scorecard.card_of(world, self.past)
        self.cards.append((world.month // 12, card))
        self._add_named("scorecard_indicators", indicators)
        self._add_named("reform_stages", reform.stage_rows(world))

    def _actions(self, world: World) -> None:
        """Actions carried out since the last call."""
        rows = self.rows["actions"]
        for action, done in world.coordination.carried_out[len(rows) :]:
            when = format_month(done.month)
            rows.append((done.month // 12, action, when, done.responsible, done.score, done.quality))

    def _money(self, world: World, year: int) -> None:
        book = world.programmes
        columns = (
            book.planned, book.budgeted, book.released, book.spent,
            book.units, book.unit_cost, book.overhead, book.short,
        )  # fmt: skip
        self.rows["money"] += [
            (year, world.opds[opd].id, name, SOURCES[source], *amounts)
            for opd, name, source, *amounts in zip(
                book.opd.tolist(), book.id, book.source.tolist(), *(each.tolist() for each in columns), strict=True
            )
        ]

    def _targeting(self, world: World, year: int) -> None:
        """Average month of delivery: counts of people; errors as shares, NaN where nobody was targeted or eligible."""
        tally = world.tally
        for p, name in enumerate(world.programmes.id):
            months = tally.months[p]
            if months == 0:
                continue
            targeted, eligible, right = tally.targeted[p], tally.eligible[p], tally.right[p]
            counts = (each[p] / months for each in (tally.eligible, tally.listed, tally.targeted, tally.reached))
            inclusion = 1.0 - right / targeted if targeted else np.nan
            exclusion = 1.0 - right / eligible if eligible else np.nan
            self.rows["targeting"].append((year, name, *counts, inclusion, exclusion))

    def _agencies(self, world: World) -> None:
        book, when = world.programmes, format_month(world.month)
        money = [
            np.bincount(book.opd, weights=each, minlength=len(world.opds)).tolist()
            for each in (book.budgeted, book.released, book.spent)
        ]
        self.rows["agencies"] += [
            (
                when, opd.id, opd.understanding, opd.institutional_understanding, opd.goal_adoption, opd.ego,
                opd.in_decree, opd.focal_unit, opd.guideline, opd.list_used(world.linked), *rp, opd.adaptation,
                opd.mandate, opd.skill, opd.attendance, opd.in_plan,
            )
            for opd, rp in zip(world.opds, zip(*money, strict=True), strict=True)
        ]  # fmt: skip

    def _ledger(self, world: World) -> None:
        book = world.programmes
        columns = ("planned", "budgeted", "released", "spent", "units", "unit_cost", "overhead")
        self.ledger.append({"month": world.month} | {name: getattr(book, name).copy() for name in columns})

    def _trace(self, world: World) -> None:
        children = world.children
        rows = self.traced
        age = world.month - children.birth_month[rows]
        alive = rows[(age >= 0) & (age < 60)]
        if len(alive) == 0:
            return
        measured = measure.traced_measurement(world, alive)
        when = format_month(world.month)
        for row, laz in zip(alive.tolist(), measured.tolist(), strict=True):
            birth = int(children.birth_month[row])
            self.rows["children"].append(
                (
                    f"{children.household[row]}-{children.order[row]}",
                    "male" if children.male[row] else "female",
                    format_month(birth),
                    when,
                    world.month - birth,
                    float(children.z[row]),
                    laz,
                )
            )

    def tables(self, *names: str) -> dict[str, pd.DataFrame]:
        """The tables of these names, or every one, with their columns also when there are no rows."""
        wanted = names or tuple(self.rows)
        for table, write in self.counted:
            self.rows[table] += write()
        self.rows["integration"] += integration.integration_rows(self.integrated)
        self.counted, self.integrated = [], []
        made: dict[str, Callable[[], pd.DataFrame]] = {}
        if self.villages:
            made["villages"] = lambda: series.village_tables(self.places, self.villages)[COLUMNS["villages"]]
        if self.cards:
            made["scorecard"] = lambda: scorecard.by_village(self.cards, self.places)[COLUMNS["scorecard"]]
        return {
            name: made[name]() if name in made else pd.DataFrame(self.rows[name], columns=self.columns[name])
            for name in wanted
        }
