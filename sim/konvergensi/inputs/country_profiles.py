"""Profiles of all 514 districts: the files a district folder would hold, written from compact tables when asked for.

scripts/make_profiles.py made the tables (scenarios/country/profiles.csv, village_draws.parquet) by the formulas of
scenarios/country/formulas.toml. Each value in what is written here says whose it is, with unit, source, grade, range.
A folder of one's own goes before any of it: it may extend a code (`extends = "32.11"`).
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from konvergensi.base.files import data_root, exists, read_bytes, read_toml
from konvergensi.base.words import both
from konvergensi.inputs import country

FILES = ("district.toml", "villages.csv", "opd.toml", "published.toml")
TOTALS = (
    "families", "persons", "births_per_year", "poverty_share", "no_latrine_share", "no_water_share", "four_too_share",
    "kek_share", "food_insecure_share", "dtks_share", "nik_share", "village_fund_rp",
)  # fmt: skip
# column of village_draws.parquet -> what it is divided by, and decimals
KEPT = {"remoteness": (1000, 3), "poverty": (10_000, 4), "posyandu_quality": (1000, 3), "x": (100, 2), "y": (100, 2)}
COLUMNS = ("village", "kecamatan", "families", "lokus", *KEPT)
# months of field work, recalled; as the survey calendar of national-average has them
FIELDWORK = {"PSG": "10", "Riskesdas": "04", "SSGBI": "09", "SSGI": "09", "SKI": "09"}
VILLAGES_LABEL = "villages (names real, all else drawn)"
POPULATION_LABEL = "population totals (by formula)"


def folder_of(code: str) -> Path:
    """Where the files of a profile would lie; there is no such folder."""
    return country.folder() / "profiles" / code


def is_made(path: Path) -> bool:
    """Tell whether a path is that of a profile's file."""
    return path.name in FILES and code_of(path.parent) is not None


def code_of(folder: Path) -> str | None:
    """The district whose profile's folder this is, None for any other folder."""
    known = folder.parent == country.folder() / "profiles" and folder.name in country.districts().index
    return folder.name if known else None


def content_of(path: Path) -> bytes:
    """A file's content: of a profile as it is made here, of any other as it is read. Raises InputError."""
    return _made(str(path.parent.name), path.name) if is_made(path) else read_bytes(path)


def is_there(path: Path) -> bool:
    """Tell whether there is a file, or a profile has one."""
    return is_made(path) or exists(path)


@functools.lru_cache(maxsize=64)
def _made(code: str, name: str) -> bytes:
    writers = {
        "district.toml": _district,
        "villages.csv": _villages,
        "opd.toml": _agencies,
        "published.toml": _published,
    }
    return writers[name](code).encode()


@functools.cache
def _table() -> pd.DataFrame:
    return pd.read_csv(country.folder() / "profiles.csv", dtype={"code": str}).set_index("code")


@functools.cache
def formulas() -> dict[str, Any]:
    """How values were made: scenarios/country/formulas.toml."""
    return read_toml(country.folder() / "formulas.toml")


def profile_row(code: str) -> dict[str, Any]:
    """A district's row of profiles.csv. KeyError for no district."""
    return {str(name): value for name, value in _table().loc[code].items()}


def kind_of(code: str) -> str:
    """kabupaten, kota or papua: whose agencies and habits a district's profile takes over."""
    return str(profile_row(code)["archetype"])


def labels_of(code: str) -> tuple[str, ...]:
    """What of a profile is synthetic, as every output repeats it."""
    agencies = f"agencies (those of {formulas()['kind'][kind_of(code)]['agencies_of']}, staff by number of families)"
    return VILLAGES_LABEL, POPULATION_LABEL, agencies


# ---- district.toml ---------------------------------------------------------------------------------------------------


def _district(code: str) -> str:
    row, rule = profile_row(code), formulas()
    kind = rule["kind"][row["archetype"]]
    name = country.area_name(code)
    lines = [
        f"# {name}, made by scripts/make_profiles.py from scenarios/country/; a folder of one's own goes before it.",
        f"extends = {_text(kind['extends'])}",
        f"area = {_text(code)}",
        f"name = {_text(name)}",
        f"province = {_text(country.province_of(code))}",
        f"kind = {_text(country.districts().at[code, 'kind'])}",
        f"synthetic = [{', '.join(_text(each) for each in labels_of(code))}]",
        _notes(code, kind),
        "",
        "[population]",
        *(_total(name, row, rule[name]) for name in TOTALS),
        *_history(row, kind, rule["lokus"]),
    ]
    return "\n".join(lines) + "\n"


def _notes(code: str, kind: dict[str, Any]) -> str:
    villages, kecamatan = len(country.villages(code)), country.villages(code)["kecamatan"].nunique()
    words = both("profile.notes", villages=villages, kecamatan=kecamatan, agencies=kind["agencies_of"])
    return f"notes = {_languages(words)}"


def _total(name: str, row: dict[str, Any], rule: dict[str, Any]) -> str:
    value = row[name]
    words = {key: row[key] for key in ("year", "desa", "kelurahan")}
    rate = rule.get("per_1000", {}).get(row["archetype"], "")
    source = str(rule["source"]).format(rate=rate, **words)
    written = f"value = {_number(value)}, unit = {_text(rule['unit'])}, source = {_text(source)}"
    written += f", grade = {_text(rule['grade'])}"
    if "range" in rule:
        most = 1.0 if name.endswith("_share") else float("inf")
        low, high = (min(float(value) * factor, most) for factor in rule["range"])
        written += f", low = {_number(round(low, 4))}, high = {_number(round(high, 4))}"
    return f"{name} = {{ {written} }}"


def _history(row: dict[str, Any], kind: dict[str, Any], rule: dict[str, Any]) -> list[str]:
    """What came with being a priority district, from January of its first year: nothing of it before."""
    before = {
        "socialization.guideline_in_force": "false",
        "network.decree_in_force": "false",
        "network.pendampingan": "0.0",
        "cascade.kpm_share": "0.0",
    }
    lines = []
    for key, value in before.items():
        lines += ["", f'[set."{key}"]', f"value = {value}", f"source = {_text(rule['source'])}", 'grade = "assumption"']
    year = row["first_lokus_year"]
    after = {
        "socialization.guideline_in_force": "true",
        "network.decree_in_force": "true",
        "network.pendampingan": "0.2",
        "cascade.kpm_share": f"{kind['kpm_share']}",
    }
    set_ = ", ".join(f'"{key}" = {value}' for key, value in after.items())
    lines += ["", "[[timeline]]", f'from = "{year}-01"', f"set = {{ {set_} }}"]
    return [*lines, f"reason = {_languages(both('profile.lokus', year=year))}"]


def _languages(words: dict[str, str]) -> str:
    return "{ " + ", ".join(f"{lang} = {_text(text)}" for lang, text in words.items()) + " }"


def _text(value: object) -> str:
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _number(value: Any) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


# ---- villages.csv ----------------------------------------------------------------------------------------------------


@functools.cache
def _draws() -> dict[str, pd.DataFrame]:
    table = pd.read_parquet(country.folder() / "village_draws.parquet")
    return {str(code): part.reset_index(drop=True) for code, part in table.groupby("code", sort=False)}


@functools.lru_cache(maxsize=16)  # written into the file, and what reading the file would find
def village_table(code: str) -> pd.DataFrame:
    """The villages of a profile, columns and types as inputs/villages.py has them."""
    names, drawn = country.villages(code), _draws()[code]
    table = {"village": unique_names(names, drawn["kelurahan"]), "kecamatan": names["kecamatan"]}
    table |= {"families": drawn["families"].astype("int64"), "lokus": drawn["lokus"].astype(bool)}
    table |= {name: (drawn[name].astype(float) / times).round(decimals) for name, (times, decimals) in KEPT.items()}
    # of a village its name alone is real
    return pd.DataFrame({name: column.array for name, column in table.items()} | {"synthetic": True})


def _villages(code: str) -> str:
    table = village_table(code).astype({"lokus": "int64", "synthetic": "int64"})
    return str(table.to_csv(index=False, lineterminator="\n"))


def unique_names(names: pd.DataFrame, kelurahan: pd.Series) -> pd.Series:
    """Names of villages, told apart where a district has one twice: by kecamatan, then as desa and kelurahan.

    Parameters: names (n rows) with kecamatan and village; kelurahan (n,), 1 where it is one and no desa.
    """
    shown = names["village"].copy()
    twice = names["village"].duplicated(keep=False)
    shown[twice] = names["village"] + " (" + names["kecamatan"] + ")"
    again = shown.duplicated(keep=False)
    shown[again] = np.where(kelurahan.astype(bool), "Kelurahan ", "Desa ") + shown
    number = shown.groupby(shown).cumcount() + 1
    return shown.where(number == 1, shown + " " + number.astype(str))


# ---- opd.toml and published.toml -------------------------------------------------------------------------------------


def _agencies(code: str) -> str:
    """The archetype's agencies; staff grows with the number of families, money with the target groups as everywhere."""
    row = profile_row(code)
    kind = formulas()["kind"][row["archetype"]]
    times = float(row["families"]) / float(kind["families"])
    text = read_bytes(data_root() / "districts" / kind["agencies"] / "opd.toml").decode()

    def staff(found: re.Match[str]) -> str:
        return f"staff = {max(1, round(int(found[1]) * times))}"

    text = re.sub(r"^staff = (\d+)$", staff, text, flags=re.MULTILINE)
    said = f"as in {kind['agencies_of']}, staff times {times:.3g} (families): "
    return re.sub(r'^source = "', f'source = "{said}', text, flags=re.MULTILINE)


def _published(code: str) -> str:
    lines = [f"# Surveys of {country.area_name(code)} (scenarios/country/surveys.csv); months recalled."]
    for row in published_rows(code):
        lines += ["", "[[published]]", *(f"{key} = {_text(v) if isinstance(v, str) else v}" for key, v in row.items())]
    return "\n".join(lines) + "\n"


@functools.lru_cache(maxsize=64)  # asked for again by every run of a district
def published_rows(code: str) -> tuple[dict[str, Any], ...]:
    """Every published survey of a district: system, fieldwork (month recalled), percent, source, grade."""
    table = country.surveys()
    own = table[table["code"] == code]
    source = "evidence/ssgi_districts.csv; month recalled"
    return tuple(
        {
            "system": str(each["measure_system"]),
            "fieldwork": f"{each['year']}-{FIELDWORK[str(each['measure_system'])]}",
            "percent": float(each["percent"]),
            "source": source + ("; column re-aligned, no press value confirms it" if each["realigned"] else ""),
            "grade": "published",
        }
        for each in own.to_dict("records")
    )
