"""`konvergensi check`: what is wrong with a scenario file or a district folder, one line per fault."""

from __future__ import annotations

import os
from pathlib import Path

from konvergensi.base.errors import Fault, InputError
from konvergensi.base.files import exists
from konvergensi.base.months import parse_month
from konvergensi.base.words import Lang, word
from konvergensi.inputs.advice import of_file, of_run, one_text, overruled, still_example
from konvergensi.inputs.districts import FILES, WORKBOOK, District, find_district
from konvergensi.inputs.published import FILE as PUBLISHED
from konvergensi.inputs.scenarios import Scenario, is_combination, list_scenarios, load_scenario, resolve

SPAN = (parse_month("2018-01"), parse_month("2024-12"))  # that a run covers unless told otherwise


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
    if os.path.isdir(path) or Path(path).name in (*FILES, WORKBOOK, PUBLISHED):
        return find_district(Path(path))
    if exists(Path(path)) or str(path).endswith(".toml") or path in list_scenarios() or is_combination(path):
        return load_scenario(path)
    return find_district(path)


def advice(read: Scenario | District, district: str | None = None) -> list[Fault]:
    """What a scenario moves in vain, and agencies that nobody has; in a district, when one is named.

    Of a district, what is still the template's. Raises InputError where a scenario cannot be run in that district.
    """
    if not isinstance(read, Scenario):
        return still_example(read)
    if district is None:
        return [*of_file(read), *one_text(read), *overruled(read)]
    place = find_district(district)
    months = [*SPAN, *(each.last for each in read.changes)]
    resolved = resolve(read, place, {}, min(months), max(months))
    return [*of_run(read, resolved, {}, place.parameters()), *one_text(read), *overruled(read)]


def headline(read: Scenario | District, lang: str = "en") -> str:
    """Return in one line what was read."""
    told: Lang = "id" if lang == "id" else "en"
    if isinstance(read, Scenario):
        return f"{read.title[lang]} ({word('said.check.scenario', told, count=len(read.changes))})"
    counts = {
        "villages": len(read.villages),
        "kecamatan": read.villages["kecamatan"].nunique(),
        "opd": len(read.opd),
        "programmes": len(read.programmes),
    }
    return f"{read.name} ({word('said.check.district', told, **counts)})"
