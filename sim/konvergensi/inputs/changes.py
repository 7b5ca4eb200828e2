"""Dated changes of a value: at once, or as a ramp that gets there in equal monthly steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from konvergensi.base.errors import Fault, fault
from konvergensi.base.months import format_month
from konvergensi.inputs.parameters import Parameter, Value


@dataclass(frozen=True, slots=True)
class Change:
    """From `month` on, `key` has this value; `origin` says which file or option asked for it.

    With `until` it is a ramp: the first step is taken in `month`, the value is reached in the month `until`.
    """

    month: int
    key: str
    value: Value
    origin: str
    until: int | None = None

    @property
    def last(self) -> int:
        """The month in which the value is reached."""
        return self.month if self.until is None else self.until

    @property
    def span(self) -> str:
        """Its month, or the first and last month of its ramp: `2019-01 .. 2020-12`."""
        return format_span(self.month, self.until)

    def steps(self, old: Value) -> list[Change]:
        """Return the changes a ramp comes to, one a month, from `old`, the value in force before it.

        A number with decimals moves by the same amount each month, a whole one by that amount rounded. Months in
        which nothing moves are left out, so a ramp to `old` is empty. What is no ramp is its own only step.
        """
        if self.until is None:
            return [self]
        months = self.until - self.month + 1
        found: list[Change] = []
        for step in range(1, months + 1):
            value = _toward(old, self.value, step, months)
            if value != (found[-1].value if found else old):
                found.append(replace(self, month=self.month + step - 1, value=value, until=None))
        return found


def format_span(month: int, until: int | None) -> str:
    """Return `2019-01`, or `2019-01 .. 2020-12` for a ramp."""
    return format_month(month) if until is None else f"{format_month(month)} .. {format_month(until)}"


def ramp_end(month: int, until: int | None) -> int | None:
    """Return the last month of a ramp; None when it is all done in its first month, and so no ramp."""
    return None if until == month else until


def until_fault(where: object, key: str, month: int, until: int | None) -> list[Fault]:
    """Refuse a ramp that ends before it begins; `key` is the place of `until` in the file."""
    if until is None or until >= month:
        return []
    words = {"value": format_month(until), "first": format_month(month), "first_key": "from"}
    return [fault(where, key, "before", **words)]


def ramp_fault(parameter: Parameter, value: Value, until: int | None, where: object = "") -> Fault | None:
    """Refuse a ramp of what has no values in between."""
    if until is None or not isinstance(parameter.value, (bool, str)):
        return None
    return fault(where, parameter.key, "no_ramp", value=value)


def inside_ramps(changes: Iterable[Change]) -> list[tuple[Change, Change]]:
    """Return (ramp, other) for each other change of a ramp's key that begins after it and inside its months."""
    changes = list(changes)
    return [
        (ramp, other)
        for ramp in changes
        for other in changes
        if ramp.key == other.key and ramp.month < other.month <= ramp.last
    ]


def inside_fault(where: object, key: str, ramp: Change, other: Change) -> Fault:
    """Say that a change begins inside a ramp of the same key."""
    words = {"value": other.value, "when": other.span, "origin": other.origin}
    return fault(where, key, "inside_ramp", **words, span=ramp.span, ramp=ramp.origin)


def _toward(old: Value, target: Value, step: int, steps: int) -> Value:
    """The value after `step` of `steps` equal steps; of whole numbers the nearest, a half upwards."""
    assert not isinstance(old, (bool, str)) and not isinstance(target, (bool, str))  # `ramp_fault` has seen to it
    if isinstance(old, int) and isinstance(target, int):
        return (2 * (old * steps + (target - old) * step) + steps) // (2 * steps)
    return target if step == steps else old + (target - old) * step / steps
