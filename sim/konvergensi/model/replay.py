"""A run that can be simulated again from a month on with some of its drivers standing still.

A driver is something that moved since that month: incomes, COVID-19, coordination, the services of an agency, and what
else the district's history changed. What it means that a driver stands still: docs/decisions/0017-explain.md.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from konvergensi.mechanisms import calendar, growth, settings
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.model.extensions import model_class
from konvergensi.world.children import LAST_AGE, PREGNANCY_MONTHS
from konvergensi.world.programmes import SOURCES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from konvergensi.inputs.districts import District
    from konvergensi.inputs.parameters import Parameter, Settings

INCOME, COVID, COORDINATION, HISTORY = "income", "covid", "coordination", "history"
SERVICES = "services:"  # and the agency's id, or REST
REST = "others"
PROVINCE = "province"
# who pays for a programme beside agencies: source of money -> driver
VILLAGES, PARTNERS = SERVICES + "villages", SERVICES + "partners"
PAYERS = {"dana-desa": VILLAGES, "csr": PARTNERS}
CHOOSING = "villages.choosing"  # villages divide their money anew each year
# theme of a parameter -> the driver that a dated change of it belongs to; HISTORY for any other theme
DRIVERS = {"income": INCOME, "pandemic": COVID} | dict.fromkeys(
    # who knows, who is tied to whom, who wants what, who is on whose list, and when actions come
    ("socialization", "villages", "leadership", "goals", "actions", "review", "timing", "doors", "data", "agency"),
    COORDINATION,
)


def driver_of(parameter: Parameter) -> str:
    """The driver that a dated change of this parameter belongs to; what the province decides is its own."""
    if parameter.key.startswith("province.") and parameter.role == "lever":
        return PROVINCE
    return DRIVERS.get(parameter.theme, HISTORY)


def switches(settings: Settings) -> list[str]:
    """The switches that, off, leave coordination as it is.

    `actions.on` is none of them: without it each action would be done in full, and not as well as it was.
    """
    return [key for key in settings if key != CHOOSING and "stands-still" in settings.parameter(key).marks]


def service_groups(place: District, named: int) -> dict[str, tuple[str, ...]]:
    """Drivers `services:<id>` of the agencies with most programmes, and one of all others; driver -> ids of agencies.

    Of agencies with equally many programmes the first of the file is named. What villages and partners (companies,
    donors) pay for is their own, whichever agency answers for it: driver -> the source of money.
    """
    runs = [each.opd for each in place.programmes if each.money not in PAYERS]
    paid = {each.money for each in place.programmes}
    agencies = sorted((opd.id for opd in place.opd if opd.id in runs), key=lambda agency: -runs.count(agency))
    if len(agencies) == named + 1:
        named += 1  # a rest of one is no rest
    groups: dict[str, tuple[str, ...]] = {SERVICES + agency: (agency,) for agency in agencies[:named]}
    groups |= {SERVICES + REST: tuple(agencies[named:])} if agencies[named:] else {}
    return groups | {driver: (source,) for source, driver in PAYERS.items() if source in paid}


class Replay(ConvergenceModel):
    """The model without tables, some of whose drivers can be held from the month it has reached.

    level_from: every birth gets the income trend of this birth month, also in the burn-in.
    """

    def __init__(self, *args: Any, level_from: int | None = None, **options: Any) -> None:
        self._income_birth, self._to_level = level_from, level_from is not None
        self._lines: dict[int, float] = {}  # programme -> Rp a year that its line stays at
        super().__init__(*args, **options)

    @classmethod
    def of_extensions(cls) -> type[Replay]:
        """The class to replay: with the month of the model that an extension in force defines, if there is one."""
        own = model_class(ConvergenceModel)
        return cls if own is ConvergenceModel else type(f"Replay{own.__name__}", (cls, own), {})

    def twin(self) -> Replay:
        """A copy that goes its own way; the district and its services, which nobody changes, are shared."""
        return copy.deepcopy(self, {id(each): each for each in (self.place, self.world.services)})

    def hold(self, drivers: Iterable[str], groups: Mapping[str, tuple[str, ...]]) -> None:
        """Let these drivers stand still from now on, each as it is before this month is simulated.

        A dated change of this very month is in force already. groups: agencies behind each `services:` driver.
        """
        now, still = self.world.month, set(drivers)
        known = self.place.parameters()
        self.changes = tuple(
            each for each in self.changes if each.month <= now or driver_of(known[each.key]) not in still
        )
        if INCOME in still:
            self._income_birth = now + PREGNANCY_MONTHS  # children conceived later begin as those conceived now
        if COORDINATION in still:
            regime = calendar.regime(self.world.settings, now)
            stand = {"calendar.regime": regime, "review.attention_decay_share": 0.0}
            stand |= dict.fromkeys(switches(self.world.settings), False)
            settings.change(self.world, self.world.settings.changed(stand))
        if VILLAGES in still:
            settings.change(self.world, self.world.settings.changed({CHOOSING: False}))
        for driver in still & set(groups):
            line = self.world.programmes.line
            self._lines |= {p: float(line[p]) for p in self._programmes(groups[driver])}

    def stop(self, agencies: Iterable[str]) -> None:
        """From now on these agencies deliver nothing: their lines are closed, and what was released is not used."""
        book, which = self.world.programmes, self._programmes(agencies)
        for column in (book.line, book.planned, book.budgeted, book.released):
            column[which] = book.spent[which]
        book.line[which] = 0.0
        self._lines |= dict.fromkeys(which, 0.0)
        self._stand()

    def _programmes(self, agencies: Iterable[str]) -> list[int]:
        """Programmes of these agencies, or paid from these sources, as `service_groups` names them."""
        ids, asked, book = [opd.id for opd in self.opds], set(agencies), self.world.programmes
        payers = [SOURCES[source] if SOURCES[source] in PAYERS else None for source in book.source]
        return [p for p, opd in enumerate(book.opd) if (payers[p] or ids[opd]) in asked]

    def births_and_ageing(self) -> None:
        """As always; children conceived after incomes stand still do not begin taller for it."""
        super().births_and_ageing()
        if self._income_birth is None:
            return
        children, month = self.world.children, self.world.month
        oldest = LAST_AGE if self._to_level else -PREGNANCY_MONTHS  # at first, those the model began with too
        conceived = children.window(month, -PREGNANCY_MONTHS, oldest)
        kept = self.world.settings["growth.trend_kept_per_year"]
        years = growth.trend_years(children.birth_month[conceived], kept) - growth.trend_years(self._income_birth, kept)
        rate = self.world.settings["growth.income_trend_z_per_year"]
        children.lasting[conceived] -= (rate * years).astype(np.float32)
        self._to_level = False

    def plan_and_budget(self) -> None:
        """As always, but lines that stand still neither grow nor shrink, and nobody asks for more of them."""
        book = self.world.programmes
        before = {name: getattr(book, name).copy() for name in ("planned", "budgeted")}
        super().plan_and_budget()
        self._stand(before)

    def _stand(self, before: Mapping[str, np.ndarray] | None = None) -> None:
        if not self._lines:
            return
        book, which = self.world.programmes, list(self._lines)
        for column in (book.line, book.next_line, book.next_planned):
            column[which] = list(self._lines.values())
        for column in (book.waiting, book.accepted, book.trimmed):
            column[which] = 0.0
        for name, column in (before or {}).items():
            getattr(book, name)[which] = column[which]

    def record(self) -> None:
        """No tables; the year's counts are closed as always."""
        world = self.world
        if not world.burn_in and (world.month_of_year == 12 or world.month == self.last_month):
            world.tally.new_year()
