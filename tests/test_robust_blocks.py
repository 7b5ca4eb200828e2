"""scripts/robust_blocks.py: what may be said of the three gaps follows the numbers, in both languages."""

from pathlib import Path

import pandas as pd
import pytest
import robust_blocks as robust
from make_results import BLOCK
from results_blocks import Results

from konvergensi.results.gaps import Gaps

DOCS = Path(__file__).parents[1] / "docs"


def made(chance: float = 0.001, assumed: float = 0.002, last_draw: float = 0.01) -> Gaps:
    """Every gap lowers prevalence (and the others) by a hundredth; two draws, the second by `last_draw`."""
    rows, values = [], []
    for measure in robust.MEASURES:
        for closed in robust.CLOSED:
            at = -0.01
            rows.append((closed, measure, 0.3, at, at - chance, at + chance, at - assumed, at + assumed))
            values += [(closed, measure, 1, at), (closed, measure, 2, -last_draw)]
        values += [("none", measure, 1, 0.0), ("none", measure, 2, 0.0)]
    columns = ["closed", "measure", "value", "difference", "chance_low", "chance_high", "assumed_low", "assumed_high"]
    drawn = pd.DataFrame(values, columns=["closed", "measure", "draw", "value"])
    empty = pd.DataFrame()
    manifest = {"survey": {"half_width": 0.03}}
    return Gaps(drawn, pd.DataFrame(rows, columns=columns), empty, empty, empty, manifest)


@pytest.mark.parametrize(
    ("gaps", "word", "alike"),
    [
        (made(), "holds", 2),
        (made(chance=0.02), "chance", 2),
        (made(assumed=0.02), "open", 2),
        (made(last_draw=-0.01), "open", 1),
    ],
    ids=["firm", "chance holds zero", "assumptions hold zero", "one draw against it"],
)
def test_a_sign_holds_only_where_chance_assumptions_and_every_draw_agree(gaps: Gaps, word: str, alike: int) -> None:
    assert robust.verdict(gaps, "data", "prevalence") == (word, alike, 2)
    told = robust.holds(gaps, "en").splitlines()
    assert ("data, prevalence, points" in told[0]) == (word == "holds")
    assert ("data, prevalence, points" in told[1]) == (word != "holds")


def test_what_a_survey_sees_follows_the_size_of_the_effect() -> None:
    assert "no survey would see it" in robust.seen(made(), "en")
    assert "tidak akan terlihat oleh survei" in robust.seen(made(), "id") and "4,2 poin" in robust.seen(made(), "id")
    assert "a survey may see it" in robust.seen(made(assumed=0.05), "en")


def test_convergence_is_worth_more_with_money_only_where_the_intervals_part(tmp_path: Path) -> None:
    path, rows = tmp_path / "signs.csv", []
    for name in ("protected_in_time", "any_contact_in_time", "complete_package_share", "mean_z"):
        rows += [("convergence", "all", name, 1.0, 0.5, 1.5), ("convergence", "money", name, 2.0, 1.6, 2.4)]
    rows[-1] = ("convergence", "money", "mean_z", 2.0, 1.0, 3.0)
    columns = ["change", "switched_off", "outcome", "difference", "low", "high"]
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)
    told = robust.more_money("en", path)
    assert [row[-1] for row in told[1:]] == ["more", "more", "more", "not to be told apart"]
    assert robust.more_money("id", path)[1][1] == "1,0 (0,5; 1,5)"


@pytest.mark.parametrize("page", ["results.md", "results.id.md"])
def test_every_block_of_the_page_is_made(page: str) -> None:
    names = [found[1] for found in BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))]
    assert len(names) == len(set(names)) and {"holds", "gap-signs", "ranking", "seen", "more-money"} <= set(names)
    assert all(callable(getattr(Results, name.replace("-", "_"), None)) for name in names)
