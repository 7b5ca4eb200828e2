"""`konvergensi check`: what is wrong with a scenario file or a district folder, one line per fault."""

from __future__ import annotations

import os
from pathlib import Path

from konvergensi.inputs.cautions import still_example, without_effect
from konvergensi.inputs.districts import FILES, District, find_district
from konvergensi.inputs.errors import Fault, InputError
from konvergensi.inputs.files import exists
from konvergensi.inputs.published import FILE as PUBLISHED
from konvergensi.inputs.scenarios import Scenario, is_combination, list_scenarios, load_scenario


def check_path(path: str | Path, lang: str = "en") -> list[str]:
    """Return every fault of a scenario file or district folder, one line each; nothing when it is good."""
    try:
        read_path(path)
    except InputError as error:
        return error.lines(lang)
    return []


def read_path(path: str | Path) -> Scenario | District:
    """Read whatever is there: a folder or one of its files is a district, another file a scenario.

    The name of a shipped scenario or district, or scenarios joined with +, will do as well. Raises InputError with
    every fault.
    """
    if os.path.isdir(path) or Path(path).name in (*FILES, PUBLISHED):
        return find_district(Path(path))
    if exists(Path(path)) or str(path).endswith(".toml") or path in list_scenarios() or is_combination(path):
        return load_scenario(path)
    return find_district(path)


def cautions(read: Scenario | District) -> list[Fault]:
    """What is allowed in it but may not be meant, one line each."""
    return without_effect(read) if isinstance(read, Scenario) else still_example(read)


def headline(read: Scenario | District, lang: str = "en") -> str:
    """Return in one line what was read."""
    if isinstance(read, Scenario):
        count = len(read.changes)
        words = {"en": f"scenario; dated changes: {count}", "id": f"skenario; perubahan bertanggal: {count}"}
        return f"{read.title[lang]} ({words[lang]})"
    villages, kecamatan = len(read.villages), read.villages["kecamatan"].nunique()
    opd, programmes = len(read.opd), len(read.programmes)
    words = {
        "en": f"district: {villages} villages in {kecamatan} kecamatan, {opd} OPD, {programmes} programmes",
        "id": f"daerah: {villages} desa di {kecamatan} kecamatan, {opd} OPD, {programmes} program",
    }
    return f"{read.name} ({words[lang]})"
