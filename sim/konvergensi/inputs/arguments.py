"""Arguments of the Python functions: NumPy's numbers become Python's, lists come in any form, wrong types are refused.

A name means the same in every function, so what may be given for it stands here once.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from konvergensi.base.errors import Fault, InputError, fault
from konvergensi.base.months import format_month, parse_month
from konvergensi.base.scalars import scalar
from konvergensi.inputs.fields import number_fault
from konvergensi.inputs.options import LIMITS, number_faults

P = ParamSpec("P")
R = TypeVar("R")
Check = Callable[[str, Any], Any]  # name of the option and value -> the value to work with; raises InputError

# arguments that a number of the command line stands for under another name
_OPTIONS = {"n": "children", "since": "from", "until": "to", "on_failed": "failed"}


def public(**own: Check) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Check and convert the arguments of a public function by their names: by `own`, else as far as KINDS knows them.

    The function raises InputError with one fault for each argument of a wrong type. An argument may be None where its
    default is.
    """
    kinds = KINDS | own

    def of(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            bound = signature.bind(*args, **kwargs)
            faults: list[Fault] = []
            for name, value in bound.arguments.items():
                if name not in kinds or (value is None and signature.parameters[name].default is None):
                    continue
                try:
                    bound.arguments[name] = kinds[name](f"--{_OPTIONS.get(name, name)}".replace("_", "-"), value)
                except InputError as error:
                    faults += error.faults
            if faults:
                raise InputError(faults)
            return function(*bound.args, **bound.kwargs)

        return checked

    return of


def _limited(option: str, value: Any) -> int | float:
    """A number within the limits of its option."""
    value = scalar(value)
    name = {"--rng": "seed"}.get(option, option.removeprefix("--").replace("-", "_"))
    if faults := number_faults({name: value}):
        raise InputError([fault("", option, each.phrase, **each.words) for each in faults])
    return int(value) if LIMITS[name][3] else float(value)


def count(option: str, value: Any) -> int:
    """A whole number from 1 on."""
    value = scalar(value)
    if wrong := number_fault(value, 1, 10_000_000, "", whole=True):
        raise InputError(fault("", option, wrong[0], **wrong[1]))
    return int(value)


def _number(option: str, value: Any) -> float:
    value = scalar(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        raise InputError(fault("", option, "not_number", value=value, range=""))
    try:
        return float(value)
    except OverflowError:
        raise InputError(fault("", option, "not_number", value=value, range="")) from None


def _month(option: str, value: Any) -> str:
    return format_month(parse_month(value, key=option))


def text(option: str, value: Any) -> str:
    """Text."""
    if not isinstance(value, str):
        raise InputError(fault("", option, "not_text", value=value))
    return str(value)


def name(option: str, value: Any) -> str:
    """A name or a path as text; a Path stays one for whoever reads it."""
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
        value = value if not isinstance(value, str) or os.sep in value or value in (".", "..") else f".{os.sep}{value}"
    if isinstance(value, (list, tuple, set)) or getattr(value, "ndim", None):
        raise InputError(fault("", option, "one_name", value=value))
    if not isinstance(value, str):
        raise InputError(fault("", option, "not_name", value=value))
    return str(value)


def names(option: str, value: Any) -> list[str]:
    """Names or paths in an order: no set has one."""
    if isinstance(value, (str, bytes, Mapping, set, frozenset)) or not isinstance(value, Iterable):
        raise InputError(fault("", option, "not_names", value=value))
    try:
        listed = list(value)
    except TypeError:  # an array of no dimension
        raise InputError(fault("", option, "not_names", value=value)) from None
    return [name(option, each) for each in listed]


def name_or_names(option: str, value: Any) -> str | list[str]:
    """A name, `a+b`, or names."""
    return str(value) if isinstance(value, str) else names(option, value)


def name_list(option: str, value: Any) -> list[str]:
    """Names; one may stand by itself."""
    return [str(value)] if isinstance(value, str) else names(option, value)


def kind_of(what: str, *kinds: type) -> Check:
    """A name, a path, or an object of one of these kinds; `what` is its name among the words of faults."""

    def check(option: str, value: Any) -> Any:
        if isinstance(value, kinds):
            return value
        try:
            return name(option, value)
        except InputError:
            raise InputError(fault("", option, "not_kind", value=value, what=what)) from None

    return check


def mapping(option: str, value: Any) -> dict[str, Any]:
    """Values by key."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InputError(fault("", option, "not_mapping", value=value))
    return {str(key): scalar(each) for key, each in value.items()}


def folder(option: str, value: Any) -> Path:
    """A folder, as text or path."""
    if not isinstance(value, (str, os.PathLike)) or not isinstance(os.fspath(value), str) or not os.fspath(value):
        raise InputError(fault("", option, "not_name", value=value))
    return Path(value)


def _truth(option: str, value: Any) -> bool:
    value = scalar(value)
    if not isinstance(value, bool):
        raise InputError(fault("", option, "not_bool", value=value))
    return value


def _function(option: str, value: Any) -> Any:
    if not callable(value):
        raise InputError(fault("", option, "not_callable", value=value))
    return value


def optional(kind: Check) -> Check:
    """What `kind` takes, or None."""
    return lambda option, value: None if value is None else kind(option, value)


def one_of(*choices: str) -> Check:
    """One of these words."""

    def check(option: str, value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise InputError(fault("", option, "choice", value=value, choices=", ".join(choices)))
        return str(value)

    return check


KINDS: dict[str, Check] = (
    dict.fromkeys(
        (
            "seed",
            "rng",
            "population_share",
            "trace_children",
            "seeds",
            "draws",
            "workers",
            "n",
            "agencies",
            "families",
            "samples",
        ),
        _limited,
    )
    | dict.fromkeys(("start", "end", "since", "until"), _month)
    | dict.fromkeys(("scenario", "district", "draws_from"), name)
    | dict.fromkeys(("where", "cluster", "method"), text)
    | dict.fromkeys(("keep", "out"), folder)
    | dict.fromkeys(("progress", "begun", "tell"), _function)
    | dict.fromkeys(("density", "threshold"), _number)
    | dict.fromkeys(("ranges", "retry_failed"), _truth)
    | {
        "scenarios": names,
        "extensions": name_list,
        "services": name_or_names,
        "set": mapping,
        "lang": one_of("en", "id"),
        "on_failed": one_of("refuse", "drop"),
    }
)
