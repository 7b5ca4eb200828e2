"""A small valid district and scenario to spoil, each value on its own line. No number here is a result."""

from collections.abc import Mapping
from pathlib import Path

POPULATION = {
    "families": 900, "persons": 3600, "births_per_year": 60,
    "no_latrine_share": 0.2, "no_water_share": 0.1, "four_too_share": 0.4, "kek_share": 0.2,
    "food_insecure_share": 0.1, "dtks_share": 0.3, "nik_share": 0.9, "poverty_share": 0.1,
}  # fmt: skip
HEADER = "village,kecamatan,families,lokus,remoteness,poverty,posyandu_quality,x,y,synthetic"
ROWS = (
    "Sukamaju,Utara,400,1,0.5,0.2,0.6,1.5,-2.0,1",
    "Sukasari,Utara,300,0,0.1,0.1,0.8,2.5,3.0,1",
    "Ciburial,Selatan,200,1,0.9,0.3,0.4,-4,7.25,0",
)

DISTRICT = """\
name = "Kabupaten Uji"
province = "Banten"
kind = "kabupaten"
synthetic = ["villages"]

[notes]
en = "Invented for tests."
id = "Rekaan untuk pengujian."

{population}
[set."services.pmba.effect"]
value = 0.2
source = "invented"
grade = "assumption"

[[timeline]]
from = "2020-03"
set = {{ "services.pmba.effect" = 0.15 }}
reason = {{ en = "An event.", id = "Suatu peristiwa." }}

[[survey]]
system = "SSGI"
fieldwork = "2021-09"
published = "2021-12"
clusters = 35
children_per_cluster = 20
source = "invented"
grade = "assumption"
"""
OPD = """\
[[opd]]
id = "dinkes"
name = "Dinas Kesehatan"
gloss = "health"
in_decree = true
surveyed = true
register = "eppgbm"
understanding = 0.7
institutional_understanding = 0.6
goal_adoption = 0.5
ego = 0.3
role = "coordinator"
mandate = 0.7
skill = 0.6
staff = 120
focal_unit = true
guideline = false
source = "invented"
grade = "assumption"

[[programme]]
service = "pmba"
opd = "dinkes"
money = "dak"
funded_share = 0.4
source = "invented"
grade = "assumption"

[[programme]]
service = "vitamin-a"
opd = "dinkes"
money = "apbn"
budget_rp = 500000000
rigid = true
location = "central"
source = "invented"
grade = "assumption"
"""
SCENARIO = """\
extends = "parent"
[title]
en = "A policy"
id = "Suatu kebijakan"
[question]
en = "What does it do?"
id = "Apa gunanya?"
[[change]]
from = "2019-01"
[change.set]
"services.pmba.effect" = 0.25
"opd.dinkes.ego" = 0.1
[[change]]
from = 2021-06-01
[change.set]
"opd.dinkes.in_decree" = false
"""
RAMP = """\
[[change]]
from = "2022-01"
until = "2023-06"
[change.set]
"opd.dinkes.goal_adoption" = 0.8
"""
RAMP_OF_HISTORY = """\
[[timeline]]
from = "2021-01"
until = "2021-12"
reason = { en = "A slow one.", id = "Yang perlahan." }
[timeline.set]
"opd.dinkes.goal_adoption" = 0.6
"""
PARENT = """\
title = { en = "Parent", id = "Induk" }
question = { en = "?", id = "?" }
change = [{ from = "2019-01", set = { "services.pmba.effect" = 0.12, "opd.dinkes.understanding" = 0.9 } }]
"""


def district_toml(population: Mapping[str, float] = POPULATION) -> str:
    tables = [
        f'[population.{name}]\nvalue = {value}\nunit = "unit"\nsource = "invented"\ngrade = "assumption"\n'
        for name, value in population.items()
    ]
    return DISTRICT.format(population="\n".join(tables))


def villages_csv() -> str:
    return "\n".join((HEADER, *ROWS)) + "\n"


def district_files() -> dict[str, str]:
    return {"district.toml": district_toml(), "villages.csv": villages_csv(), "opd.toml": OPD}


def write_district(folder: Path, **changed: str | bytes) -> Path:
    """Write the district, with some files (`district_toml`, `villages_csv`, `opd_toml`) given instead."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in district_files().items():
        content = changed.get(name.replace(".", "_"), text)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def write_scenario(folder: Path, content: str | bytes = SCENARIO) -> Path:
    """Write the scenario and the one it extends; return the path of the former."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "parent.toml").write_text(PARENT)
    path = folder / "policy.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path
