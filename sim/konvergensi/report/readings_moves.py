"""What a policy moves, and when: levers read off the log of a run's changes, their calendar, and their words."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from konvergensi.base.months import parse_month
from konvergensi.base.words import Lang, month_of_year, number, part, rupiah, word
from konvergensi.inputs.advice import ruled_by
from konvergensi.inputs.agencies import any_line, any_opd
from konvergensi.inputs.kinds import families
from konvergensi.inputs.parameters import Parameter, Settings, Value, load_parameters
from konvergensi.mechanisms import calendar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from konvergensi.inputs.fields import Words
    from konvergensi.results.comparison import Comparison
    from konvergensi.results.run import Run

STEPS = ("analysis", "plan", "rembuk")
COMPANIES = "csr"  # their money follows no public budget: no door is shown
APBDP = "apbdp"  # the changed budget, a second door for APBD
DOORS = {source: key for source, key in calendar.DOOR_OF_SOURCE.items() if source != COMPANIES} | {
    APBDP: "calendar.apbdp_month"
}
_LOGGED = re.compile(r"(\d{4}-\d{2})(?: \.\. (\d{4}-\d{2}))? (\S+): (.*?) -> (.*?) \(([^()]*?)(?:; [^()]*)?\)")


@dataclass(frozen=True)
class Moved:
    """A lever that a policy moves: from a month on, or in steps until another."""

    month: str
    until: str | None
    key: str
    old: str
    new: str
    origin: str

    @property
    def parameter(self) -> Parameter:
        """The parameter it is; of an agency, without its name."""
        return (any_opd(self.key) | any_line(self.key) | load_parameters())[self.key]

    @property
    def whose(self) -> str:
        """Who decides it: district, village, above (centre or province), nobody."""
        return self.parameter.decided_by or "nobody"

    @property
    def _words(self) -> Words | None:
        """What there is to do, in both languages, where somebody has found words for it."""
        off = self.new == "false"
        return self.parameter.to_do_off if off and not self.key.startswith("opd.") else self.parameter.to_do

    def to_do(self, lang: Lang, agencies: Mapping[str, str]) -> str:
        """It as something to do, without the values; its meaning where there are no words for that."""
        if self.key.startswith("opd."):
            _, agency, field = self.key.split(".")
            words = families("opd")[field].fields_of(dict.fromkeys(("en", "id"), agencies.get(agency, agency)))["to_do"]
            return str(words[lang]) if self.new != "false" else meaning(self.key, lang)
        return self._words[lang] if self._words else meaning(self.key, lang)

    @property
    def says_value(self) -> bool:
        """Whether its words say what it becomes, so that no values need to stand beside them: yes/no, switched on."""
        return self._words is not None and (self.old, self.new) in (("false", "true"), ("true", "false"))

    @property
    def theme(self) -> str:
        """What it is about, as parameters say it."""
        return self.parameter.theme


def moved(run: Run) -> list[Moved]:
    """The levers that the run's scenario or options move, read off the log of applied changes; history is left out."""
    return [each for each in logged(run) if not each.origin.startswith("district ") and each.old != each.new]


def logged(run: Run) -> list[Moved]:
    """Every change that was applied, in the order in which they apply."""
    matches = (_LOGGED.match(line) for line in run.manifest.get("changes") or [])
    return [Moved(*match.groups()) for match in matches if match]


def stand_otherwise(comparison: Comparison, scenario: str) -> list[Moved]:
    """The levers that stand otherwise at the end than under the first scenario, from how they stand there.

    So what the district's history brings anyway is not named again; nor is the month of an action that is not in force.
    """
    run, first = comparison.details[scenario], comparison.details[str(comparison.manifest["policies"][0])]
    there = {each.key: each.new for each in logged(first)}
    log = logged(run)
    before = {each.key: each.old for each in reversed(log)} | there
    after = {each.key: each.new for each in log}
    idle = _not_in_force(run)
    last = {each.key: each for each in moved_besides(comparison, scenario)}
    return [
        replace(each, old=before[key], new=after[key])
        for key, each in last.items()
        if before[key] != after[key] and key not in idle
    ]


def _not_in_force(run: Run) -> set[str]:
    """Months of the actions that are not in force at the end of the run."""
    reform = calendar.regime(calendar_settings(run), parse_month(str(run.manifest["end"]))) == "reform-2025"
    return set(ruled_by()) if reform else set(ruled_by().values())


def moved_besides(comparison: Comparison, scenario: str) -> list[Moved]:
    """The levers that a scenario moves and the first one does not."""
    first = comparison.manifest["policies"][0]
    shared = {(each.month, each.until, each.key, each.new) for each in moved(comparison.details[first])}
    own = moved(comparison.details[scenario])
    return [each for each in own if (each.month, each.until, each.key, each.new) not in shared]


def calendar_settings(run: Run) -> Settings:
    """The parameters of the calendar as they stand at the end of the run."""
    known = {key: each for key, each in load_parameters().items() if key.startswith("calendar.")}
    values: dict[str, Value] = {key: each.value for key, each in known.items()}
    for each in logged(run):
        if each.key in known:
            values[each.key] = _as(known[each.key].value, each.new)
    return Settings(values, known)


def _as(example: Value, text: str) -> Value:
    """A value as the log writes it, in the type of another."""
    if isinstance(example, bool):
        return text == "true"
    return text if isinstance(example, str) else type(example)(float(text))


def steps(run: Run) -> dict[str, int]:
    """Month of the year of each action in the last year of the run."""
    return calendar.action_months(calendar_settings(run), parse_month(str(run.manifest["end"])))


def doors(run: Run) -> dict[str, int]:
    """Month of the year in which each door closes, at the end of the run, in the order of the year."""
    settings = calendar_settings(run)
    return dict(sorted(((door, int(settings[key])) for door, key in DOORS.items()), key=lambda pair: pair[1]))


def caught(run: Run) -> dict[str, bool]:
    """Whether the plan of the last year is ready by each door; village money also needs the rule on villages' role."""
    at = steps(run)
    ready = dict.fromkeys(DOORS, at["plan"]) | {"dana-desa": max(at["plan"], at["village_rule"])}
    return {door: ready[door] <= month for door, month in doors(run).items()}


def meaning(key: str, lang: Lang) -> str:
    """What a parameter says, without its full stop; its key where the district or scenario made it."""
    known = load_parameters()
    if key in known:
        return str(known[key].arti if lang == "id" else known[key].meaning).rstrip(".")
    return word("compare.opd_lever", lang, lever=key)


def lever_value(key: str, text: str, lang: Lang) -> str:
    """A value as the log of changes writes it, as people say it: yes, March, 40%, Rp 500,000."""
    if text in ("true", "false"):
        return word(f"report.{text}", lang)
    try:
        value = float(text)
    except ValueError:
        return text  # a choice, as its file writes it
    known = load_parameters()
    unit = known[key].unit if key in known else "share"
    if unit == "month of year":
        return month_of_year(int(value), lang, short=True)
    if unit.startswith("share"):
        return part(value, lang)
    if unit.startswith("Rp"):
        return rupiah(value, lang)
    return plain_number(value, lang)


def plain_number(value: float, lang: Lang) -> str:
    """A value without trailing zeros, as the language writes it."""
    if abs(value) >= 1e4:
        return number(value, lang)
    text = f"{value:.4g}"
    return text if lang == "en" else text.replace(".", ",")
