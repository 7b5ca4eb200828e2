"""Parameters: every number of the model with unit, range, source and grade, read from mechanisms/*.toml.

A key is `<file>.<table>`: `budget.inertia` is table `[inertia]` of `mechanisms/budget.toml`. Unit costs and
effects of services are parameters too: `services.pmba.unit_cost_rp`, `services.pmba.effect`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field

from konvergensi.base.errors import Fault, InputError, fault, format_value, nearest, unknown
from konvergensi.base.files import collect, digest, read_bytes, read_toml
from konvergensi.base.scalars import scalar
from konvergensi.inputs.additions import added_parameters
from konvergensi.inputs.fields import Choice, Grade, Scalar, Text, Words, number_fault, refusal, validated
from konvergensi.inputs.kinds import Kinds, families

MECHANISMS = Path(__file__).resolve().parents[1] / "mechanisms"
Value = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `low` and `high` bound every draw of a sampler, `allowed` every value given to it.

    Parameters: value a bool, int, float, or one of `choices`; unit in words (`share of families`, `cm`); low, high None
    unless a number; allowed None where it is low..high; grade as in the evidence files; meaning in English, arti in
    Indonesian; role, theme, read, marks, decided_by among the names of base/words/kinds.toml; the rest as in
    `inputs.kinds.Kinds`.
    """

    key: str
    value: Value
    unit: str
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    source: str
    grade: str
    meaning: str
    arti: str
    needs: str = ""  # the key of a yes/no lever without which it does nothing
    replaced_by: str = ""  # the key that rules in its place from the reform of 2025 on
    role: str = "assumption"
    theme: str = ""
    read: str = "start"
    marks: tuple[str, ...] = ()
    decided_by: str = ""
    to_do: Words | None = None
    to_do_off: Words | None = None
    short: Words | None = None
    allowed: tuple[float, float] | None = None

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and highest value that may be written. Raises ValueError where it is no number."""
        if self.allowed is not None:
            return self.allowed
        if self.low is None or self.high is None:
            raise ValueError(f"{self.key} is no number and has no bounds")
        return self.low, self.high

    @property
    def is_number(self) -> bool:
        """Whether its value is a number, and no yes/no and no choice."""
        return not isinstance(self.value, (bool, str))

    @property
    def drawn(self) -> bool:
        """Whether its value is drawn from its range where what is not known is drawn: an assumption, or marked so."""
        doubtful = self.role == "assumption" or "drawn" in self.marks
        return doubtful and self.is_number and self.low != self.high

    def checked(self, value: Any, where: object = "") -> Value:
        """Return `value` as this parameter's type. Raises InputError if it has another or is out of range."""
        wrong = self.fault_in(value, where)
        if wrong:
            raise InputError(wrong)
        value = scalar(value)
        return value if isinstance(self.value, (bool, str)) else type(self.value)(value)

    def fault_in(self, value: Any, where: object = "") -> Fault | None:
        """Return what is wrong with a value, None when it may be used."""
        value = scalar(value)
        if isinstance(self.value, bool):
            return None if isinstance(value, bool) else fault(where, self.key, "not_bool", value=value)
        if isinstance(self.value, str):
            if isinstance(value, str) and value in self.choices:
                return None
            near = nearest(value, self.choices) if isinstance(value, str) else None
            return fault(where, self.key, "choice", value=value, choices=", ".join(self.choices), near=near)
        wrong = number_fault(value, *self.bounds, self.unit, isinstance(self.value, int))
        return fault(where, self.key, wrong[0], **wrong[1]) if wrong else None

    def range_text(self) -> str:
        """Return what may be written: `0.5 .. 1.4`, `true, false`, or the choices."""
        if isinstance(self.value, bool):
            return "true, false"
        if isinstance(self.value, str):
            return ", ".join(self.choices)
        return " .. ".join(format_value(bound) for bound in self.bounds)

    def drawn_text(self) -> str:
        """Return what evidence leaves open, from which samplers draw; what may be written where it is no number."""
        return f"{format_value(self.low)} .. {format_value(self.high)}" if self.is_number else self.range_text()


def _bound(value: Any) -> int | float | None:
    """Check a bound and keep it as written: a whole parameter has whole bounds."""
    wrong = number_fault(value, -1e18, 1e18, "", whole=False)
    if wrong:
        raise refusal(*wrong)
    return value


Bound = Annotated[Any, BeforeValidator(_bound)]


class _Entry(Kinds):
    """One table of a mechanism's file."""

    value: Scalar
    unit: Text
    low: Bound = None
    high: Bound = None
    allowed: list[Bound] | None = None
    choices: list[Text] = Field(default_factory=list)
    source: Text
    grade: Annotated[Grade, Choice]


def load_parameters(folder: Path = MECHANISMS) -> dict[str, Parameter]:
    """Read every parameter of the mechanisms in `folder` and of the services; read once and kept.

    Raises InputError naming file, key and what is wrong.
    """
    return dict(_load(folder)) | (added_parameters() if folder == MECHANISMS else {})


def parameter_hashes(folder: Path = MECHANISMS) -> dict[str, str]:
    """Return the SHA-256 of each parameter file (services.toml among them) by file name; read once and kept."""
    return dict(_hashes(folder))


@functools.cache
def _hashes(folder: Path) -> Mapping[str, str]:
    return {path.name: digest(read_bytes(path)) for path in sorted(folder.glob("*.toml"))}


@functools.cache
def _load(folder: Path) -> Mapping[str, Parameter]:
    files = [path for path in sorted(folder.glob("*.toml")) if path.name != "services.toml"]
    rooms = collect(functools.partial(_room, path) for path in files)
    found = {parameter.key: parameter for room in rooms for parameter in room}
    if (folder / "services.toml").exists():
        from konvergensi.inputs.services import load_services  # services are also read without parameters

        for service in load_services(folder / "services.toml").values():
            found |= {parameter.key: parameter for parameter in service_parameters(service)}
    return found


def _room(path: Path) -> list[Parameter]:
    tables = read_toml(path).items()
    where = f"mechanisms/{path.name}"
    return collect(
        functools.partial(read_parameter, where, f"{path.stem}.{name}", table, name) for name, table in tables
    )


def read_parameter(where: object, key: str, table: Any, name: str) -> Parameter:
    """Read the table `[name]` of a file as the parameter `key`. Raises InputError with what is wrong."""
    if not isinstance(table, dict):
        raise InputError(fault(where, name, "not_table", value=table))
    entry = validated(_Entry, table, where, name)
    value = entry.value
    numeric = not isinstance(value, (bool, str))
    if numeric and (entry.low is None or entry.high is None):
        raise InputError(fault(where, name, "no_range"))
    allowed = entry.allowed or ([entry.low, entry.high] if numeric else None)
    if allowed and (len(allowed) != 2 or not allowed[0] <= entry.low <= entry.high <= allowed[1]):
        words = {"low": format_value(entry.low), "high": format_value(entry.high)}
        raise InputError(fault(where, f"{name}.allowed", "not_around", value=entry.allowed, **words))
    whole = all(isinstance(each, int) for each in (value, entry.low, entry.high))
    if numeric and (not whole or entry.unit.startswith("share")):
        value = float(value)  # `value = 1` with a range of 0.5 to 2.5 is no count
    if isinstance(entry.value, str) and not entry.choices:
        raise InputError(fault(where, name, "no_choices"))
    if wrong := entry.lever_faults(where, name):
        raise InputError(wrong)
    parameter = Parameter(
        key=key,
        value=value,
        unit=entry.unit,
        choices=tuple(entry.choices),
        low=entry.low if numeric else None,
        high=entry.high if numeric else None,
        source=entry.source,
        grade=entry.grade,
        allowed=(allowed[0], allowed[1]) if allowed else None,
        **entry.as_fields(),
    )
    parameter.checked(parameter.value, where)
    return parameter


def service_parameters(service: Any) -> list[Parameter]:
    """Return a service's unit cost and effect as parameters; without a published range it is value..value."""
    found = []
    name = {"en": service.name["en"], "id": service.name["id"]}
    for field, quantity in (("unit_cost_rp", service.unit_cost), ("effect", service.effect)):
        said = families("services")[field].fields_of(name)
        low = quantity.value if quantity.low is None else quantity.low
        high = quantity.value if quantity.high is None else quantity.high
        least, most = families("services")[field].allowed[quantity.unit if field == "effect" else "Rp"]
        found.append(
            Parameter(
                key=f"services.{service.id}.{field}",
                value=float(quantity.value),
                unit=quantity.unit,
                low=low,
                high=high,
                allowed=(min(least, low), max(most, high)),
                choices=(),
                source=quantity.source,
                grade=quantity.grade,
                **said | {"short": quantity.short},
            )
        )
    return found


class Settings(dict[str, Value]):
    """The values in force: a small read-only mapping key -> value. Change it by making another: `changed`.

    A dict, because the model reads some hundred thousand values in a run.
    """

    __slots__ = ("_known",)

    def __init__(self, values: Mapping[str, Value], known: Mapping[str, Parameter]):
        super().__init__(values)
        self._known = known

    @classmethod
    def defaults(cls, known: Mapping[str, Parameter] | None = None) -> Settings:
        """Return every parameter at its own value; `known` defaults to `load_parameters()`."""
        known = load_parameters() if known is None else known
        return cls({key: parameter.value for key, parameter in known.items()}, known)

    if TYPE_CHECKING:  # a value's type follows its key

        def __getitem__(self, key: str) -> Any: ...

    def __missing__(self, key: str) -> Any:
        raise InputError(unknown("settings", key, key, self._known))

    def _read_only(self, *args: Any, **named: Any) -> Any:
        raise TypeError("settings do not change: make others with `changed`")

    __setitem__ = __delitem__ = __ior__ = _read_only
    update = pop = popitem = setdefault = clear = _read_only

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and dict.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Settings, (dict(self), self._known)

    def __deepcopy__(self, memo: dict[int, Any]) -> Settings:
        return Settings(self, self._known)  # parameters are frozen: copies share them

    def __repr__(self) -> str:
        return f"Settings({len(self)} keys)"

    def as_dict(self) -> dict[str, Value]:
        """Return a copy of the values as a plain dict."""
        return dict(self)

    def parameter(self, key: str, where: object = "") -> Parameter:
        """Return the parameter behind a key. Raises InputError with the nearest key that exists."""
        if key not in self._known:
            raise InputError(unknown(where, key, key, self._known))
        return self._known[key]

    def changed(self, changes: Mapping[str, Any], where: object = "") -> Settings:
        """Return settings with these keys changed. Raises InputError naming unknown keys and bad values."""
        wrong = [each for key, value in changes.items() if (each := self._fault_in(key, value, where))]
        if wrong:
            raise InputError(wrong)
        checked = {key: self._known[key].checked(value) for key, value in changes.items()}
        return Settings(dict(self) | checked, self._known)

    def _fault_in(self, key: str, value: Any, where: object) -> Fault | None:
        if key not in self._known:
            return unknown(where, key, key, self._known)
        return self._known[key].fault_in(value, where)
