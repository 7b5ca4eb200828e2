"""Shipped districts and the names by which people call them; codes and names of the 514: inputs/country.py."""

from __future__ import annotations

import re
from pathlib import Path

from konvergensi.base.errors import Fault, InputError, fault, nearest
from konvergensi.base.files import data_root, exists, is_path, read_toml
from konvergensi.inputs.country import resolve_area, shipped_codes


def list_districts() -> list[str]:
    """Return the ids of the districts that come with the package."""
    return sorted(shipped_folders())


def shipped_folders() -> dict[str, Path]:
    """Folders of the districts that come with the package, by id."""
    return {path.parent.name: path.parent for path in sorted(data_root().glob("districts/*/district.toml"))}


def from_anywhere(name: str, folder: Path = Path()) -> str:
    """A name as it is; a district's folder, seen from `folder`, as a path that leads there from any other folder."""
    own = is_path(name) or (bool(name.strip()) and name not in shipped_folders())
    return str((folder / name).resolve()) if own and exists(folder / name) else name


def district_id(name_or_path: str | Path) -> str | Path:
    """The id of the shipped district that is meant, else the code of one of the 514, or what was given where it is a
    path or fits none.

    Raises InputError for a name that fits two districts, naming both with what to write.
    """
    shipped = shipped_folders()
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
        return str(read_toml(folder / "district.toml").get("name", ""))
    except InputError:
        return ""
