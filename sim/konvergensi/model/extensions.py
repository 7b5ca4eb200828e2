"""What extensions do in a model: their mechanisms in the month, the tables of their observers, a model of their own."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, TypeVar

from konvergensi.base.errors import InputError, fault, unknown_name
from konvergensi.base.months import format_month
from konvergensi.inputs.extensions import Extension, current, failure
from konvergensi.observe.recorder import COLUMNS

T = TypeVar("T")


@dataclass(frozen=True)
class Placed:
    """A function of an extension, by its name; calling it tells what goes wrong in one line."""

    extension: Extension
    name: str

    def __call__(self, world: Any) -> Any:
        module = self.extension.module
        before = world.attended
        try:
            found = vars(module)[self.name](world)
        except InputError as error:
            here = f"{self.extension.where}: {self.name}"
            raise InputError([replace(each, where=here) if each.where in ("", "settings") else each
                              for each in error.faults]) from error  # fmt: skip
        except Exception as problem:
            file = getattr(module, "__file__", None)
            raise InputError(failure(self.extension.where, self.name, problem, file)) from problem
        after = world.attended
        if getattr(after, "shape", None) != before.shape or after.dtype != before.dtype:
            words = {"name": "world.attended", "count": len(before)}
            raise InputError(fault(self.extension.where, self.name, "column_changed", **words))
        return found


def check(extensions: Iterable[Extension], month: Collection[str], base: type) -> None:
    """Raise InputError for parts of the month that do not exist, tables that do, and more than one model."""
    extensions = list(extensions)
    faults = []
    for each in extensions:
        faults += [
            unknown_name(each.where, name, "part", mechanism.part, month)
            for name, mechanism in each.mechanisms.items()
            if mechanism.part not in month
        ]
        faults += [fault(each.where, name, "taken", value=name) for name in each.observers if name in COLUMNS]
    models: list[type] = _models(extensions, base)
    if len(models) > 1:
        names = ", ".join(each.__name__ for each in models)
        faults.append(fault("", "extensions", "two_models", names=names))
    if faults:
        raise InputError(faults)


def model_class(base: type[T]) -> type[T]:
    """The model that an extension in force defines, else `base`."""
    models = _models(current(), base)
    return models[-1] if models else base


def _models(extensions: Iterable[Extension], base: type[T]) -> list[type[T]]:
    """Subclasses of `base` that extensions define; of those that extend each other, the last."""
    found = [each for extension in extensions for each in extension.classes if issubclass(each, base)]
    return [each for each in found if not any(issubclass(other, each) and other is not each for other in found)]


def placed(extensions: Iterable[Extension]) -> dict[tuple[str, str], list[Placed]]:
    """Mechanisms by side and part of the month, in the order in which extensions were named."""
    found: dict[tuple[str, str], list[Placed]] = {}
    for extension in extensions:
        for name, each in extension.mechanisms.items():
            found.setdefault((each.side, each.part), []).append(Placed(extension, name))
    return found


def columns(extensions: Iterable[Extension]) -> dict[str, list[str]]:
    """Columns of the observers' tables, by name."""
    return {name: list(each.columns) for extension in extensions for name, each in extension.observers.items()}


def observe(extensions: Iterable[Extension], world: Any) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of the month, by observer. Raises InputError when one of them returns something else."""
    found = {}
    for extension in extensions:
        for name, each in extension.observers.items():
            rows = Placed(extension, name)(world)
            width = len(each.columns)
            if not isinstance(rows, list) or not all(isinstance(row, tuple) and len(row) == width for row in rows):
                words = {"count": width, "columns": ", ".join(each.columns)}
                raise InputError(fault(extension.where, name, "rows_of_observer", **words))
            found[name] = [_dated(row, each.columns, world.month) for row in rows]
    return found


def _dated(row: tuple[Any, ...], columns: tuple[str, ...], now: int) -> tuple[Any, ...]:
    """A row with the month being simulated, in a column `month`, as text: as in every table of a run."""
    return tuple(
        format_month(now) if column == "month" and isinstance(value, Integral) and value == now else value
        for column, value in zip(columns, row)
    )
