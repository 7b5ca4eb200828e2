"""Numbers read off a comparison, so that decision sheet, findings and figures can never say different things."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from konvergensi.base.months import parse_month
from konvergensi.base.words import Lang, word, word_or
from konvergensi.inputs.parameters import load_parameters
from konvergensi.methods.statistics import interval
from konvergensi.report import readings as read
from konvergensi.report import theme
from konvergensi.report.readings_moves import moved_besides

if TYPE_CHECKING:
    from konvergensi.results.comparison import Comparison
    from konvergensi.results.run import Run

# Policies keep letter, colour and marker in every figure and table; colours and markers start over at different places,
# so that no two of the first fifty-six look the same.
_COLOURS = (
    theme.INK, theme.BLUE, theme.RED, theme.GREEN, theme.ORANGE, theme.PURPLE, theme.SKY, "#8C6D00",
)  # fmt: skip
_MARKERS = ("o", "s", "D", "^", "v", "P", "X")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (2, 1.2)), (0, (6, 1.5, 1.5, 1.5)), (0, (1, 1)))
GROUPS = {
    "place": ("lokus", "non_lokus"),
    "wealth": read.WEALTH,
    "age": read.AGE_BANDS,
}
FEWEST = 6  # with fewer, all on one side may be chance: 2 x 0.5^5 exceeds 5 % (sign test)
FEWEST_DRAWS = 10  # with fewer, a rank correlation says nothing about one parameter among hundreds
MEASURE = "prevalence"  # what policies are ranked by
EFFECTS = {"d_cases": "cases_averted", "d_protected": "protected_in_time"}  # as tables call it, as the manifest does


@dataclass(frozen=True)
class Policy:
    """One of the scenarios compared, as figures and tables show it."""

    id: str
    letter: str
    titles: dict[str, str]
    colour: str
    marker: str
    dashes: Any

    def title(self, lang: Lang) -> str:
        """Its title in the language, else in the other, else its id."""
        return next((self.titles[each] for each in (lang, "en", "id") if self.titles.get(each)), self.id)

    def name(self, lang: Lang) -> str:
        """Letter and title."""
        return f"{self.letter}\u00a0· {self.title(lang)}"  # the letter stays with its title


@dataclass(frozen=True)
class Estimate:
    """A mean over runs with the ends of its interval; NaN where there is none."""

    mean: float
    low: float
    high: float

    @property
    def has_interval(self) -> bool:
        return bool(np.isfinite([self.low, self.high]).all())

    @property
    def is_zero(self) -> bool:
        """Whether it is nothing, in every run."""
        return self.mean == 0 and not (self.has_interval and (self.low < 0 or self.high > 0))

    @property
    def side(self) -> int:
        """-1 or 1 where the whole interval lies on that side of zero, else 0; without an interval always 0."""
        return int(self.high < 0) * -1 + int(self.low > 0) if self.has_interval else 0

    def scaled(self, factor: float) -> Estimate:
        """The same in another unit."""
        ends = sorted((self.low * factor, self.high * factor)) if self.has_interval else (self.low, self.high)
        return Estimate(self.mean * factor, *ends)


def letter(place: int) -> str:
    """A, B, ... Z, AA, AB, ..."""
    return (letter(place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


def policies(comparison: Comparison) -> dict[str, Policy]:
    """The scenarios in the order in which they were asked for, by id."""
    titles = comparison.manifest.get("titles") or {}
    return {
        scenario: Policy(
            scenario,
            letter(place),
            dict(titles.get(scenario) or {}),
            _COLOURS[place % len(_COLOURS)],
            _MARKERS[place % len(_MARKERS)],
            DASHES[place // len(_COLOURS) % len(DASHES)],
        )
        for place, scenario in enumerate(comparison.manifest["policies"])
    }


def last_month(comparison: Comparison) -> str:
    """The last month that was compared."""
    return str(comparison.comparison["month"].max())


def at_end(comparison: Comparison, measure: str) -> pd.DataFrame:
    """Rows of a measure in the last month, by scenario."""
    table = comparison.comparison
    rows = table[(table["measure"] == measure) & (table["month"] == last_month(comparison))]
    return rows.set_index("policy").reindex(comparison.manifest["policies"])


def level(comparison: Comparison, measure: str, scenario: str) -> Estimate:
    """A measure in the last month."""
    row = at_end(comparison, measure).loc[scenario]
    return Estimate(float(row["mean"]), float(row["low"]), float(row["high"]))


def difference(comparison: Comparison, measure: str, scenario: str) -> Estimate:
    """Its difference to the first scenario in the last month."""
    row = at_end(comparison, measure).loc[scenario]
    return Estimate(float(row["difference"]), float(row["diff_low"]), float(row["diff_high"]))


def p_best(comparison: Comparison, measure: str, scenario: str) -> float:
    """Share of the runs in which no other scenario does better; NaN where no direction is better."""
    return float(at_end(comparison, measure).loc[scenario, "p_best"])


def leading(comparison: Comparison) -> str:
    """Of the scenarios besides the first, the one with the lowest prevalence in most runs; the first if it is alone.

    What happens to a district is no choice: an event leads only where nothing else was compared.
    """
    first, *others = comparison.manifest["policies"]
    others = [each for each in others if not is_event(comparison, each)] or others
    rows = at_end(comparison, MEASURE)
    ranked = sorted(others, key=lambda policy: (-np.nan_to_num(rows.loc[policy, "p_best"]), rows.loc[policy, "mean"]))
    return str(ranked[0]) if ranked else str(first)


def is_event(comparison: Comparison, scenario: str) -> bool:
    """Whether a scenario happens to a district: its file says so, or all that it moves are events (role `event`)."""
    declared = (comparison.manifest.get("kinds") or {}).get(scenario)
    if declared:
        return bool(declared == "event")
    own = moved_besides(comparison, scenario)
    return bool(own) and all(each.parameter.role == "event" for each in own)


def pair(comparison: Comparison, first: str, other: str, measure: str = MEASURE) -> Estimate:
    """The mean difference, other less first, with the interval of the mean; NaN where it is not in the table."""
    table = comparison.pairs[comparison.pairs["measure"] == measure]
    for row in table.itertuples():
        if (row.policy_a, row.policy_b) == (first, other):
            return Estimate(float(row.difference), float(row.low), float(row.high))
        if (row.policy_a, row.policy_b) == (other, first):
            return Estimate(-float(row.difference), -float(row.high), -float(row.low))
    return Estimate(math.nan, math.nan, math.nan)


def tried(comparison: Comparison) -> tuple[int, bool]:
    """How many independent samples there are, and whether they are draws (else seeds)."""
    draws = int(comparison.manifest["draws"])
    return (draws, True) if draws > 1 else (int(comparison.manifest["seeds"]), False)


def too_few(comparison: Comparison) -> bool:
    """Whether there are so few samples that nothing can be said, whatever they show."""
    return tried(comparison)[0] < FEWEST


def runs_each(comparison: Comparison) -> int:
    """How many runs there are of each scenario."""
    return len(comparison.runs[["draw", "seed"]].drop_duplicates())


def better_share(comparison: Comparison, scenario: str, ties: bool = False) -> float:
    """Share of the runs in which prevalence ends lower than under the first scenario; ties: or as low."""
    table = comparison.runs
    end = table[(table["measure"] == MEASURE) & (table["month"] == last_month(comparison))]
    wide = end.pivot(index=["draw", "seed"], columns="policy", values="value")
    less = wide[scenario] - wide[str(comparison.manifest["policies"][0])]
    return float((less <= 0).mean() if ties else (less < 0).mean())


def targets_of(comparison: Comparison, scenario: str) -> pd.DataFrame:
    """Rows of the targets that fall due after the scenario begins."""
    table = comparison.targets
    begun = table["month"] >= begins(comparison, scenario)
    return table[(table["policy"] == scenario) & (table["runs"] > 0) & begun]


def survey_margin(comparison: Comparison) -> float:
    """Points by which two surveys here may differ by chance (95 %), from those simulated; NaN without any."""
    table = comparison.details[str(comparison.manifest["policies"][0])].surveys
    rows = table[table["level"] == "district"]
    half = ((rows["high"] - rows["low"]) / 2).dropna()
    return float(math.sqrt(2) * half.median()) if len(half) else math.nan


def rivals(comparison: Comparison, scenario: str, measure: str = MEASURE) -> list[tuple[str, float]]:
    """Scenarios that the runs cannot tell from this one, with the number of runs more that would (NaN: not known)."""
    table = comparison.pairs
    table = table[(table["measure"] == measure) & ~table["decided"].astype(bool) & ~_same(table)]
    found = []
    for row in table.itertuples():
        if scenario in (row.policy_a, row.policy_b):
            other = row.policy_b if row.policy_a == scenario else row.policy_a
            found.append((str(other), float(row.more_runs)))
    order = {name: place for place, name in enumerate(comparison.manifest["policies"])}
    return sorted(found, key=lambda pair: order.get(pair[0], 0))


def more_of(comparison: Comparison, one: str, other: str, measure: str = MEASURE) -> str:
    """Of what more runs would tell two scenarios apart most cheaply: draws, seeds, or '' where it is not known."""
    table = comparison.pairs[comparison.pairs["measure"] == measure]
    mine = table["policy_a"].isin((one, other)) & table["policy_b"].isin((one, other))
    return next((str(each) for each in table["more_of"][mine]), "")


def alike(comparison: Comparison, scenario: str, measure: str = MEASURE) -> list[str]:
    """Scenarios with the same value in every run."""
    table = comparison.pairs
    same = table[(table["measure"] == measure) & _same(table)]
    pairs = zip(same["policy_a"], same["policy_b"], strict=True)
    found = {str(a if b == scenario else b) for a, b in pairs if scenario in (a, b)}
    return [name for name in comparison.manifest["policies"] if name in found]


def _same(pairs: pd.DataFrame) -> pd.Series:
    """Which pairs differ in no run: a mean of 0 without spread."""
    return (pairs["difference"] == 0) & (pairs["low"] == 0) & (pairs["high"] == 0)


def most_often_best(comparison: Comparison, measure: str) -> tuple[list[str], float]:
    """The scenarios that are the best in most runs, and in which share of them; several where they tie."""
    shares = at_end(comparison, measure)["p_best"]
    if not shares.notna().any():
        return [], math.nan
    best = float(shares.max())
    return [str(name) for name in shares.index[shares >= best - 1e-9]], best


def begins(comparison: Comparison, scenario: str) -> str:
    """The first month in which a scenario does something that the first one does not; '' when it never does."""
    own = [each.month for each in moved_besides(comparison, scenario)]
    return min(own, default="")


def spent_share(comparison: Comparison, scenario: str) -> float:
    """Share of the budgeted money that is spent, mean over runs."""
    spent, budgeted = (float(money(comparison, stage).loc[scenario].sum()) for stage in ("spent", "budgeted"))
    return read.ratio(spent, budgeted)


def more_spent(comparison: Comparison, scenario: str) -> dict[str, float]:
    """Rupiah spent more than under the first scenario, by source, in each year in which the policy acts.

    Mean over runs; KPM incentives as `kpm`, what coordination costs as
    `coordination`.
    """
    spent = money(comparison, "spent")
    whole = (parse_month(str(comparison.manifest["end"])) - parse_month(str(comparison.manifest["start"])) + 1) / 12
    years = len((comparison.manifest.get("acts") or {}).get(scenario, ())) or whole
    less = (spent.loc[scenario] - spent.iloc[0]) / years
    beside = {"kpm": "kpm_incentive_rp", "coordination": "coordination_rp"}
    more = {name: difference(comparison, measure, scenario).mean / years for name, measure in beside.items()}
    return {str(source): float(rp) for source, rp in less.items()} | more


def over_runs(rows: pd.DataFrame, column: str) -> Estimate:
    """Mean over draws and seeds, and the interval that the tables use."""
    if rows.empty:
        return Estimate(math.nan, math.nan, math.nan)
    values = rows.pivot(index="draw", columns="seed", values=column).to_numpy(float)
    mean, low, high = (float(end) for end in interval(values))
    return Estimate(mean, low, high)


def cost_effect(comparison: Comparison, scenario: str) -> pd.DataFrame:
    """One row per run: money spent more, cases averted, children protected in time, against the first scenario."""
    table = comparison.cost_effect
    return table[table["policy"] == scenario]


def cost_per(comparison: Comparison, scenario: str, effect: str, lang: Lang) -> tuple[Estimate | None, str]:
    """Rupiah more per case averted (d_cases) or child protected in time (d_protected), or why there is none."""
    for row in comparison.manifest.get("cost_per") or []:
        if (row["policy"], row["effect"]) == (scenario, EFFECTS[effect]):
            if row["rp"] is None:
                return None, str(row["reason"][lang])
            return Estimate(*(float(math.nan if row[end] is None else row[end]) for end in ("rp", "low", "high"))), ""
    return None, ""


def money(comparison: Comparison, stage: str) -> pd.DataFrame:
    """Mean over runs of the rupiah at a stage: one row per scenario, one column per source."""
    table = comparison.costs[comparison.costs["stage"] == stage]
    wide = table.groupby(["policy", "source"], sort=False)["amount_rp"].mean().unstack("source")
    known = [source for source in read.SOURCES if source in wide.columns]
    rest = [source for source in wide.columns if source not in known]
    return wide.reindex(index=comparison.manifest["policies"], columns=[*known, *rest]).fillna(0.0)


def group_difference(comparison: Comparison, scenario: str, group: str) -> Estimate:
    """Difference of a group's prevalence to the first scenario, percentage points, last month."""
    table = comparison.groups
    rows = table[(table["policy"] == scenario) & (table["group"] == group)]
    if rows.empty:
        return Estimate(float("nan"), float("nan"), float("nan"))
    row = rows.iloc[0]
    return Estimate(float(row["difference"]), float(row["diff_low"]), float(row["diff_high"]))


def groups(comparison: Comparison) -> list[str]:
    """The groups that were recorded, places first, then wealth, then age."""
    known = [name for names in GROUPS.values() for name in names]
    return [name for name in known if has_group(comparison, name)]


def group_name(name: str, lang: Lang) -> str:
    """A group in words."""
    if name.startswith("age_"):
        return word("compare.groups.months", lang, band=name.removeprefix("age_").replace("_", "–"))
    return word_or(f"group.{name}", lang, name)


def has_group(comparison: Comparison, group: str) -> bool:
    """Whether the group was recorded."""
    return bool((comparison.groups["group"] == group).any())


def share_of_parameters(comparison: Comparison, scenario: str, measure: str = MEASURE) -> float:
    """Share of the variance of the difference that comes from parameters; NaN where it is not known."""
    table = comparison.variance
    rows = table[(table["policy"] == scenario) & (table["measure"] == measure)]
    return float(rows["share_parameters"].iloc[0]) if len(rows) else float("nan")


# ---- numbers of one run, for the findings ----------------------------------------------------------------------------


def stages(run: Run) -> pd.DataFrame:
    """Shares of those in need who reach each stage in the last full year: one row per service, NaN where unknown."""
    year = read.last_full_year(run, read.rows(run.cascade, "year", "service", "stage", "children"))
    children = read.chain(run, year) if year is not None else pd.DataFrame(columns=list(read.STAGES))
    return children[read.offered(run, children.index)] if len(children) else children


def chain_shares(run: Run) -> pd.Series:
    """Of all needs of all services on offer, the share that reaches each stage."""
    children = stages(run)
    total = children["in_need"].sum()
    if not total:
        return pd.Series(dtype=float)
    return children[list(read.STAGES)].sum(min_count=1) / total


def weakest(run: Run) -> str:
    """The stage before which most services lose most children; '' when none does."""
    children = stages(run)
    if children.empty:
        return ""
    links = read.weakest_links(children)["stage"]
    links = links[links != ""]
    return str(links.value_counts().index[0]) if len(links) else ""


def errors(run: Run) -> pd.DataFrame:
    """Programmes of the last full year: programme, eligible, inclusion_error, exclusion_error."""
    _, table = read.targeting_errors(run)
    return table[["programme", "eligible", "inclusion_error", "exclusion_error"]]


def median_exclusion(run: Run) -> float:
    """Median exclusion error of the programmes of the last full year."""
    table = errors(run)
    return float(table["exclusion_error"].median()) if len(table) else float("nan")


def village_share(run: Run, column: str) -> float:
    """Share of the villages with something, last year."""
    table = read.rows(run.villages, "year", column)
    return float(table.loc[table["year"] == table["year"].max(), column].mean()) if len(table) else float("nan")


def priced_by_assumption(comparison: Comparison, scenario: str) -> tuple[int, float]:
    """Services whose unit cost is an assumption, and the share of the money spent that they take; NaN: not known."""
    known = comparison.manifest.get("assumed_unit_costs") or {}
    share = (known.get("spent_share") or {}).get(scenario)
    return len(known.get("services") or []), math.nan if share is None else float(share)


def drawn(comparison: Comparison) -> pd.DataFrame:
    """Parameters that were drawn, widest first: key, grade, low, value, high, width (of the range by the value)."""
    known = load_parameters()
    rows = []
    for key in comparison.manifest.get("drawn") or []:
        if key in known and known[key].low is not None:
            each = known[key]
            low, high = float(each.low), float(each.high)
            value = float(each.value)
            width = (high - low) / abs(value) if value else math.nan
            rows.append((key, each.grade, low, value, high, width))
    table = pd.DataFrame(rows, columns=["key", "grade", "low", "value", "high", "width"])
    return table.sort_values(["width", "key"], ascending=[False, True], kind="stable").reset_index(drop=True)


def standing_out(comparison: Comparison, scenario: str) -> list[str] | None:
    """Drawn parameters with which the scenario's difference moves over the draws, strongest first.

    By rank correlation, at 5 % after correction for the number of parameters; None with too few draws to say.
    """
    from scipy.stats import t as student

    table = comparison.runs
    end = table[(table["measure"] == MEASURE) & (table["month"] == last_month(comparison))]
    level = end.groupby(["draw", "policy"])["value"].mean().unstack("policy")
    first = str(comparison.manifest["policies"][0])
    less = (level[scenario] - level[first]).rank()
    draws = len(less)
    if draws < FEWEST_DRAWS or comparison.parameter_draws.empty or scenario == first:
        return None
    wide = (
        comparison.parameter_draws.pivot(index="draw", columns="parameter", values="value")
        .reindex(less.index)
        .astype(float)
    )
    rho = wide.rank().corrwith(less).dropna()
    t = rho * np.sqrt((draws - 2) / np.maximum(1 - rho**2, 1e-12))
    chance = pd.Series(2 * student.sf(np.abs(t), draws - 2), index=rho.index) * len(rho)
    found = rho[chance < 0.05].abs().sort_values(ascending=False, kind="stable")
    return [str(key) for key in found.index]
