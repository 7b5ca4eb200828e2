"""What there is, as tables: districts, scenarios, services and parameters, each with where its numbers come from."""

from __future__ import annotations

import functools
from dataclasses import fields
from typing import Any

import pandas as pd

from konvergensi.inputs import country
from konvergensi.inputs.agencies import opd_parameters
from konvergensi.inputs.arguments import public, text
from konvergensi.inputs.country_profiles import formulas, labels_of, profile_row
from konvergensi.inputs.districts import District, find_district, list_districts
from konvergensi.inputs.parameters import Parameter, load_parameters
from konvergensi.inputs.scenarios import list_scenarios, load_scenario
from konvergensi.inputs.services import Effect, UnitCost, load_services

QUANTITY = ("value", "unit", "low", "high", "source", "grade")


@public(search=text)
def districts(search: str = "") -> pd.DataFrame:
    """Every district that can be asked for: those that come as folders, then the rest of the 514 by their codes.

    id (what `district=` takes, as it takes the name or the code), code (blank: no real district), name, province, kind,
    kecamatan, villages, families (with families_source and families_grade), extends, synthetic (which of its inputs
    are, joined by commas), first_lokus_year, and survey, year, percent of its last published survey.
    Parameters: search, only those whose id, code, name or province has this in it, whatever capitals are used.
    """
    rows = [_folder_row(place) for place in map(find_district, list_districts())]
    there = {row["code"] for row in rows}
    rows += [_profile_row(code) for code in country.codes().tolist() if code not in there]
    table = pd.DataFrame(rows).astype({"first_lokus_year": "Int64", "year": "Int64"})
    words = search.casefold().split()
    known = table[["id", "code", "name", "province"]].agg(" ".join, axis=1).str.casefold()
    return table[[all(word in each for word in words) for each in known]].reset_index(drop=True)


def _folder_row(place: District) -> dict[str, Any]:
    families = place.population["families"]
    return {
        "id": place.id,
        "code": place.area or "",
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
        **_of_country(place.area),
    }


def _profile_row(code: str) -> dict[str, Any]:
    """What `_folder_row` says, from the tables alone."""
    told: dict[str, Any] = country.districts().loc[code].to_dict()  # type: ignore[assignment]
    row, rule = profile_row(code), formulas()
    return {
        "id": code,
        "code": code,
        "name": told["name"],
        "province": told["province"],
        "kind": told["kind"],
        "kecamatan": int(told["kecamatan"]),
        "villages": int(told["villages"]),
        "families": int(row["families"]),
        "families_source": rule["families"]["source"],
        "families_grade": rule["families"]["grade"],
        "extends": rule["kind"][row["archetype"]]["extends"],
        "synthetic": ", ".join(labels_of(code)),
        **_of_country(code),
    }


def _of_country(code: str | None) -> dict[str, Any]:
    """First year as a priority district, and the last published survey."""
    if code is None:
        return {"first_lokus_year": None, "survey": "", "year": None, "percent": None}
    last = _last_surveys().get(code, {"measure_system": "", "year": None, "percent": None})
    year = int(profile_row(code)["first_lokus_year"])
    return {
        "first_lokus_year": year,
        "survey": last["measure_system"],
        "year": last["year"],
        "percent": last["percent"],
    }


@functools.cache
def _last_surveys() -> dict[str, Any]:
    last = country.surveys().sort_values("year").groupby("code").tail(1)
    return {str(row["code"]): row for row in last.to_dict("records")}


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
