"""Field types for TOML tables, and the translation of pydantic's complaints into ours.

Every number type states its range once, here or where it is used, and the range stands in the message.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WrapValidator
from pydantic_core import ErrorDetails, PydanticCustomError

from konvergensi.base.errors import Fault, InputError, fault, format_value, nearest, texts
from konvergensi.base.months import parse_month, parse_when
from konvergensi.base.scalars import scalar

GRADES = ("paper", "published", "model", "recalled", "assumption")
Grade = Literal["paper", "published", "model", "recalled", "assumption"]
Money = Literal["apbn", "dak", "apbd", "dana-desa", "csr", "none"]


def number_fault(value: Any, low: float, high: float, unit: str, whole: bool) -> tuple[str, dict[str, Any]] | None:
    """Say what is wrong with a number as (phrase, words), or None when it is right.

    Parameters: low, high the allowed range, both included; unit as in the file, `share...` also names
    percents; whole True for counts and months. NaN and infinities lie outside every range.
    """
    value = scalar(value)
    ends = {"low": format_value(low), "high": format_value(high)}
    span = partial(fault, "", "", "range", **ends, unit=unit)
    if not whole and isinstance(value, str) and re.fullmatch(r"-?\d+,\d+", value):
        return "decimal_comma", {"value": value, "range": span(), "point": value.replace(",", ".")}
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "not_whole" if whole else "not_number", {"value": value, "range": span()}
    if whole and value == value and abs(value) != float("inf") and value != int(value):
        return "not_whole_point", {"value": value, "range": span()}
    if low <= value <= high:  # false for NaN
        return None
    bounds = {"value": value, **ends}
    if unit.startswith("share") and 1.5 < value <= 100 and low <= value / 100 <= high:
        return "percent", bounds | {"share": format_value(float(value) / 100)}
    return "outside", bounds | {"unit": unit}


def between(low: float, high: float, unit: str = "", *, whole: bool = False) -> BeforeValidator:
    """Return the check of a number within [low, high]: `Annotated[float, between(0, 1, "share")]`."""

    def check(value: Any) -> float | int:
        wrong = number_fault(value, low, high, unit, whole)
        if wrong:
            raise refusal(*wrong)
        return int(value) if whole else float(value)

    return BeforeValidator(check)


def refusal(phrase: str, words: dict[str, Any]) -> PydanticCustomError:
    """Return the error a field type raises; `phrase` and `words` become the fault."""
    return PydanticCustomError(phrase, "refused", words)


def _month(value: Any) -> int:
    try:
        return parse_month(value)
    except InputError as error:
        raise refusal(error.faults[0].phrase, error.faults[0].words) from None


def _when(value: Any) -> int:
    try:
        return parse_when(value)
    except InputError as error:
        raise refusal(error.faults[0].phrase, error.faults[0].words) from None


def is_id(value: Any) -> bool:
    """Tell whether this is a short name, as of a service or an OPD: small letters, digits and -."""
    return isinstance(value, str) and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", value) is not None


def _id(value: Any) -> str:
    if not is_id(value):
        raise refusal("not_id", {"value": value})
    return str(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise refusal("not_text", {"value": value})
    if not value.strip():
        raise refusal("empty", {"value": value})
    return value


def _scalar(value: Any) -> bool | int | float | str:
    if not isinstance(value, (bool, int, float, str)):
        raise refusal("not_scalar", {"value": value})
    return value


def _word(value: Any, handler: Any) -> Any:
    """Give a closed choice its own message with the nearest right word."""
    try:
        return handler(value)
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
        choices = re.findall(r"'([^']*)'", details["ctx"]["expected"])
        near = nearest(value, choices) if isinstance(value, str) else None
        words = {"value": value, "choices": ", ".join(choices), "near": near}
        raise refusal("choice", words) from None


Month = Annotated[int, BeforeValidator(_month)]
When = Annotated[int, BeforeValidator(_when)]  # a month, also `next January`
Id = Annotated[str, BeforeValidator(_id)]
Text = Annotated[str, BeforeValidator(_text)]
Scalar = Annotated[Any, BeforeValidator(_scalar)]
Choice = WrapValidator(_word)
Share = Annotated[float, between(0, 1, "share")]
Rupiah = Annotated[float, between(0, 1e15, "rupiah")]
AnyNumber = Annotated[float, between(-1e18, 1e18)]


class Table(BaseModel):
    """A TOML table: types are not guessed, unknown keys are refused, nothing changes once read."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, populate_by_name=True)


class Words(Table):
    """A text in both languages; `words["id"]` is the Indonesian one."""

    en: Text
    id: Text

    def __getitem__(self, lang: str) -> str:
        return str(getattr(self, lang))


def _in_both(value: Any) -> Any:
    return {"en": value, "id": value} if isinstance(value, str) else value


Told = Annotated[Words, BeforeValidator(_in_both)]  # words; a plain text stands for both languages


class Registered(Table):
    """A table that names the register whose list decides who is served."""

    # pydantic models have a class method `register`, hence the underscore and the property.
    register_: Annotated[Literal["eppgbm", "krs", "dtks", "dukcapil", "kohort", "own", "none"] | None, Choice] = Field(
        default=None, alias="register"
    )

    @property
    def register(self) -> str | None:
        """The register as written in the file, None when it is left to the service."""
        return self.register_


TableType = TypeVar("TableType", bound=BaseModel)
_PYDANTIC = {
    "missing": "missing",
    "extra_forbidden": "unknown",
    "bool_type": "not_bool",
    "string_type": "not_text",
    "list_type": "not_list",
    "dict_type": "not_table",
    "model_type": "not_table",
    "model_attributes_type": "not_table",
}


def validated(table: type[TableType], data: Any, where: object, prefix: str = "") -> TableType:
    """Check parsed TOML against a table type. Raises InputError with every fault, under its dotted key."""
    try:
        return table.model_validate(data)
    except ValidationError as error:
        raise InputError(
            [_as_fault(each, table, data, where, prefix) for each in error.errors(include_url=False)]
        ) from None


def tables(data: dict[str, Any], room: str) -> dict[Any, Any]:
    """Return the tables of a room by key; none when it is no table itself."""
    found = data.get(room)
    return found if isinstance(found, dict) else {}


def entries(data: dict[str, Any], room: str) -> dict[Any, Any]:
    """Return the entries of a list by number; none when it is no list."""
    found = data.get(room)
    return dict(enumerate(found)) if isinstance(found, list) else {}


def right(table: type[TableType], written: dict[Any, Any]) -> dict[Any, TableType]:
    """Return the entries that are right, to be checked further; `validated` says what is wrong with the others."""
    found: dict[Any, TableType] = {}
    for key, entry in written.items():
        try:
            found[key] = table.model_validate(entry)
        except ValidationError:
            continue
    return found


def _as_fault(details: ErrorDetails, table: type[BaseModel], data: Any, where: object, prefix: str) -> Fault:
    loc = details["loc"]
    key = prefix + ("." if prefix and loc else "") + dotted(loc, data)
    phrase = _PYDANTIC.get(details["type"], details["type"])
    words: dict[str, Any] = dict(details.get("ctx") or {})
    if phrase == "unknown":
        words = {"near": nearest(str(loc[-1]), keys_at(table, loc[:-1]))}
    elif phrase == "missing":
        written = [str(each) for each in _at(data, loc[:-1])]
        rivals = [each for each in written if each not in keys_at(table, loc[:-1])]
        words = {"expected": f"{loc[-1]} = ...", "near": None}
        if rival := nearest(str(loc[-1]), rivals):
            words["expected"] = fault("", "", "instead", expected=words["expected"], rival=rival)
    elif phrase in _PYDANTIC.values():
        words = {"value": details["input"]}
    if phrase not in texts()["phrase"]:  # a complaint that we have no sentence for yet
        phrase, words = "plain", {"text": details["msg"]}
    return fault(where, key, phrase, **words)


def dotted(loc: tuple[int | str, ...], data: Any) -> str:
    """Return a fault's place as `opd[dinkes].ego`: a list entry by its id, else by its number from 1."""
    text = ""
    for step in loc:
        entry = _step(data, step)
        if isinstance(step, int):
            named = entry if isinstance(entry, dict) else {}
            names = [
                str(named[each]) for each in ("id", "service", "kecamatan", "system", "from", "name") if named.get(each)
            ]
            text += f"[{names[0] if names else f'#{step + 1}'}]"
        else:
            text += f".{step}" if text else step
        data = entry
    return text


def _step(data: Any, step: int | str) -> Any:
    try:
        return data[step]
    except (KeyError, IndexError, TypeError):
        return None


def _at(data: Any, loc: tuple[int | str, ...]) -> dict[str, Any]:
    for step in loc:
        data = _step(data, step)
    return data if isinstance(data, dict) else {}


def keys_at(table: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Return the keys a TOML file may use at this place."""
    kind: Any = table
    for step in loc:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            fields = {field.alias or name: field.annotation for name, field in kind.model_fields.items()}
            kind = fields.get(str(step))
        else:  # inside a list or a dict, whose last argument is the kind of its entries
            kind = _entry_kind(kind)
        kind = _plain(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [field.alias or name for name, field in kind.model_fields.items()]
    return []


def _plain(kind: Any) -> Any:
    """Take the table out of `Table | None`."""
    if get_origin(kind) in (list, dict, tuple) or isinstance(kind, type):
        return kind
    return next((each for each in get_args(kind) if each is not type(None)), kind)


def _entry_kind(kind: Any) -> Any:
    return get_args(kind)[-1] if get_args(kind) else None
