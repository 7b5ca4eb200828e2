"""budget.xlsx or budget.csv of a district: what its agencies really have, in place of the assumed lines of opd.toml.

Columns: agency, programme or service, source, amount in rupiah a year, and, where known, families served for it. Rows
for one agency, service and source add up; rows without an amount leave the line as it is. `konvergensi budget-template`
writes such a file to fill in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from konvergensi.base.errors import Fault, InputError, fault, unknown_name
from konvergensi.inputs.agencies import Opd, Programme
from konvergensi.inputs.office_cells import Numbers, as_text, decimal_marks, plain_number, scale_of
from konvergensi.inputs.office_table import OfficeTable, read_table
from konvergensi.inputs.services import Service, load_services

FILES = ("budget.xlsx", "budget.csv")
NEEDED = ("agency", "source", "amount_rp")
SOURCES = {"apbn": "apbn", "dak": "dak", "apbd": "apbd", "dana desa": "dana-desa", "dd": "dana-desa", "csr": "csr"}
GRADE = "published"  # a district's own budget document
AMOUNT = Numbers(0, 1e15, "rupiah", True, ("rupiah",))
FAMILIES = Numbers(1, 10_000_000, "families", True, ("kk", "keluarga", "families"))
_TIMES = 5.0  # a cost per service this far from the model's: amount or families are in another unit


@dataclass(frozen=True)
class OwnBudget:
    """The lines of the file by programme id, Rp a year; the programmes with them; notes, what was read how."""

    amounts: dict[str, float]
    programmes: tuple[Programme, ...]
    notes: tuple[Fault, ...]


def read_own_budget(
    content: bytes, path: Path, opd: Sequence[Opd], programmes: Sequence[Programme], overhead: float
) -> OwnBudget:
    """Put the file's amounts into the programmes; agency, service and source that have no line yet get one.

    Parameters: overhead, share of a service's unit cost that comes on top of it, to tell unit costs from families.
    Raises InputError with every fault: an agency, service or source nobody knows, an amount that may mean two things or
    is no number, and a cost for each service far from the model's.
    """
    found = read_table(content, path, "money", (*NEEDED, "service", "programme", "families"), ("agency", "source"))
    missing = [name for name in NEEDED if name not in found.columns]
    if not {"service", "programme"} & found.columns.keys():
        missing.append("service")
    if missing:
        raise InputError(fault(path, name, "missing_column") for name in missing)
    rows, faults = _rows(found, opd)
    lines = {each.id: each for each in programmes}
    amounts: dict[str, float] = {}
    families: dict[str, float | None] = {}
    for (agency, service, source), amount, served in rows:
        name = f"{agency}:{service}:{source}"
        before = families.get(name, 0.0)
        amounts[name] = amounts.get(name, 0.0) + amount
        families[name] = None if served is None or before is None else before + served
    for name, amount in amounts.items():
        lines[name] = _line(name, amount, families[name], lines.get(name), path, overhead, faults)
    if faults:
        raise InputError(faults)
    if len(rows) > len(amounts):
        found.notes.append(fault(path, "", "read_added", n=len(rows), lines=len(amounts)))
    found.notes.append(fault(path, "", "read_budget", n=len(amounts), rp=_spaced(sum(amounts.values()))))
    return OwnBudget(amounts, tuple(lines.values()), tuple(found.notes))


_Row = tuple[tuple[str, str, str], float, float | None]


def _rows(found: OfficeTable, opd: Sequence[Opd]) -> tuple[list[_Row], list[Fault]]:
    """Rows with an amount: agency, service, source; rupiah; families or None."""
    marks = decimal_marks(found, {})
    amounts, faults = plain_number(found, "amount_rp", AMOUNT, marks)
    served = [""] * len(found.rows)
    if "families" in found.columns:
        served, wrong = plain_number(found, "families", FAMILIES, marks)
        faults += wrong
    scale = scale_of(found.headers["amount_rp"])
    rows: list[_Row] = []
    for at in range(len(found.rows)):
        if not amounts[at]:
            continue
        amount, wrong = _number(found, "amount_rp", at, amounts[at], AMOUNT)
        people, more = _number(found, "families", at, served[at], FAMILIES) if served[at] else (None, [])
        keys, unknown = _keys(found, at, opd)
        faults += [*wrong, *more, *unknown]
        if not (wrong or more or unknown):
            rows.append((keys, float(amount or 0.0) * scale, people))
    return rows, faults


def _number(found: OfficeTable, name: str, at: int, text: str, spec: Numbers) -> tuple[float | None, list[Fault]]:
    try:
        value = float(text)
    except ValueError:
        return None, found.first_fault(name, [at], fault("", "", "not_number", value=text, range=""))
    if not spec.low <= value <= spec.high:
        words = {"value": value, "low": f"{spec.low:g}", "high": f"{spec.high:g}", "unit": spec.unit}
        return None, found.first_fault(name, [at], fault("", "", "outside", **words))
    return value, []


def _keys(found: OfficeTable, at: int, opd: Sequence[Opd]) -> tuple[tuple[str, str, str], list[Fault]]:
    """Agency, service and source of a row by their ids; what nobody knows as faults at its cell."""
    services = load_services()
    faults: list[Fault] = []

    def known(column: str, what: str, names: dict[str, str]) -> str:
        text = as_text(found.cells(column)[at])
        key = _plain(text)
        if key in names:
            return names[key]
        there = sorted(set(names.values()))
        wrong = unknown_name("", "", what, text, there) if text else fault("", "", "empty")
        faults.extend(found.first_fault(column, [at], wrong))
        return ""

    agency = known("agency", "OPD", {_plain(name): each.id for each in opd for name in (each.id, each.name)})
    column = "service" if "service" in found.columns and as_text(found.cells("service")[at]) else "programme"
    column = column if column in found.columns else "service"
    service = known(column, "service", {name: each.id for each in services.values() for name in _names(each)})
    return (agency, service, known("source", "money", SOURCES)), faults


def _names(service: Service) -> list[str]:
    return [_plain(service.id), *(_plain(service.name[lang]) for lang in ("en", "id"))]


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", text.casefold()).split())


def _spaced(rp: float) -> str:
    """Rupiah with spaces between thousands, which both languages read alike."""
    return f"{rp:,.0f}".replace(",", " ")


def services_a_year(service: Service) -> int:
    """How many services one family gets in a year at most: a course of three months has three, works are built once."""
    return 1 if service.place.built else min(len(service.months), service.duration_months)


def _line(
    name: str, amount: float, families: float | None, old: Programme | None, path: Path, overhead: float,
    faults: list[Fault],
) -> Programme:  # fmt: skip
    """The programme with the file's money, and with its cost for each service where families are known."""
    agency, service_id, source = name.split(":")
    service = load_services()[service_id]
    told = f"{path.name}: the district's own budget"
    own = {"budget_rp": amount, "funded_share": None, "source": told, "grade": GRADE}
    if families and amount:
        cost = amount / families / services_a_year(service) / (1.0 + overhead)
        usual = float((old.unit_cost_rp if old else None) or service.unit_cost.value)
        if not usual / _TIMES <= cost <= usual * _TIMES:
            words = {"line": name, "cost": _spaced(cost), "usual": _spaced(usual)}
            faults.append(fault(path, "families", "unlike_unit_cost", **words))
        own["unit_cost_rp"] = cost
    if old is not None:
        return old.model_copy(update=own)
    return Programme.model_validate({"service": service_id, "opd": agency, "money": source, **own})
