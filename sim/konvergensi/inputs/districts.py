"""Districts as data: district.toml (totals, own values, history, surveys), villages.csv or .xlsx, opd.toml.

A district may extend another: what its folder does not say comes from there (inputs/district_chain.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from konvergensi.base.errors import Fault, InputError, fault, unknown_name
from konvergensi.base.files import locate
from konvergensi.inputs import district_chain
from konvergensi.inputs.additions import added_programmes
from konvergensi.inputs.agencies import Opd, OpdFile, Programme, line_parameters, opd_parameters, read_opd
from konvergensi.inputs.country import districts as country_districts
from konvergensi.inputs.country_profiles import content_of, folder_of, is_there, published_rows
from konvergensi.inputs.district_chain import FILES, WORKBOOK, Chain
from konvergensi.inputs.district_faults import key_faults, size_faults
from konvergensi.inputs.district_names import district_id, list_districts, shipped_folders
from konvergensi.inputs.fields import Words
from konvergensi.inputs.own_budget import OwnBudget, read_own_budget
from konvergensi.inputs.parameters import Parameter, load_parameters
from konvergensi.inputs.profile import OPTIONAL, REQUIRED, Event, Override, Quantity, Survey
from konvergensi.inputs.published import Published, read_published
from konvergensi.inputs.villages import Villages, read_villages

__all__ = [
    "FILES",
    "OPTIONAL",
    "REQUIRED",
    "WORKBOOK",
    "District",
    "district_id",
    "find_district",
    "list_districts",
    "load_district",
]


@dataclass(frozen=True, eq=False)
class District:
    """One district, checked. `villages` has one row per village: see inputs/villages.py for its columns.

    `area` is the official code of the district it stands for, None for none; `levelled` tells whether level and rise
    are those solved from the fit over the country (scenarios/country/levels.csv). `published` is what was really found
    there (inputs/published.py), with the surveys of the whole country where `area` is its own. `inherited` says which
    entries (`population.families`, `set.<key>`, `villages`, `opd`, `survey.<system>`) stand in the file of which other
    district; `hashes` covers every file that a run reads, those of other districts as `<id>/<file>`; `readings` says
    how tables of the office's own making were read, one line each; `own_lines` names the programmes whose money stands
    in its own budget file (inputs/own_budget.py).
    """

    id: str
    name: str
    province: str
    kind: str
    notes: Words
    synthetic: tuple[str, ...]
    population: dict[str, Quantity]
    overrides: dict[str, Override]
    timeline: tuple[Event, ...]
    surveys: tuple[Survey, ...]
    villages: pd.DataFrame
    opd: tuple[Opd, ...]
    programmes: tuple[Programme, ...]
    path: Path
    hashes: dict[str, str]
    extends: str | None = None
    area: str | None = None
    levelled: bool = False
    inherited: dict[str, str] = field(default_factory=dict)
    published: tuple[Published, ...] = ()
    readings: tuple[Fault, ...] = ()
    own_lines: tuple[str, ...] = ()

    def parameters(self) -> dict[str, Parameter]:
        """Return every key a scenario may set here: the model's, `opd.<id>.<field>` and `programmes.<line>.<field>`."""
        return load_parameters() | opd_parameters(self.opd) | line_parameters(each.id for each in self.programmes)


def find_district(name_or_path: str | Path) -> District:
    """Read one of the 514 districts by name or code, a shipped district by its id, or a folder with a district.toml.

    A name is read as people write it: `Lebak`, `LEBAK`, `Kab. Lebak`, `Kota Banjar`; a code as `32.11`.

    Raises InputError for a name that fits two districts, and with every fault of the files of the one that was found,
    each naming file, key, value and what is allowed.
    """
    meant = district_id(name_or_path)
    if isinstance(meant, str) and meant in country_districts().index:
        return load_district(folder_of(meant))
    path = locate(meant, "district", shipped_folders())
    return load_district(path if os.path.isdir(path) else path.parent)


def load_district(folder: Path) -> District:
    """Read and check the district in a folder, with those it extends. Raises InputError with every fault found."""
    chain = district_chain.read_chain(folder)
    own, faults, contents = chain.own, chain.faults, {}

    def table(name: str, parse: Callable[[bytes, Path], Any]) -> Any:
        path = chain.paths[name]
        if not chain.whole and not is_there(path):
            return None  # it may be meant to come from a district that could not be read
        try:
            contents[name] = content_of(path)
            return parse(contents[name], path)
        except InputError as error:
            faults.extend(error.faults)
            return None

    read: Villages | None = table("villages.csv", read_villages)
    villages = None if read is None else read.table
    agencies: OpdFile | None = table("opd.toml", read_opd)
    money = _own_budget(chain, agencies, contents, faults)
    published: tuple[Published, ...] = ()
    try:
        published = read_published(folder, None if villages is None else villages["kecamatan"])
        published = _with_country(chain, published)
    except InputError as error:
        faults.extend(error.faults)
    said = district_chain.lay(chain)
    faults += key_faults(chain, said, None if agencies is None else opd_parameters(agencies.opd))
    faults += size_faults(chain, said, villages)
    main = chain.profiles[0].main if chain.profiles else None
    readings = (*(() if read is None else read.notes), *(() if money is None else money.notes))
    if faults or main is None or read is None or villages is None or agencies is None:
        raise InputError(faults, readings)
    return District(
        id=district_chain.id_of(own),
        name=main.name,
        province=main.province,
        kind=main.kind,
        notes=main.notes,
        synthetic=district_chain.synthetic(chain, said, villages),
        population={name: total for name, (_, total) in said.population.items()},
        overrides={key: each for key, (_, each) in said.overrides.items()},
        timeline=tuple(sorted((event for _, event in said.timeline), key=lambda event: event.month)),
        surveys=tuple(sorted((survey for _, survey in said.surveys), key=lambda survey: survey.fieldwork)),
        villages=villages,
        opd=tuple(agencies.opd),
        programmes=(*(agencies.programme if money is None else money.programmes), *_added(agencies)),
        path=folder,
        hashes=district_chain.hashes(chain, contents),
        extends=main.extends,
        area=district_chain.area(chain)[1],
        levelled=district_chain.levelled(said),
        inherited=district_chain.inherited(chain, said),
        published=published,
        readings=readings,
        own_lines=() if money is None else tuple(money.amounts),
    )


def _with_country(chain: Chain, own: tuple[Published, ...]) -> tuple[Published, ...]:
    """What a district publishes itself, and surveys of the country that it does not name; by time."""
    main = chain.profiles[0].main if chain.profiles else None
    if main is None or main.area is None:
        return own
    named = {(each.system, each.fieldwork[:4]) for each in own if each.kecamatan is None}
    rows = [Published.model_validate(row) for row in published_rows(main.area)]
    more = [each for each in rows if (each.system, each.fieldwork[:4]) not in named]
    return tuple(sorted((*own, *more), key=lambda each: each.fieldwork))


def _own_budget(
    chain: Chain, agencies: OpdFile | None, contents: dict[str, bytes], faults: list[Fault]
) -> OwnBudget | None:
    """The budget file of the nearest district that has one, unless its agencies are those of another."""
    if agencies is None or "budget" not in chain.paths:
        return None
    path = chain.paths["budget"]
    try:
        contents["budget"] = content_of(path)
        overhead = float(load_parameters()["budget.overhead_share"].value)
        return read_own_budget(contents["budget"], path, agencies.opd, agencies.programme, overhead)
    except InputError as error:
        faults.extend(error.faults)
        return None


def _added(agencies: OpdFile) -> list[Programme]:
    """Programmes of extensions. Raises InputError where this district has no such agency, or the programme already."""
    ids, there = [each.id for each in agencies.opd], [each.id for each in agencies.programme]
    faults = []
    for where, each in added_programmes():
        if each.opd not in ids:
            faults.append(unknown_name(where, f"programme[{each.id}].opd", "OPD", each.opd, ids))
        elif each.id in there:
            faults.append(fault(where, "programme", "duplicate", value=each.id, at=""))
        there.append(each.id)
    if faults:
        raise InputError(faults)
    return [each for _, each in added_programmes()]
