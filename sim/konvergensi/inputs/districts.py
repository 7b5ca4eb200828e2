"""Districts as data: district.toml (totals, own values, history, surveys), villages.csv or .xlsx, opd.toml.

A district may extend another: what its folder does not say comes from there (docs/decisions/0015-districts.md).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from konvergensi.base.errors import Fault, InputError, fault, format_value, nearest, unknown, unknown_name
from konvergensi.base.files import data_root, digest, exists, is_path, locate, read_toml
from konvergensi.base.months import format_month
from konvergensi.inputs.additions import added_programmes
from konvergensi.inputs.agencies import Opd, OpdFile, Programme, duplicates, line_parameters, opd_parameters, read_opd
from konvergensi.inputs.changes import Change, inside_fault, inside_ramps, ramp_fault, until_fault
from konvergensi.inputs.country import LEVEL_KEYS, levels, resolve_area, shipped_codes
from konvergensi.inputs.country import districts as country_districts
from konvergensi.inputs.country_profiles import (
    VILLAGES_LABEL,
    code_of,
    content_of,
    folder_of,
    is_there,
    published_rows,
)
from konvergensi.inputs.fields import Words
from konvergensi.inputs.own_budget import FILES as BUDGETS
from konvergensi.inputs.own_budget import OwnBudget, read_own_budget
from konvergensi.inputs.parameters import Parameter, load_parameters
from konvergensi.inputs.profile import OPTIONAL, REQUIRED, Event, Override, Profile, Quantity, Survey, read_profile
from konvergensi.inputs.published import Published, read_published
from konvergensi.inputs.villages import Villages, read_villages

__all__ = [
    "FILES",
    "OPTIONAL",
    "REQUIRED",
    "District",
    "district_id",
    "find_district",
    "list_districts",
    "load_district",
]

FILES = ("district.toml", "villages.csv", "opd.toml")
WORKBOOK = "villages.xlsx"  # may stand for villages.csv
# first total, second total, times, least, most: outside these one of the two is in another unit or has a slip in it
PLAUSIBLE = (
    ("births_per_year", "persons", 1000.0, 5.0, 45.0, "births_per_1000"),
    ("births_per_year", "families", 100.0, 2.0, 25.0, "births_per_100"),
    ("persons", "families", 1.0, 2.0, 9.0, "family_size"),
)


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


def list_districts() -> list[str]:
    """Return the ids of the districts that come with the package."""
    return sorted(_shipped())


def find_district(name_or_path: str | Path) -> District:
    """Read one of the 514 districts by name or code, a shipped district by its id, or a folder with a district.toml.

    A name is read as people write it: `Lebak`, `LEBAK`, `Kab. Lebak`, `Kota Banjar`; a code as `32.11`.

    Raises InputError for a name that fits two districts, and with every fault of the files of the one that was found,
    each naming file, key, value and what is allowed.
    """
    meant = district_id(name_or_path)
    if isinstance(meant, str) and meant in country_districts().index:
        return load_district(folder_of(meant))
    path = locate(meant, "district", _shipped())
    return load_district(path if os.path.isdir(path) else path.parent)


def district_id(name_or_path: str | Path) -> str | Path:
    """The id of the shipped district that is meant, else the code of one of the 514, or what was given where it is a
    path or fits none.

    Raises InputError for a name that fits two districts, naming both with what to write.
    """
    shipped = _shipped()
    if is_path(name_or_path) or str(name_or_path) in shipped or not str(name_or_path).strip():
        return name_or_path
    if exists(Path(name_or_path)):
        return name_or_path  # a folder of one's own
    try:
        code = resolve_area(name_or_path, "", "--district")
        return next((id_ for id_, own in shipped_codes().items() if own == code and id_ in shipped), code)
    except InputError as error:
        if error.faults[0].phrase == "two_areas":
            raise
        return _shipped_id(str(name_or_path), shipped, error.faults[0])


def _shipped_id(name: str, shipped: dict[str, Path], unknown_area: Fault) -> str:
    """The id of a shipped district that is no real one (an archetype), or the name where it fits none.

    Raises InputError where a district of the country is nearly called so.
    """
    meant = _as_named(name)
    names = {id_: [_as_named(id_), _as_named(_name_of(path))] for id_, path in shipped.items()}
    found = [id_ for id_, known in names.items() if meant in known]
    # without `Kabupaten` or `Kota` it may be either
    found = found or [id_ for id_, known in names.items() if meant in (_without_kind(each) for each in known)]
    if len(found) > 1:
        choices = ", ".join(f"{_name_of(shipped[id_])} ({id_})" for id_ in found)
        raise InputError(fault("", "--district", "two_districts", value=name, choices=choices))
    if not found and unknown_area.words.get("near") and not nearest(name, shipped):
        raise InputError(unknown_area)
    return found[0] if found else name


def _as_named(name: str) -> str:
    """A name as it is compared: small letters, one space between words, `kabupaten` written out."""
    words = re.sub(r"[\W_]+", " ", name.casefold()).split()
    return " ".join(["kabupaten", *words[1:]] if words[:1] == ["kab"] else words)


def _without_kind(name: str) -> str:
    return re.sub("^(kabupaten|kota) ", "", name)


def _name_of(folder: Path) -> str:
    """What a shipped district's file calls it; nothing where it cannot be read, which reading it will say."""
    try:
        return str(read_toml(folder / FILES[0]).get("name", ""))
    except InputError:
        return ""


def load_district(folder: Path) -> District:
    """Read and check the district in a folder, with those it extends. Raises InputError with every fault found."""
    chain = _read_chain(folder)
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
    said = _lay(chain)
    faults += _key_faults(chain, said, None if agencies is None else opd_parameters(agencies.opd))
    faults += _size_faults(chain, said, villages)
    main = chain.profiles[0].main if chain.profiles else None
    if faults or main is None or read is None or villages is None or agencies is None:
        raise InputError(faults)
    return District(
        id=_id(own),
        name=main.name,
        province=main.province,
        kind=main.kind,
        notes=main.notes,
        synthetic=_synthetic(chain, said, villages),
        population={name: total for name, (_, total) in said.population.items()},
        overrides={key: each for key, (_, each) in said.overrides.items()},
        timeline=tuple(sorted((event for _, event in said.timeline), key=lambda event: event.month)),
        surveys=tuple(sorted((survey for _, survey in said.surveys), key=lambda survey: survey.fieldwork)),
        villages=villages,
        opd=tuple(agencies.opd),
        programmes=(*(agencies.programme if money is None else money.programmes), *_added(agencies)),
        path=folder,
        hashes=_hashes(chain, contents),
        extends=main.extends,
        area=_area(chain)[1],
        levelled=_levelled(said),
        inherited=_inherited(chain, said),
        published=published,
        readings=(*read.notes, *(() if money is None else money.notes)),
        own_lines=() if money is None else tuple(money.amounts),
    )


def _area(chain: _Chain) -> tuple[int, str | None]:
    """The code of the nearest profile that names one, after that profile's number."""
    named = ((number, each.main.area) for number, each in enumerate(chain.profiles) if each.main and each.main.area)
    return next(named, (0, None))


def _lay_level(chain: _Chain, said: _Said) -> None:
    """Level and rise solved from the fit over the country, unless a profile as near says its own (in place)."""
    number, code = _area(chain)
    if code is None or code not in levels().index:
        return
    if any(key in said.overrides and said.overrides[key][0] <= number for key in LEVEL_KEYS):
        return
    row: dict[str, float] = levels().loc[code].to_dict()  # type: ignore[assignment]
    source = (
        f"solved so that a run follows the centre of the fit over the country: {row['percent_2018']:.1f} percent "
        f"in 2018, {row['percent_2024']:.1f} in 2024 (scripts/fit_levels.py, decision 0038)"
    )
    for key in LEVEL_KEYS:
        said.overrides[key] = number, Override(value=row[key], source=source, grade="assumption")


def _levelled(said: _Said) -> bool:
    return all(key in said.overrides and "scripts/fit_levels.py" in said.overrides[key][1].source for key in LEVEL_KEYS)


def _with_country(chain: _Chain, own: tuple[Published, ...]) -> tuple[Published, ...]:
    """What a district publishes itself, and surveys of the country that it does not name; by time."""
    main = chain.profiles[0].main if chain.profiles else None
    if main is None or main.area is None:
        return own
    named = {(each.system, each.fieldwork[:4]) for each in own if each.kecamatan is None}
    rows = [Published.model_validate(row) for row in published_rows(main.area)]
    more = [each for each in rows if (each.system, each.fieldwork[:4]) not in named]
    return tuple(sorted((*own, *more), key=lambda each: each.fieldwork))


def _own_budget(
    chain: _Chain, agencies: OpdFile | None, contents: dict[str, bytes], faults: list[Fault]
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


def _shipped() -> dict[str, Path]:
    return {path.parent.name: path.parent for path in sorted(data_root().glob("districts/*/district.toml"))}


# ---- a district and those it extends ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Chain:
    """A district's profile and those it extends, nearest first; `whole` False when one could not be read or found.

    `paths` says where villages.csv and opd.toml are, `holder` which profile's folder that is (0 when they are in none).
    """

    own: Path
    profiles: list[Profile]
    whole: bool
    faults: list[Fault]
    paths: dict[str, Path]
    holder: dict[str, int]

    def prefix(self, number: int) -> str:
        """What the files of a profile are called in the manifest: plain names, or `<id>/` before them."""
        names = [_id(each.path) for each in self.profiles[1 : number + 1]]
        twice = f" ({names.count(names[-1])})" if names and names.count(names[-1]) > 1 else ""
        return f"{names[-1]}{twice}/" if number else ""


def _read_chain(folder: Path) -> _Chain:
    """Read a district.toml and those it extends. Raises InputError when there is no first one."""
    own = folder / FILES[0]
    if not is_there(own):
        raise InputError(fault(own, "", "no_file"))
    profiles: list[Profile] = []
    faults: list[Fault] = []
    whole, path = True, own
    while True:
        names = [_id(each.path) for each in profiles]
        if os.path.realpath(path) in [os.path.realpath(each.path) for each in profiles]:
            faults.append(fault(profiles[-1].path, "extends", "cycle", chain=" -> ".join([*names, _id(path)])))
            whole = False
            break
        try:
            profiles.append(read_profile(path))
            faults += profiles[-1].faults
            whole = profiles[-1].whole
            if profiles[-1].extends is None:
                break
            path = _parent(profiles[-1].extends, path)
        except InputError as error:
            faults += error.faults
            whole = False
            break
    if whole:
        faults += _missing(profiles)
    folders = [each.path.parent for each in profiles] or [folder]
    holder = {name: next((i for i, at in enumerate(folders) if is_there(_file(at, name))), 0) for name in FILES[1:]}
    paths = {name: _file(folders[number], name) for name, number in holder.items()}
    budgets = [(i, at / name) for i, at in enumerate(folders) for name in BUDGETS if exists(at / name)]
    if budgets and budgets[0][0] <= holder["opd.toml"]:
        holder["budget"], paths["budget"] = budgets[0]
        if len(budgets) > 1 and budgets[1][0] == budgets[0][0]:
            faults.append(fault(paths["budget"].parent, "", "two_files", first=BUDGETS[0], second=BUDGETS[1]))
    at = paths["villages.csv"].parent
    if exists(at / "villages.csv") and exists(at / WORKBOOK):
        faults.append(fault(at, "", "two_files", first="villages.csv", second=WORKBOOK))
    return _Chain(own, profiles, whole, faults, paths, holder)


def _file(folder: Path, name: str) -> Path:
    """Where a district keeps a file; villages may be a workbook."""
    book = folder / WORKBOOK
    return book if name == "villages.csv" and not exists(folder / name) and exists(book) else folder / name


def _id(path: Path) -> str:
    """The id of the district a file belongs to: its folder's name, the code of a profile."""
    if code := code_of(path.parent):
        return code
    return Path(os.path.realpath(path.parent)).name


def _parent(extends: str, path: Path) -> Path:
    """Find the district a file extends: a folder beside its own, else a shipped one; a path starts from its folder."""
    if is_path(extends):
        found = path.parent / extends / FILES[0]
        if not exists(found):
            raise InputError(fault(path, "extends", "no_file"))
        return found
    if extends in country_districts().index:
        return folder_of(extends) / FILES[0]  # the profile itself, also where a shipped folder stands for it
    beside, shipped = path.absolute().parent.parent / extends / FILES[0], _shipped()
    if exists(beside) and (os.path.realpath(beside) != os.path.realpath(path) or extends not in shipped):
        return beside
    return locate(extends, "district", shipped, f"{path}: extends") / FILES[0]


def _missing(profiles: list[Profile]) -> list[Fault]:
    """Say which totals stand in none of the profiles."""
    if any(each.written is None for each in profiles):
        return []
    written = {name for each in profiles for name in each.written or ()}
    faults = []
    for name in REQUIRED:
        if name not in written:
            near = nearest(name, (each for each in written if each not in REQUIRED + OPTIONAL))
            expected = f"{name} = {{ value = ..., unit = ... }}" + (f" (not {near})" if near else "")
            faults.append(fault(profiles[0].path, f"population.{name}", "missing", expected=expected))
    return faults


@dataclass(frozen=True)
class _Said:
    """What the profiles of a chain say together; each entry with the number of the profile it stands in."""

    population: dict[str, tuple[int, Quantity]]
    overrides: dict[str, tuple[int, Override]]
    timeline: list[tuple[int, Event]]
    surveys: list[tuple[int, Survey]]


def _lay(chain: _Chain) -> _Said:
    """Lay the profiles over each other: of totals, own values, changes at one date and surveys, the nearest holds.

    Values of agencies (`opd.<id>.<field>`) belong to the opd.toml they were written for.
    """
    said = _Said({}, {}, [], [])
    dated: set[tuple[int, str]] = set()
    yearly: set[tuple[str, int]] = set()
    for number, profile in enumerate(chain.profiles):
        for name, total in profile.population.items():
            said.population.setdefault(name, (number, total))
        for key, each in profile.overrides.items():
            if not _replaced(chain, number, key):
                said.overrides.setdefault(key, (number, each))
        for event in profile.timeline:
            left = {
                key: value
                for key, value in event.set.items()
                if (event.month, key) not in dated and not _replaced(chain, number, key)
            }
            if left:
                said.timeline.append((number, event.model_copy(update={"set": left})))
        dated |= {(event.month, key) for event in profile.timeline for key in event.set}
        said.surveys.extend((number, each) for each in profile.surveys if _round(each) not in yearly)
        yearly |= {_round(each) for each in profile.surveys}
    _lay_level(chain, said)
    return said


def _replaced(chain: _Chain, number: int, key: str) -> bool:
    return key.startswith("opd.") and number > chain.holder["opd.toml"]


def _round(survey: Survey) -> tuple[str, int]:
    return survey.system, survey.fieldwork // 12


def _inherited(chain: _Chain, said: _Said) -> dict[str, str]:
    """Return which entries stand in another district's files, and in whose."""
    ids = [_id(each.path) for each in chain.profiles]
    found = {f"population.{name}": number for name, (number, _) in said.population.items()}
    found |= {f"set.{key}": number for key, (number, _) in said.overrides.items()}
    found |= {f"survey.{format_month(each.fieldwork)}": number for number, each in said.surveys}
    found |= {
        f"timeline.{format_month(each.month)}.{key}": number for number, each in said.timeline for key in each.set
    }
    found |= {name.partition(".")[0]: number for name, number in chain.holder.items()}
    return {name: ids[number] for name, number in found.items() if number}


def _synthetic(chain: _Chain, said: _Said, villages: pd.DataFrame) -> tuple[str, ...]:
    """Inputs to name as synthetic in every output, inherited ones too; for villages the table itself decides.

    A label that begins with `agencies` or `population` is inherited as long as any of them is.
    """
    farthest = {
        "agencies": chain.holder["opd.toml"],
        "population": max(said.population[name][0] for name in REQUIRED),
    }
    named = [
        label
        for number, profile in enumerate(chain.profiles)
        for label in (profile.main.synthetic if profile.main else ())
        if label not in ("villages", VILLAGES_LABEL) and number <= farthest.get(label.split()[0], number)
    ]
    holder = chain.profiles[chain.holder["villages.csv"]].main
    label = VILLAGES_LABEL if holder and VILLAGES_LABEL in holder.synthetic else "villages"
    return tuple(dict.fromkeys([*([label] if villages["synthetic"].any() else []), *named]))


def _hashes(chain: _Chain, contents: dict[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 of every file read, by its name in the manifest."""
    files = {FILES[0]: chain.profiles[0].content}
    files |= {
        f"{chain.prefix(chain.holder[name])}{chain.paths[name].name}": content for name, content in contents.items()
    }
    files |= {f"{chain.prefix(n)}{FILES[0]}": each.content for n, each in enumerate(chain.profiles)}
    if (code := _area(chain)[1]) in levels().index:
        files["country/levels.csv"] = levels().loc[[code]].to_csv().encode()
    return {name: digest(content) for name, content in files.items()}


# ---- what the tables say of each other -------------------------------------------------------------------------------


def _key_faults(chain: _Chain, said: _Said, opd: dict[str, Parameter] | None) -> list[Fault]:
    """Check every key and value of [set] and the timeline against the parameters; opd None: agencies are not known."""
    known = load_parameters() | (opd or {})
    given: list[tuple[int, str, str, Any, int | None]] = []
    given += [(number, "set", key, each.value, None) for key, (number, each) in said.overrides.items()]
    faults: list[Fault] = []
    for number, event in said.timeline:
        place = f"timeline[{format_month(event.month)}]"
        faults += until_fault(chain.profiles[number].path, f"{place}.until", event.month, event.until)
        given += [(number, f"{place}.set", key, value, event.until) for key, value in event.set.items()]
    for number, place, key, value, until in given:
        path = chain.profiles[number].path
        if key not in known:
            if opd is not None or not key.startswith("opd."):
                faults.append(unknown(path, f"{place}.{key}", key, known))
        elif wrong := known[key].fault_in(value, path) or ramp_fault(known[key], value, until):
            faults.append(fault(path, f"{place}.{key}", wrong.phrase, **wrong.words))
    for number, profile in enumerate(chain.profiles):
        moments = [
            f"{format_month(each.month)} {key}" for at, each in said.timeline if at == number for key in each.set
        ]
        faults += duplicates(moments, profile.path, "timeline")
    return faults + _ramp_faults(chain, said)


def _ramp_faults(chain: _Chain, said: _Said) -> list[Fault]:
    """Refuse a change inside a ramp of its key; the nearer of the two files is to be mended."""
    origin = [f"{chain.prefix(number)}{FILES[0]}" for number in range(len(chain.profiles))]
    history: list[Change] = [change for number, event in said.timeline for change in event.changes(origin[number])]
    faults = []
    for ramp, other in inside_ramps(history):
        here = ramp if origin.index(ramp.origin) < origin.index(other.origin) else other
        path = chain.profiles[origin.index(here.origin)].path
        faults.append(inside_fault(path, f"timeline[{format_month(here.month)}].set.{here.key}", ramp, other))
    return faults


def _size_faults(chain: _Chain, said: _Said, villages: pd.DataFrame | None) -> list[Fault]:
    """Check that families add up (money would be sized wrongly) and that births, persons and families fit together."""
    totals = {name: total.value for name, (_, total) in said.population.items()}
    faults: list[Fault] = []
    if villages is not None and "families" in totals:
        number, found, total = said.population["families"][0], int(villages["families"].sum()), totals["families"]
        if abs(found - total) > 0.01 * total:
            words = {"value": found, "total": format_value(total)}
            if number > chain.holder["villages.csv"]:
                words["district"] = _id(chain.profiles[number].path)
                faults.append(fault(chain.own, "population.families", "families_inherited", **words))
            else:
                faults.append(fault(chain.profiles[number].path, "population.families", "families_sum", **words))
            del totals["families"]  # nothing can be held against it
    return faults + _plausibility_faults(chain, said, totals)


def _plausibility_faults(chain: _Chain, said: _Said, totals: dict[str, float]) -> list[Fault]:
    """Say which total does not fit the others; one fault, however many of its ratios are out."""
    out = [
        (each, ratio)
        for each in PLAUSIBLE
        if {each[0], each[1]} <= totals.keys()
        and not each[3] <= (ratio := each[2] * totals[each[0]] / totals[each[1]]) <= each[4]
    ]
    if not out:
        return []
    (first, second, _, least, most, phrase), ratio = out[0]
    shared = set.intersection(*({each[0], each[1]} for each, _ in out))
    # the one written nearest is to be mended; then the one that fits none of the others
    name = min((first, second), key=lambda each: (said.population[each][0], each not in shared))
    path = chain.profiles[said.population[name][0]].path
    words = {"value": totals[first], "total": format_value(totals[second]), "ratio": f"{ratio:.3g}"}
    return [fault(path, f"population.{name}", phrase, **words, low=f"{least:g}", high=f"{most:g}")]
