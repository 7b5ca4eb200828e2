"""docs/validation.md and docs/validation.id.md: the same blocks, each of them made, and every picture there."""

import re
from pathlib import Path
from types import SimpleNamespace

import make_validation as make
import pandas as pd
import pytest
from make_results import BLOCK

DOCS = Path(__file__).parents[1] / "docs"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def compared() -> SimpleNamespace:
    """Two draws: in one closing a gap raises every measure, in the other it changes nothing."""
    rows = [
        (scenario, draw, 1, measure, "2024-12", float(draw == 1 and scenario != "baseline"))
        for scenario in ("baseline", *(each[0] for each in make.DIRECTIONS))
        for measure in {each[2] for each in make.DIRECTIONS}
        for draw in (1, 2)
    ]
    runs = pd.DataFrame(rows, columns=["policy", "draw", "seed", "measure", "month", "value"])
    return SimpleNamespace(runs=runs.drop_duplicates())


def test_both_pages_have_the_same_blocks_in_the_same_order_and_each_is_made() -> None:
    english, indonesian = ([found[1] for found in BLOCK.findall(page(name))] for name in make.PAGES)
    assert english == indonesian and len(english) == len(set(english)) > 0
    blocks = make.Blocks(None, None, None)
    assert all(callable(getattr(blocks, name.replace("-", "_"))) for name in english)
    assert getattr(blocks, "unheard", None) is None


def test_every_picture_is_there_in_the_language_of_its_page() -> None:
    found = {lang: re.findall(r"\((pictures/[^)]+)\)", page(name)) for name, lang in make.PAGES.items()}
    assert found["id"] == [picture.replace(".en.png", ".id.png") for picture in found["en"]] and found["id"]
    assert all((DOCS / picture).exists() for pictures in found.values() for picture in pictures)
    assert all(picture.endswith(f".{lang}.png") for lang, pictures in found.items() for picture in pictures)


def test_both_pages_tell_the_same_numbers() -> None:
    numbers = []
    for name in make.PAGES:
        body = "".join(found[2] for found in BLOCK.findall(page(name)))
        numbers.append(sorted(re.sub(r"[.,]", "", each) for each in re.findall(r"\d[\d.,]*\d|\d", body)))
    assert numbers[0] == numbers[1]


def test_directions_are_told_in_the_language_of_the_page() -> None:
    blocks = make.Blocks(None, None, compared())
    found = {lang: blocks.directions(lang).splitlines() for lang in make.PAGES.values()}
    assert found["en"][2] == (
        "| `close-socialization` | B02, B04: who is told acts; caregivers learn | `protected_in_time` | 50% |"
    )
    assert found["id"][0] == "| yang ditutup | menurut hambatan | ukuran | sampel yang sejalan |"
    assert found["id"][-1] == "| `full-convergence` | semua: lebih sedikit anak stunting | `prevalence` | 0% |"


def test_nothing_is_written_when_one_page_has_an_unknown_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, block in zip(make.PAGES, ("stamp", "unheard")):
        (tmp_path / name).write_text(f"<!-- results: {block} -->old<!-- end results -->", encoding="utf-8")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for name in ("read_calibration", "validate", "draw"):
        monkeypatch.setattr(make, name, lambda *_, **__: None)
    monkeypatch.setattr(make.kv, "compare", lambda *_, **__: None)
    monkeypatch.setattr(make, "Blocks", lambda *_: SimpleNamespace(stamp=lambda _lang: "new"))
    monkeypatch.setattr(make, "DOCS", tmp_path)
    with pytest.raises(KeyError, match="unheard"):
        make.main()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
