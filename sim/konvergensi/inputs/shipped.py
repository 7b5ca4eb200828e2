"""What there is, as tables: districts, scenarios, services and parameters, each with where its numbers come from."""

from __future__ import annotations

from dataclasses import fields

import pandas as pd

from konvergensi.inputs.agencies import opd_parameters
from konvergensi.inputs.arguments import public, text
from konvergensi.inputs.districts import find_district, list_districts
from konvergensi.inputs.parameters import Parameter, load_parameters
from konvergensi.inputs.scenarios import list_scenarios, load_scenario
from konvergensi.inputs.services import Effect, UnitCost, load_services

QUANTITY = ("value", "unit", "low", "high", "source", "grade")


def districts() -> pd.DataFrame:
    """The districts that come with the package.

    id, name, province, kind, kecamatan, villages, families (with families_source and families_grade), extends, and
    synthetic: which of its inputs are, joined by commas.
    """
    rows = []
    for place in map(find_district, list_districts()):
        families = place.population["families"]
        rows.append(
            {
                "id": place.id,
                "name": place.name,
                "province": place.province,
                "kind": place.kind,
                "kecamatan": place.villages["kecamatan"].nunique(),
                "villages": len(place.villages),
                "families": int(families.value),
                "families_source": families.source,
                "families_grade": families.grade,
                "extends": place.extends or "",
                "synthetic": ", ".join(place.synthetic),
            }
        )
    return pd.DataFrame(rows)


@public()
def scenarios(lang: str = "en") -> pd.DataFrame:
    """The scenarios that come with the package: id, title, question, extends, and how many dated changes each makes."""
    rows = [
        (each.id, each.title[lang], each.question[lang], each.extends or "", len(each.changes))
        for each in map(load_scenario, list_scenarios())
    ]
    return pd.DataFrame(rows, columns=["id", "title", "question", "extends", "changes"])


@public()
def services(lang: str = "en") -> pd.DataFrame:
    """The services of the model.

    id, name, class, opd (who delivers), money (source), target, need, ages, package (whether it belongs to the complete
    package); effect and unit_cost, each with unit, low, high, source and grade (`effect_unit`, `unit_cost_grade`).
    """
    rows = []
    for each in load_services().values():
        rows.append(
            {
                "id": each.id,
                "name": each.name[lang],
                "class": each.class_,
                "opd": each.opd,
                "money": each.money,
                "target": each.target[lang],
                "need": each.need,
                "from_age": str(each.from_age),
                "to_age": str(each.to_age),
                "package": each.package,
                **_written("effect", each.effect),
                **_written("unit_cost", each.unit_cost),
            }
        )
    return pd.DataFrame(rows)


@public(room=text)
def parameters(room: str = "", district: str | None = None) -> pd.DataFrame:
    """The parameters, a row for each: key, value, unit, low, high, choices, source, grade, meaning, arti, and the rest.

    Parameters: room, those of one mechanism only, such as `budget`; district, with those of its agencies
    (`opd.<id>.<field>`) and with the values that the district has of its own. Raises InputError for an unknown
    district.
    """
    known = load_parameters()
    own: dict[str, dict[str, object]] = {}
    if district is not None:
        place = find_district(district)
        known |= opd_parameters(place.opd)
        own = {
            key: {"value": each.value, "source": each.source, "grade": each.grade}
            for key, each in place.overrides.items()
        }
    names = [each.name for each in fields(Parameter)]
    rows = [
        {name: getattr(each, name) for name in names} | own.get(key, {})
        for key, each in known.items()
        if not room or key.startswith(f"{room}.")
    ]
    return pd.DataFrame(rows, columns=names)


def _written(name: str, quantity: Effect | UnitCost) -> dict[str, object]:
    """The columns of a quantity: `name` is its value."""
    return {name if part == "value" else f"{name}_{part}": getattr(quantity, part) for part in QUANTITY}
