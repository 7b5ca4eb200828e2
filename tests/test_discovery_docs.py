"""docs/discovery.md: its study can be run, its blocks are those that are made, both languages tell the same."""

import importlib.util
import re
from pathlib import Path

import pytest

from konvergensi.studies.study_file import load_study

DOCS = Path(__file__).parents[1] / "docs"
SPEC = importlib.util.spec_from_file_location("make_discovery", DOCS.parent / "scripts" / "make_discovery.py")
assert SPEC is not None and SPEC.loader is not None
MAKE = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(MAKE)


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def test_the_study_is_read_and_is_as_large_as_the_page_says() -> None:
    study = load_study(MAKE.STUDY)
    assert (study.design.draws, len(study.factors), study.runs) == (160, 13, 640)
    assert "160 draws\nof twelve numbers" in page("discovery.md") and study.factors[-1].key == "growth.combination"


@pytest.mark.parametrize("name", MAKE.PAGES)
def test_every_block_is_one_that_is_made_and_every_picture_is_there(name: str) -> None:
    text = page(name)
    blocks = [found[1] for found in MAKE.BLOCK.findall(text)]
    assert sorted(blocks) == sorted([*MAKE.ASKED, "target", "robustness"])
    pictures = re.findall(r"\((pictures/[^)]+)\)", text)
    assert len(pictures) == len(MAKE.PICTURES) and all((DOCS / picture).exists() for picture in pictures)


def test_a_block_that_nothing_makes_is_named() -> None:
    with pytest.raises(KeyError, match="unheard"):
        MAKE.fill("<!-- discovery: unheard -->\n<!-- end -->", {})


def test_both_languages_tell_the_same_numbers() -> None:
    numbers = []
    for name in MAKE.PAGES:
        body = "".join(found[2] for found in MAKE.BLOCK.findall(page(name)) if found[1] != "target")
        numbers.append(sorted(re.sub(r"[.,]", "", each) for each in re.findall(r"\d[\d.,]*\d|\d", body)))
    assert numbers[0] == numbers[1]
