"""A district's files and those of the districts it extends, laid over each other (docs/decisions/0015-districts.md)."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from konvergensi.base.errors import Fault, InputError, fault, nearest
from konvergensi.base.files import digest, exists, is_path, locate
from konvergensi.base.months import format_month
from konvergensi.inputs.country import LEVEL_KEYS, levels
from konvergensi.inputs.country import districts as country_districts
from konvergensi.inputs.country_profiles import VILLAGES_LABEL, code_of, folder_of, is_there
from konvergensi.inputs.district_names import shipped_folders
from konvergensi.inputs.own_budget import FILES as BUDGETS
from konvergensi.inputs.profile import OPTIONAL, REQUIRED, Event, Override, Profile, Quantity, Survey, read_profile

FILES = ("district.toml", "villages.csv", "opd.toml")
WORKBOOK = "villages.xlsx"  # may stand for villages.csv


@dataclass(frozen=True)
class Chain:
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
        names = [id_of(each.path) for each in self.profiles[1 : number + 1]]
        twice = f" ({names.count(names[-1])})" if names and names.count(names[-1]) > 1 else ""
        return f"{names[-1]}{twice}/" if number else ""


def read_chain(folder: Path) -> Chain:
    """Read a district.toml and those it extends. Raises InputError when there is no first one."""
    own = folder / FILES[0]
    if not is_there(own):
        raise InputError(fault(own, "", "no_file"))
    profiles: list[Profile] = []
    faults: list[Fault] = []
    whole, path = True, own
    while True:
        names = [id_of(each.path) for each in profiles]
        if os.path.realpath(path) in [os.path.realpath(each.path) for each in profiles]:
            faults.append(fault(profiles[-1].path, "extends", "cycle", chain=" -> ".join([*names, id_of(path)])))
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
    return Chain(own, profiles, whole, faults, paths, holder)


def _file(folder: Path, name: str) -> Path:
    """Where a district keeps a file; villages may be a workbook."""
    book = folder / WORKBOOK
    return book if name == "villages.csv" and not exists(folder / name) and exists(book) else folder / name


def id_of(path: Path) -> str:
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
    beside, shipped = path.absolute().parent.parent / extends / FILES[0], shipped_folders()
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
class Said:
    """What the profiles of a chain say together; each entry with the number of the profile it stands in."""

    population: dict[str, tuple[int, Quantity]]
    overrides: dict[str, tuple[int, Override]]
    timeline: list[tuple[int, Event]]
    surveys: list[tuple[int, Survey]]


def lay(chain: Chain) -> Said:
    """Lay the profiles over each other: of totals, own values, changes at one date and surveys, the nearest holds.

    Values of agencies (`opd.<id>.<field>`) belong to the opd.toml they were written for.
    """
    said = Said({}, {}, [], [])
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


def _replaced(chain: Chain, number: int, key: str) -> bool:
    return key.startswith("opd.") and number > chain.holder["opd.toml"]


def _round(survey: Survey) -> tuple[str, int]:
    return survey.system, survey.fieldwork // 12


def inherited(chain: Chain, said: Said) -> dict[str, str]:
    """Return which entries stand in another district's files, and in whose."""
    ids = [id_of(each.path) for each in chain.profiles]
    found = {f"population.{name}": number for name, (number, _) in said.population.items()}
    found |= {f"set.{key}": number for key, (number, _) in said.overrides.items()}
    found |= {f"survey.{format_month(each.fieldwork)}": number for number, each in said.surveys}
    found |= {
        f"timeline.{format_month(each.month)}.{key}": number for number, each in said.timeline for key in each.set
    }
    found |= {name.partition(".")[0]: number for name, number in chain.holder.items()}
    return {name: ids[number] for name, number in found.items() if number}


def synthetic(chain: Chain, said: Said, villages: pd.DataFrame) -> tuple[str, ...]:
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


def hashes(chain: Chain, contents: dict[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 of every file read, by its name in the manifest."""
    files = {FILES[0]: chain.profiles[0].content}
    files |= {
        f"{chain.prefix(chain.holder[name])}{chain.paths[name].name}": content for name, content in contents.items()
    }
    files |= {f"{chain.prefix(n)}{FILES[0]}": each.content for n, each in enumerate(chain.profiles)}
    if (code := area(chain)[1]) in levels().index:
        files["country/levels.csv"] = _level_of(code)
    return {name: digest(content) for name, content in files.items()}


@functools.lru_cache(maxsize=64)  # asked for again by every run of a district
def _level_of(code: str) -> bytes:
    """The row of a district in the levels of the country."""
    return levels().loc[[code]].to_csv().encode()


def area(chain: Chain) -> tuple[int, str | None]:
    """The code of the nearest profile that names one, after that profile's number."""
    named = ((number, each.main.area) for number, each in enumerate(chain.profiles) if each.main and each.main.area)
    return next(named, (0, None))


def _lay_level(chain: Chain, said: Said) -> None:
    """Level and rise solved from the fit over the country, unless a profile as near says its own (in place)."""
    number, code = area(chain)
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


def levelled(said: Said) -> bool:
    """Whether level and rise are those solved from the fit over the country."""
    return all(key in said.overrides and "scripts/fit_levels.py" in said.overrides[key][1].source for key in LEVEL_KEYS)
