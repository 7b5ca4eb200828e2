"""The page and the figures of a sensitivity analysis: in both languages, readable, and saying what they rest on."""

import functools
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_report import drawn_texts

from konvergensi.analyses.sensitivity import spread_of
from konvergensi.analyses.sensitivity_tables import convergence, heat, indices, unjudged
from konvergensi.base.words import LANGUAGES, Lang
from konvergensi.methods.sensitivity_designs import design, noise_unknown
from konvergensi.report import names_sensitivity as names
from konvergensi.report.figures_sensitivity import figures
from konvergensi.report.sensitivity_page import between, page, shown_number
from konvergensi.report.theme import SMALL
from konvergensi.results.sensitivity import Sensitivity
from konvergensi.studies.study import parameters_for
from konvergensi.studies.study_file import load_study

ROOT = Path(__file__).resolve().parents[1]
KEYS = (
    "growth.income_trend_z_per_year", "uptake.works_base", "services.pmba.effect", "questionnaire.specific_share",
    "budget.review_trim_share", "services.anc.unit_cost_rp",
)  # fmt: skip
OUTPUTS = ("prevalence@baseline", "difference:prevalence@full-convergence", "variance:prevalence@baseline")


@functools.cache
def made(method: str, seeds: int = 2, groups: tuple[str, ...] = ("",) * 6, noise: float = 0.05) -> Sensitivity:
    """An analysis of Lebak's parameters with invented outputs."""
    found = design(method, KEYS, groups, {"sobol": 64, "morris": 16, "shapley": 64}.get(method, 128), 1)
    known = parameters_for(load_study(ROOT / "studies/lebak-uncertain.toml"))
    rng = np.random.default_rng(1)
    y = (found.points[:, :2] @ np.array([6.0, 2.0]))[:, None] + noise * rng.normal(size=(len(found.points), seeds))
    grades = {key: known[key].grade for key in KEYS}
    tables = {name: pd.concat([make(found, y, output) for output in OUTPUTS], ignore_index=True)
              for name, make in (("sensitivity", indices), ("convergence", convergence))}  # fmt: skip
    if noise_unknown("konvergensi", method, seeds):
        tables = {name: unjudged(table) for name, table in tables.items()}
    heats = pd.concat([heat(found, y, output, grades) for output in OUTPUTS], ignore_index=True)
    manifest: dict[str, Any] = {
        "version": "9.9", "model": "konvergensi", "method": method, "n": found.blocks, "points": len(found.points),
        "runs": 4 * len(found.points), "left_out": 0, "failed": 0, "resamples": 200, "district": "lebak",
        "intervals": "95 %", "district_name": "Kabupaten Lebak", "policies": ["baseline", "full-convergence"],
        "start": "2018-01", "end": "2024-12", "seeds": list(range(1, seeds + 1)), "population_share": 0.02,
        "synthetic_inputs": ["villages"], "refused": [], "command": "",
        "spread": dict.fromkeys(OUTPUTS, spread_of(y)),
        "factors": {
            key: {"group": group, "grade": known[key].grade, "meaning": known[key].meaning, "arti": known[key].arti}
            for key, group in zip(KEYS, groups)
        },
    }  # fmt: skip
    return Sensitivity(**tables, heat=heats, manifest=manifest)


@pytest.fixture(scope="module")
def sobol() -> Sensitivity:
    return made("sobol", groups=("", "", "rest", "rest", "rest", "rest"))


@pytest.fixture(scope="module")
def morris() -> Sensitivity:
    return made("morris")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("method", ["sobol", "morris", "shapley", "rbd_fast"])
def test_the_page_says_what_was_done_what_moves_and_how_to_read_it(method: str, lang: Lang) -> None:
    text = page(made(method), lang)
    done = {"en": "2% of the families; each point with 2 seeds", "id": "2% keluarga; tiap titik dengan 2 benih acak"}
    assert done[lang] in text
    assert names.factor_name(made(method), KEYS[0], lang) in text and f"`{KEYS[0]}`" in text
    assert {"en": "Synthetic inputs, not data: villages", "id": "Masukan sintetis, bukan data: desa/kelurahan"}[
        lang
    ] in text
    assert {"en": "assumption", "id": "asumsi"}[lang] in text
    assert {"en": "Dec 2024 (full-convergence less baseline)", "id": "Des 2024 (full-convergence dikurangi baseline)"}[
        lang
    ] in text
    assert {"en": "Over all points it is ", "id": "Pada seluruh titik rata-ratanya "}[lang] in text
    assert "{" not in text and "nan" not in text.lower().split()


def test_the_spread_is_the_mean_and_the_middle_nine_tenths_of_the_points() -> None:
    replicates = np.stack([np.arange(101.0), np.arange(101.0) + 2.0], axis=1)
    assert spread_of(replicates) == pytest.approx([51.0, 6.0, 96.0])


def test_what_lies_under_the_floor_is_named_by_room_with_its_limit(morris: Sensitivity) -> None:
    text = page(morris, "en")
    assert "2 of 6 stand above the noise floor" in text
    limit = shown_number(float(morris.ranked(OUTPUTS[0]).iloc[2:]["high"].max()), "en")
    assert (
        f"Under the noise floor (4); the interval of none reaches beyond {limit}. budget: `review_trim_share`" in text
    )
    assert "services: `anc.unit_cost_rp`, `pmba.effect`" in text


def test_a_direction_stands_beside_the_size_of_an_effect(morris: Sensitivity) -> None:
    row = next(line for line in page(morris, "en").splitlines() if f"`{KEYS[0]}`" in line)
    size, signed = row.split(" | ")[3:5]
    assert size.startswith("6.0") and signed.startswith("6.0")


def test_one_seed_is_a_caution_and_two_are_none() -> None:
    text = page(made("morris", seeds=1), "en")
    assert text.count("CAUTION: with one seed") == len(OUTPUTS)  # first of all that is said of each output
    assert "stand above the noise floor" not in text and "| yes |" not in text and "| – | – |" in text
    assert set(figures(made("morris", seeds=1)))  # and its figures are drawn without a floor
    made("morris", seeds=1).plot(next(iter(figures(made("morris", seeds=1)))), "en")
    assert "CAUTION" not in page(made("morris", seeds=2), "en")
    assert "CAUTION" not in page(made("rbd_fast", seeds=1), "en")  # there the dummy sees all noise


def test_a_group_is_called_by_what_it_holds(sobol: Sensitivity) -> None:
    text = page(sobol, "en")
    assert "6 factors in 3 units" in text
    assert names.short_key(sobol, "rest", "en") == "4 parameters"
    assert names.grade_name(sobol, "rest", "en") == "several"
    rooms = made("sobol", groups=("growth", "uptake", "services", "questionnaire", "budget", "services"))
    assert names.factor_name(rooms, "services", "id") == "dampak dan biaya layanan"


def test_heat_is_said_or_said_to_be_unknown(sobol: Sensitivity, morris: Sensitivity) -> None:
    assert "parameters whose value is an assumption move " in page(sobol, "en")
    assert "no shares of a variance" in page(morris, "en")
    wild = replace(sobol, heat=sobol.heat.assign(low=-3.0, high=3.0))
    assert "so few points do not tell how much rests on assumptions" in page(wild, "en")


def test_runs_left_out_and_outputs_refused_are_on_the_page(sobol: Sensitivity) -> None:
    told = {
        "left_out": 3,
        "failed": 5,
        "refused": [{"en": "cost_per_case_rp: 4 of 9", "id": "cost_per_case_rp: 4 dari 9"}],
    }
    text = page(replace(sobol, manifest=sobol.manifest | told), "id")
    assert "5 simulasi gagal dan dikeluarkan, beserta 3 blok titiknya" in text and "4 dari 9" in text


@pytest.mark.parametrize(
    ("value", "low", "high", "shown"),
    [
        (0.4321, 0.35, 0.51, "0.432 (0.350 to 0.510)"),
        (12.3, 4.0, 20.0, "12.3 (4.0 to 20.0)"),
        (float("nan"), float("nan"), float("nan"), "–"),
        (0.0, 0.0, 0.0, "0.00"),
    ],
)
def test_a_number_has_as_many_digits_as_its_interval_supports(
    value: float, low: float, high: float, shown: str
) -> None:
    assert between(value, low, high, "en") == shown


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("prevalence@baseline", "prevalence of stunting in Dec 2024 (baseline)"),
        ("prevalence_2021_12", "prevalence of stunting in Dec 2021"),
        ("difference:prevalence", "prevalence of stunting in Dec 2024 (full-convergence less baseline)"),
        ("cost_per_case_rp@full-convergence", "cost per case averted (full-convergence less baseline)"),
        ("variance:y", "variance over seeds of: the value of the test function"),
        ("mean:own_measure", "own measure"),
    ],
)
def test_outputs_have_names(label: str, shown: str, morris: Sensitivity) -> None:
    assert names.output_name(morris, label, "en") == shown


# ---- figures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("method", ["sobol", "morris", "shapley"])
def test_texts_of_figures_are_inside_large_enough_and_whole(method: str, lang: Lang) -> None:
    found = made(method)
    for name in found.figure_names():
        figure = found.plot(name, lang)
        width, height = figure.bbox.width, figure.bbox.height
        for text in drawn_texts(figure):
            assert text.get_fontsize() >= SMALL, (name, text.get_text())
            box = text.get_window_extent()
            assert box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1, (
                name,
                text.get_text(),
            )


def test_a_ranking_shows_what_its_table_holds_and_where_it_comes_from(morris: Sensitivity) -> None:
    name = "what-moves-prevalence-under-baseline"
    figure, table = morris.plot(name), figures(morris)[name].table
    texts = [text.get_text() for text in drawn_texts(figure)]
    assert set(KEYS) <= set(texts) and any("95%" in text and "synthetic: villages" in text for text in texts)
    axes = figure.axes[0]
    for place, row in enumerate(table.itertuples()):
        marks = [
            line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 1 and line.get_ydata()[0] == place
        ]
        assert float(row.value) in marks and float(row.floor) in marks


def test_a_figure_that_is_not_there_is_named(morris: Sensitivity) -> None:
    with pytest.raises(KeyError, match="no figure 'tornado'; there are what-moves-prevalence-under-baseline"):
        morris.plot("tornado")
    with pytest.raises(KeyError, match="no output 'x'"):
        morris.ranked("x")


# ---- the page of Lebak -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_named_command_fills_both_pages_and_draws_their_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import make_sensitivity as command

    study = (ROOT / "studies/lebak-uncertain.toml").read_text(encoding="utf-8")
    few = 'only = ["growth.deviation_k", "growth.deviation_sd", "services.pmba.effect"]\n'
    (tmp_path / "few.toml").write_text(study.replace("[uncertain]\n", "[uncertain]\n" + few), encoding="utf-8")
    monkeypatch.setattr(command, "STUDY", tmp_path / "few.toml")
    for name in ("LEVEL", "GAIN", "PACKAGE"):  # in so small a first year nothing differs between policies
        monkeypatch.setattr(command, name, f"prevalence@{'baseline' if name == 'LEVEL' else 'full-convergence'}")
    for name in command.PAGES:
        (tmp_path / name).write_text((ROOT / "docs" / name).read_text(encoding="utf-8"), encoding="utf-8")
    size = ["--trajectories", "2", "--base", "2", "--top", "1", "--population-share", "0.005", "--end", "2018-12"]
    assert command.main(["--out", str(tmp_path / "out"), "--pages", str(tmp_path), "--workers", "1", *size]) == 0
    for name, lang in command.PAGES.items():
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert text.count("<!-- end -->") == (ROOT / "docs" / name).read_text(encoding="utf-8").count("<!-- end -->")
        assert {"en": "Morris screening with N = 2", "id": "penyaringan Morris dengan N = 2"}[lang] in text
        for picture in command.pictures():
            assert f"pictures/{picture}.{lang}.png" in text and (tmp_path / f"pictures/{picture}.{lang}.png").exists()
    with pytest.raises(KeyError, match="no block 'none-such'"):
        command.fill("<!-- sensitivity: none-such -->\n<!-- end -->", {})
    sys.modules.pop("make_sensitivity")
