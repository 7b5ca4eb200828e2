"""Each actor and effort that the studies name maps to something that acts."""

import csv
import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from konvergensi.inputs.districts import find_district
from konvergensi.inputs.services import load_services

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
make_actors: Any = importlib.import_module("make_actors")
ACTORS = make_actors.load()


def evidence(name: str) -> list[dict[str, str]]:
    with (ROOT / "evidence" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("actor", ACTORS, ids=lambda each: each["en"])
def test_what_is_named_acts(actor: dict[str, Any]) -> None:
    parameters, services = find_district("lebak").parameters(), load_services()
    assert actor["mechanisms"]
    for dotted in actor["mechanisms"]:
        module, _, function = dotted.rpartition(".")
        assert callable(getattr(importlib.import_module(f"konvergensi.{module}"), function)), dotted
    assert set(actor["levers"]) <= set(parameters)
    assert set(actor["services"]) <= set(services)
    assert actor["levers"] or actor["services"]


def test_no_effort_or_context_of_anting_berlian_is_left_out() -> None:
    named = [each["en"] for each in ACTORS if each["study"] == "anting"]
    for row in evidence("anting_berlian.csv"):
        wanted = row["name"] if row["effort"] == "context" else f"effort {row['effort']}: {row['name']}"
        assert wanted in named


def test_no_actor_of_the_health_policy_triangle_is_left_out() -> None:
    named = {each["en"] for each in ACTORS if each["study"] == "triangle"}
    text = next(
        row["findings_in_13_priority_districts"]
        for row in evidence("health_policy_triangle.csv")
        if row["corner"] == "actor"
    )
    for name in sorted(named, key=len, reverse=True):
        text = text.replace(name, "")
    words = [
        part.strip(" ;:,.")
        for part in text.replace("specific:", "").replace("sensitive:", "").replace("subdistrict:", "").split(",")
    ]
    assert not [word for word in words if word.strip("; ")], words


def test_the_pages_are_what_the_table_gives() -> None:
    assert make_actors.main(["--check"]) == 0
