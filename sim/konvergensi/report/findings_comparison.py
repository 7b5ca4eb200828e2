"""What a comparison found beyond the decision, as tables and sentences of the report.

Findings are grouped by the health policy triangle (Walt and Gilson 1994), the frame of the field study of thirteen
priority districts: content, context, process, actor. What that study found stands beside what the runs show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from konvergensi.base.words import ABSENT, Lang, month_name, number, percent, word
from konvergensi.report import numbers
from konvergensi.report import readings as read
from konvergensi.report import readings_comparison as compared
from konvergensi.report import readings_coordination as agencies
from konvergensi.report import readings_moves as moves

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from konvergensi.results.comparison import Comparison
    from konvergensi.results.run import Run

GRADES = ("paper", "published", "model", "recalled", "assumption")
WEAK = ("recalled", "assumption")
SHOWN_DRAWN = 12


@dataclass(frozen=True)
class Table:
    """Rows under headings; the first cell of a row names it."""

    columns: list[str]
    rows: list[list[str]]
    caption: str = ""
    words: bool = False  # cells hold sentences, not numbers


@dataclass(frozen=True)
class Corner:
    """One corner of the triangle: its name, what the field found, what the runs show, and the numbers behind it."""

    heading: str
    field: str
    sentences: list[str]
    table: Table


def glance(comparison: Comparison, lang: Lang) -> Table:
    """Every policy in one row: prevalence, difference, how often best, children protected, money."""
    names = ("policy", "prevalence", "difference", "best", "protected", "spent")
    month = month_name(compared.last_month(comparison), lang)
    columns = [word(f"report.glance.{name}", lang, month=month) for name in names]
    first = str(comparison.manifest["policies"][0])
    rows = []
    for scenario, policy in compared.policies(comparison).items():
        reference = scenario == first
        cells = [
            policy.name(lang),
            numbers.level(compared.level(comparison, "prevalence", scenario), "prevalence", lang),
        ]
        for measure in ("prevalence", "best", "protected_in_time", "spent_rp"):
            if measure == "best":
                cells.append(percent(compared.p_best(comparison, "prevalence", scenario), lang, 0))
            elif reference:
                cells.append(word("report.glance.reference", lang))
            elif measure == "spent_rp":
                cost = compared.over_runs(compared.cost_effect(comparison, scenario), "d_cost_rp")
                cells.append(numbers.rupiah(cost, lang, sign=True))
            else:
                cells.append(numbers.change(compared.difference(comparison, measure, scenario), measure, lang))
        rows.append(cells)
    return Table(columns, rows, word("report.glance.caption", lang, first=compared.letter(0)))


def _due(comparison: Comparison) -> tuple[pd.DataFrame, dict[tuple[float, str], bool]]:
    """Targets whose months the runs reach, and of each whether any run of any policy reaches it."""
    table = comparison.targets[comparison.targets["runs"] > 0]
    due = dict.fromkeys(zip(table["target_percent"].astype(float), table["month"].astype(str)))
    some = table[table["probability"] > 0]
    reached = set(zip(some["target_percent"].astype(float), some["month"].astype(str)))
    return table, {each: each in reached for each in due}


def out_of_reach(comparison: Comparison, lang: Lang) -> list[str]:
    """The targets that no run of any policy reaches, as sentences."""
    _, due = _due(comparison)
    return [
        word(
            "report.targets.none", lang, target=number(target, lang, int(target % 1 > 0)), month=month_name(month, lang)
        )
        for (target, month), reached in due.items()
        if not reached
    ]


def targets(comparison: Comparison, lang: Lang) -> Table | None:
    """Probability by policy of each target that some run reaches; None where there is none such.

    A policy that begins after the month has no probability of its own there.
    """
    table, reached = _due(comparison)
    due = [each for each, any_ in reached.items() if any_]
    if not due:
        return None
    chances = table.set_index(["policy", "target_percent", "month"])["probability"]
    columns = [word("report.glance.policy", lang)]
    for target, month in due:
        shown = number(target, lang, int(target % 1 > 0))
        columns.append(word("report.targets.column", lang, target=shown, month=month_name(month, lang)))
    rows = [
        [
            policy.name(lang),
            *(
                percent(float(chances[scenario, *each]), lang, 0)
                if compared.begins(comparison, scenario) <= each[1]
                else ABSENT
                for each in due
            ),
        ]
        for scenario, policy in compared.policies(comparison).items()
    ]
    return Table(columns, rows, word("report.targets.caption", lang))


# ---- the health policy triangle --------------------------------------------------------------------------------------


def triangle(comparison: Comparison, lang: Lang) -> list[Corner]:
    """Content, context, process, actor: the field's words, and the first and leading policy in numbers."""
    return [_corner(name, comparison, lang) for name in ("content", "context", "process", "actor")]


def _corner(name: str, comparison: Comparison, lang: Lang) -> Corner:
    found = compared.policies(comparison)
    measures = _CORNERS[name]
    columns = [word("report.triangle.measure", lang), *(policy.letter for policy in found.values())]
    cells = {key: [show(comparison, scenario, lang) for scenario in found] for key, show in measures.items()}
    rows = [[word(f"report.measure.{key}", lang), *shown] for key, shown in cells.items()]
    first, lead = (
        list(found).index(comparison.manifest["policies"][0]),
        list(found).index(compared.leading(comparison)),
    )
    letters = {"first": compared.letter(first), "lead": compared.letter(lead)}
    sentences = []
    for key, shown in cells.items():
        same = shown[first] == shown[lead]
        text = word(f"report.measure.{key}", lang)
        words = {"measure": text, "before": shown[first], "after": shown[lead], **letters}
        sentences.append(word("report.triangle.same" if same else "report.triangle.moves", lang, **words))
    heading, field = (word(f"report.triangle.{name}.{part}", lang) for part in ("heading", "field"))
    return Corner(heading, field, sentences, Table(columns, rows))


def _level(measure: str) -> Callable[[Comparison, str, Lang], str]:
    def show(comparison: Comparison, scenario: str, lang: Lang) -> str:
        return numbers.without_interval(compared.level(comparison, measure, scenario).mean, measure, lang)

    return show


def _share(of: Callable[[Run], float]) -> Callable[[Comparison, str, Lang], str]:
    return lambda comparison, scenario, lang: percent(of(comparison.details[scenario]), lang, 0)


def _index(of: Callable[[Run], float]) -> Callable[[Comparison, str, Lang], str]:
    return lambda comparison, scenario, lang: number(of(comparison.details[scenario]), lang, 2)


def _levers(comparison: Comparison, scenario: str, lang: Lang) -> str:
    return number(len({each.key for each in moves.moved(comparison.details[scenario])}), lang)


def _state(column: str) -> Callable[[Run], float]:
    """Mean of a state of the agencies at work, last recorded December."""

    def mean(run: Run) -> float:
        months = agencies.moments(run)
        if not months:
            return float("nan")
        return float(agencies.agencies_at(run, months[-1]).loc[agencies.at_work(run), column].mean())

    return mean


def _gap(high: str, low: str) -> Callable[[Comparison, str, Lang], str]:
    """Difference of prevalence between two groups, points."""

    def show(comparison: Comparison, scenario: str, lang: Lang) -> str:
        means = comparison.groups[comparison.groups["policy"] == scenario].set_index("group")["mean"]
        if not {high, low} <= set(means.index):
            return ABSENT
        return word("unit.points", lang, n=number(float(means[high] - means[low]), lang, 1))

    return show


def _caught(comparison: Comparison, scenario: str, lang: Lang) -> str:
    ready = moves.caught(comparison.details[scenario])
    return word("report.k_of_n", lang, k=sum(ready.values()), n=len(ready))


def _breaks(comparison: Comparison, scenario: str, lang: Lang) -> str:
    stage = compared.weakest(comparison.details[scenario])
    return word(f"stage.{stage}", lang) if stage else ABSENT


def _told(whom: str) -> Callable[[Comparison, str, Lang], str]:
    def show(comparison: Comparison, scenario: str, lang: Lang) -> str:
        run = comparison.details[scenario]
        months = agencies.moments(run)
        return agencies.months_to_inform(run, months[-1], whom, lang) if months else ABSENT

    return show


def _counted_agencies(column: str) -> Callable[[Comparison, str, Lang], str]:
    """Agencies with something, of all, in the last recorded December."""

    def show(comparison: Comparison, scenario: str, lang: Lang) -> str:
        run = comparison.details[scenario]
        months = agencies.moments(run)
        if not months or column not in run.agencies.columns:
            return ABSENT
        has = agencies.agencies_at(run, months[-1])[column].astype(bool)
        return word("report.k_of_n", lang, k=int(has.sum()), n=len(has))

    return show


_CORNERS: dict[str, dict[str, Callable[[Comparison, str, Lang], str]]] = {
    "content": {
        "levers": _levers,
        "complete_package": _level("complete_package_share"),
        "services_mean": _level("services_mean"),
        "adaptation": _index(_state("adaptation")),
        "goal_adoption": _index(_state("goal_adoption")),
    },
    "context": {
        "ego": _index(_state("ego")),
        "lokus_gap": _gap("lokus", "non_lokus"),
        "wealth_gap": _gap("wealth_1", "wealth_5"),
        "exclusion": _share(compared.median_exclusion),
    },
    "process": {
        "doors": _caught,
        "breaks": _breaks,
        "taken_up": _share(lambda run: float(compared.chain_shares(run).get("taken_up", np.nan))),
        "spent": lambda comparison, scenario, lang: percent(compared.spent_share(comparison, scenario), lang, 0),
        "told_opd": _told("opd"),
        "told_villages": _told("villages"),
    },
    "actor": {
        "in_decree": _counted_agencies("in_decree"),
        "in_plan": _counted_agencies("in_plan"),
        "understanding": _index(_state("understanding")),
        "kpm": _share(lambda run: compared.village_share(run, "has_kpm")),
        "by_name": _share(lambda run: compared.village_share(run, "has_by_name_list")),
        "integration": _level("integration_index"),
    },
}


# ---- assumptions and levers ------------------------------------------------------------------------------------------


def grades(comparison: Comparison, lang: Lang) -> Table:
    """Parameters by grade of evidence: share of all, and how many of the drawn ones."""
    shares = comparison.manifest.get("grades") or {}
    drawn = compared.drawn(comparison)["grade"].value_counts()
    columns = [word(f"report.grades.{name}", lang) for name in ("grade", "share", "drawn")]
    rows = [
        [
            word(f"report.grade.{grade}", lang),
            percent(float(shares.get(grade, 0.0)), lang),
            number(int(drawn.get(grade, 0)), lang),
        ]
        for grade in GRADES
        if grade in shares or grade in drawn.index
    ]
    return Table(columns, rows, word("report.grades.caption", lang))


def resting(comparison: Comparison, lang: Lang) -> list[str]:
    """How much of the answer rests on weak evidence."""
    lead = compared.leading(comparison)
    shares = comparison.manifest.get("grades") or {}
    assumed, recalled = (percent(float(shares.get(grade, 0.0)), lang, 0) for grade in ("assumption", "recalled"))
    sentences = [word("report.resting.weak", lang, assumed=assumed, recalled=recalled)]
    drawn = compared.drawn(comparison)
    if len(drawn):
        k = int(drawn["grade"].isin(WEAK).sum())
        sentences.append(word("report.resting.drawn", lang, k=number(k, lang), n=number(len(drawn), lang)))
        part = compared.share_of_parameters(comparison, lead)
        if np.isfinite(part):
            sentences.append(word("report.resting.variance", lang, share=percent(part, lang, 0)))
    else:
        sentences.append(word("report.resting.not_drawn", lang))
    n, priced = compared.priced_by_assumption(comparison, lead)
    if np.isfinite(priced):
        sentences.append(word("decision.costs.assumed", lang, n=n, share=percent(priced, lang, 0)))
    return sentences


def drawn(comparison: Comparison, lang: Lang) -> Table | None:
    """The drawn parameters with the widest ranges; None when none was drawn."""
    table = compared.drawn(comparison)
    if table.empty:
        return None
    columns = [word(f"report.drawn.{name}", lang) for name in ("parameter", "range", "grade")]
    rows = []
    for row in table.head(SHOWN_DRAWN).itertuples():
        low, high, value = (moves.plain_number(end, lang) for end in (row.low, row.high, row.value))
        grade = word(f"report.grade.{row.grade}", lang)
        rows.append([moves.meaning(row.key, lang), f"{low}–{high} ({value})", grade])
    shown = {"k": number(len(rows), lang), "n": number(len(table), lang)}
    return Table(columns, rows, word("report.drawn.caption", lang, **shown), words=True)


def levers(comparison: Comparison, scenario: str, lang: Lang) -> Table:
    """Every lever that a policy moves: what to do, who decides it, from when, old and new value."""
    columns = [word(f"report.levers.{name}", lang) for name in ("lever", "whose", "months", "old", "new")]
    rows = []
    for each in moves.moved(comparison.details[scenario]):
        months = read.span(each.month, each.until or each.month, lang)
        values = [moves.lever_value(each.key, value, lang) for value in (each.old, each.new)]
        whose = word(f"kind.decided_by.{each.whose}", lang)
        rows.append([each.to_do(lang, comparison.manifest["agency_names"]), whose, months, *values])
    return Table(columns, rows, compared.policies(comparison)[scenario].name(lang), words=True)
