"""Discovery and robustness from a store to a folder: conditions, refusals, words, figures, the workbench's format."""

import csv
import importlib
import io
import json
import re
import tarfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_report import drawn_texts
from typer.testing import CliRunner

from konvergensi.analyses import cases as cases_module
from konvergensi.analyses.cases import Cases, by_draw, cases
from konvergensi.analyses.discover import Discovery, discover, search
from konvergensi.analyses.robustness import Robustness, robustness
from konvergensi.base.errors import InputError
from konvergensi.base.words import LANGUAGES
from konvergensi.cli.main import app
from konvergensi.inputs.parameters import load_parameters
from konvergensi.methods.cases import parse_where
from konvergensi.methods.designs import Design
from konvergensi.methods.factors import Factor
from konvergensi.methods.prim import Rule
from konvergensi.report import discovery_page, figures_discovery, figures_robustness, robustness_page
from konvergensi.report.theme import SMALL
from konvergensi.results.comparison import MEASURES
from konvergensi.studies.ema import write_ema
from konvergensi.studies.execute import run_study
from konvergensi.studies.outputs import outputs
from konvergensi.studies.store import Store
from konvergensi.studies.study import Study

INPUTS = (Factor("x1"), Factor("x2"), Factor("dummy"))
ISHIGAMI: dict[str, Any] = {
    "model": "ishigami",
    "districts": ("nowhere",),
    "scenarios": ("baseline", "plus-one", "with-x1-squared"),
    "seeds": (1, 2),
    "design": Design("lhs", draws=80),
}
LANGS = pytest.mark.parametrize("lang", ["en", "id"])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Ishigami's function with chance; draws whose x1 lies above 3 fail."""
    study = Study(**ISHIGAMI, factors=INPUTS, set={"noise_sd": 0.1, "fail_above": 3.0})
    return run_study(study, tmp_path_factory.mktemp("ishigami") / "store", workers=1)


# ---- what is asked -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "any_", "asked"),
    [
        ("prevalence > 14", False, [("prevalence", ">", 14.0)]),
        (" difference:prevalence>=-0.2 ", False, [("difference:prevalence", ">=", -0.2)]),
        ("y <= 1e3 and cost_per_case_rp < .5", False, [("y", "<=", 1000.0), ("cost_per_case_rp", "<", 0.5)]),
        ("a > 1 or b > 1_000 or c < +2", True, [("a", ">", 1.0), ("b", ">", 1000.0), ("c", "<", 2.0)]),
    ],
)
def test_conditions_are_read(text: str, any_: bool, asked: list[tuple[str, str, float]]) -> None:
    where = parse_where(text)
    assert [(each.output, each.sign, each.value) for each in where.conditions] == asked and where.any is any_


NO_CONDITIONS = ("", "prevalence", "prevalence > ", "prevalence = 14", "prevalence > 14%", "prevalence > 14,5",
                 "a > 1 or b > 1 and c > 1", "a > 1 or", "14 < prevalence")  # fmt: skip


@pytest.mark.parametrize("text", NO_CONDITIONS)
def test_what_is_no_condition_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError, match=r"where: .* is not a condition; .*'prevalence > 14'"):
        parse_where(text)


def test_one_of_several_or_all_of_them() -> None:
    values = pd.DataFrame({"a": [1, 2, 3], "b": [3, 2, 1]})
    assert parse_where("a > 2 or b > 2").holds(values).tolist() == [True, False, True]
    assert parse_where("a >= 2 and b >= 2").holds(values).tolist() == [False, True, False]


# ---- cases ---------------------------------------------------------------------------------------------------------


def test_a_case_is_a_draw_with_its_seeds_averaged_and_failed_draws_are_left_out(store: Store) -> None:
    found = cases(store, parse_where("y > 5"), "plus-one")
    runs = store.runs()
    of = runs[(runs["policy"] == "plus-one") & (runs["draw"] == found.x.index[0])]
    assert len(of) == 2 and found.values["y"].iloc[0] == pytest.approx(of["y"].mean())
    failed = runs.loc[runs["status"] == "failed", "draw"].nunique()
    assert failed > 0 and found.left_out == failed and len(found.x) == 80 - failed
    assert list(found.x) == ["x1", "x2"]  # a dummy is no condition
    assert (found.interest == (found.values["y"] > 5)).all()


def test_the_scenario_is_the_last_unless_named(store: Store) -> None:
    assert cases(store, parse_where("y > 5")).scenario == "with-x1-squared"


def test_money_that_averts_nothing_is_not_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw 1: 300 for 3 cases; 2: cases rise; 3: nothing changes; 4: a run failed. Means over seeds, then the ratio."""
    told = {
        "difference:spent_rp": [130.0, 330.0, 10.0, 10.0, 0.0, 0.0, np.nan, 1.0],
        "difference:kpm_incentive_rp": [50.0, 50.0, 0.0, 0.0, 0.0, 0.0, np.nan, 0.0],
        "difference:coordination_rp": [20.0, 20.0, 0.0, 0.0, 0.0, 0.0, np.nan, 0.0],
        "difference:stunted_children": [-1.0, -5.0, 1.0, 2.0, 0.0, 0.0, np.nan, -1.0],
    }
    keys = pd.DataFrame({"draw": [1, 1, 2, 2, 3, 3, 4, 4], "seed": [1, 2] * 4})
    monkeypatch.setattr(cases_module, "outputs", lambda store, name, *_: keys.assign(value=told[name]))
    found = by_draw(SimpleNamespace(), "cost_per_case_rp", "any", "any")  # type: ignore[arg-type]
    assert found.loc[[1, 2, 3]].tolist() == [100.0, np.inf, np.inf] and np.isnan(found[4])


@pytest.mark.parametrize(
    ("where", "fault"),
    [
        ("y > 1e6", r"where: 'y > 1e6': 0 of \d+ draws meet it; at least 5 must and.*\(values: y 0"),
        ("y > -1e6", r"(\d+) of \1 draws meet it"),
        ("z > 1", r"unknown output 'z'; there is y"),
    ],
)
def test_where_nothing_can_be_told_apart_it_is_said(store: Store, where: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        discover(store, where)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"factors": ()}, "factors: this study varies nothing"),
        ({"design": Design("morris", draws=4)}, r"design.method: points of 'morris' differ from each other"),
    ],
)
def test_studies_that_hold_no_independent_draws_are_refused(changes: dict, fault: str, tmp_path: Path) -> None:
    study = Study(**ISHIGAMI | {"factors": INPUTS, "seeds": (1,)} | changes)
    with pytest.raises(InputError, match=fault):
        discover(run_study(study, tmp_path / "store", workers=1), "y > 5")


# ---- what is found -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["prim", "tree", "nothing"])
def found(request: pytest.FixtureRequest) -> Discovery:
    """Found in a made-up table with the model's own factors and their long names."""
    method = "tree" if request.param == "tree" else "prim"
    keys = ["registers.missed_first_share", "services.pmba.effect", "growth.combination", "actions.on"]
    rng, known = np.random.default_rng(1), load_parameters()
    x = pd.DataFrame(rng.random((160, 2)), columns=keys[:2], index=pd.RangeIndex(1, 161, name="draw"))
    x[keys[2]] = rng.choice(["additive", "threshold", "multiplicative", "complementary"], 160)
    x[keys[3]] = rng.random(160) < 0.7
    true = ((x[keys[0]] < 0.6) & (x[keys[2]] != "additive") & x[keys[3]]).to_numpy()
    interest = rng.random(160) < 0.4 if request.param == "nothing" else true
    values = pd.DataFrame({"difference:prevalence": -1.0 + 0.9 * interest, "cost_per_case_rp": 1e9}, index=x.index)
    where = parse_where("difference:prevalence >= -0.2 or cost_per_case_rp > 2e9")
    manifest = {
        "version": "0", "district": "lebak", "district_name": "Kabupaten Lebak", "policies": ["full-convergence"],
        "reference": "baseline", "start": "2018-01", "end": "2024-12", "draws": 160, "seeds": 2, "left_out": 3,
        "population_share": 0.02, "synthetic_inputs": ["villages"], "varied": 4, "method": method, "kind": "discovery",
        "rule": "correlation", "intervals": {"en": "95%", "id": "95%"}, "command": "konvergensi discover x",
        "factors": {
            key: {"meaning": known[key].meaning, "arti": known[key].arti, "unit": known[key].unit} for key in keys
        },
    }  # fmt: skip
    assert (where.holds(values) == interest).all()
    given = Cases(x, values, interest, where, "full-convergence", "lebak", 3)
    return search(given, method, Rule(), manifest)


@LANGS
def test_a_page_says_conditions_counts_and_verdict(found: Discovery, lang: str) -> None:
    text = discovery_page.page(found, lang)
    assert not re.search(r"\b(nan|inf)\b", text)
    assert ("-0.2" if lang == "en" else "-0,2") in text and "konvergensi discover x" in text
    if not found.boxes:
        assert ("No condition stands out" if lang == "en" else "Tidak ada kondisi yang menonjol") in text
        return
    first = found.boxes[0]
    assert all(f"`{factor}`" in text for region in found.boxes for factor in region.box)
    assert f"{first.fit.hits} " in text and f"{100 * first.fit.density:.0f}%" in text
    assert discovery_page.sentence(found, first, lang) in text
    better = {"en": "So it is better than chance on draws it has not seen",
              "id": "Jadi temuan ini lebih baik daripada kebetulan pada sampel yang belum dilihat"}  # fmt: skip
    assert better[lang] in text
    unlike = "true" if lang == "en" else "yes"
    assert f"is {unlike}" not in text and f"bernilai {unlike}" not in text  # levels are said in the language


def test_boxes_that_do_not_overlap_add_up(found: Discovery) -> None:
    assert sum(region.fit.hits for region in found.boxes) == found.together.hits
    assert sum(region.fit.support for region in found.boxes) == found.together.support
    table = found.tables()["cases"]
    assert (table["box"] > 0).sum() == found.together.support and list(table["draw"]) == list(range(1, 161))


@LANGS
def test_figures_are_legible_and_their_words_apart(found: Discovery, lang: str) -> None:
    made = figures_discovery.figures(found, lang)
    expected = {"draws"} | ({"tree"} if found.root else set()) | ({"trajectory"} if found.found else set())
    assert set(made) == expected
    for name, figure in made.items():
        _legible(name, figure)


def test_a_page_and_an_axis_name_the_unit_in_the_language_of_the_page(found: Discovery) -> None:
    key = "registers.missed_first_share"
    for lang, unit, other in (("en", "share of people", "proporsi orang"), ("id", "proporsi orang", "share of people")):
        said = " ".join(" ".join(text.get_text() for text in drawn_texts(figures_discovery.draws(found, lang))).split())
        page = discovery_page.page(found, lang)
        assert (f"({unit})" in said) == (key in figures_discovery.strongest_two(found)) and other not in said
        assert (f"`{key}` ({unit})" in page) == any(key in region.box for region in found.boxes) and other not in page
    assert found.manifest["factors"][key]["unit"] == "share of people"


def _legible(name: str, figure: Any) -> None:
    texts = drawn_texts(figure)
    width, height = figure.bbox.size
    boxes = [text.get_window_extent() for text in texts]
    assert min(text.get_fontsize() for text in texts) >= SMALL
    for text, box in zip(texts, boxes):
        inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1
        assert inside, f"{name}: {text.get_text()!r} leaves the canvas"
    for i, box in enumerate(boxes):
        for other, text in zip(boxes[:i], texts):
            apart = box.x0 >= other.x1 or other.x0 >= box.x1 or box.y0 >= other.y1 or other.y0 >= box.y1
            assert apart, f"{name}: {texts[i].get_text()!r} over {text.get_text()!r}"


def test_numbers_that_moved_together_are_told(found: Discovery) -> None:
    if not any("registers.missed_first_share" in region.box for region in found.boxes):
        assert found.lookalikes() == {}
        return
    x = found.cases.x.assign(**{"services.pmba.effect": -(found.cases.x["registers.missed_first_share"] ** 3)})
    given = Cases(x, found.cases.values, found.cases.interest, found.cases.where, "full-convergence", "lebak", 0)
    twin = Discovery(given, found.boxes, found.check, found.found, found.root, found.manifest)
    assert twin.lookalikes() == {"registers.missed_first_share": ["services.pmba.effect"]}
    assert "`registers.missed_first_share` moved together with `services.pmba.effect`" in discovery_page.page(
        twin, "en"
    )


@LANGS
@pytest.mark.parametrize("coverage", [0.2, 0.8])
def test_the_verdict_names_the_interval_and_what_is_left_of_the_coverage(
    found: Discovery, coverage: float, lang: str
) -> None:
    if not found.boxes:
        return
    checked = replace(found.check, base=0.381, density=0.526, low=0.383, high=0.655, coverage=coverage)
    told = re.sub(r"(\d),(\d)", r"\1.\2", discovery_page.page(replace(found, check=checked), lang))
    before, left = f"{100 * found.together.coverage:.0f}%", f"{100 * coverage:.0f}%"
    assert found.together.coverage > 0.4
    begins = {"en": "begins at 38.3%, the share of all draws is 38.1%",
              "id": "bermula pada 38.3%, bagian dari semua sampel 38.1%"}  # fmt: skip
    assert begins[lang] in told and "So it stands" not in told
    edges = {"en": f"But there it covers {left} instead of {before}: its edges are not settled",
             "id": f"Tetapi di sana cakupannya {left}, bukan {before}: batas-batasnya belum mantap"}  # fmt: skip
    assert (edges[lang] in told) == (coverage == 0.2) and before in told and left in told


@pytest.mark.parametrize("seeds", [1, 2])
def test_chance_weighs_less_with_more_seeds_and_is_never_said_to_be_gone(found: Discovery, seeds: int) -> None:
    one = {"en": "nothing is averaged, so the conditions below may hold chance",
           "id": "tidak ada yang dirata-ratakan, sehingga kondisi di bawah ini bisa memuat kebetulan"}  # fmt: skip
    two = {"en": "so that chance weighs less; that of 2 seeds is left",
           "id": "sehingga kebetulan berkurang bobotnya; kebetulan 2 benih acak itu tetap ada"}  # fmt: skip
    run = replace(found, manifest=found.manifest | {"seeds": seeds})
    for lang in LANGUAGES:
        told = discovery_page.page(run, lang)
        assert (one[lang] in told, two[lang] in told) == (seeds == 1, seeds == 2)


# ---- robustness of a store -----------------------------------------------------------------------------------------


@pytest.fixture
def ranked(store: Store, monkeypatch: pytest.MonkeyPatch) -> Robustness:
    monkeypatch.setitem(MEASURES, "y", -1)  # a test function knows no better direction
    return robustness(store, "y", threshold=0.0)


def test_scenarios_are_ranked_over_whole_draws(ranked: Robustness, store: Store) -> None:
    """plus-one is one worse in every draw, so its regret is at least 1; whoever is best has none in that draw."""
    value = outputs(store, "y", "baseline").groupby("draw")["value"].mean()
    assert ranked.of("expected").loc["baseline", "value"] == pytest.approx(value.loc[ranked.values.index].mean())
    assert ranked.regret()["plus-one"].min() >= 1 - 1e-9 and (ranked.regret().min(axis=1) == 0).all()
    assert ranked.of("expected").loc["baseline", "rank"] == 1
    assert ranked.of("satisficing")["value"].between(0, 1).all()
    assert ranked.manifest["left_out"] == 80 - len(ranked.values) > 0


def test_one_scenario_or_too_few_draws_are_refused(store: Store, tmp_path: Path) -> None:
    study = Study(**ISHIGAMI | {"scenarios": ("baseline",)}, factors=INPUTS)
    with pytest.raises(InputError, match="two scenarios or more"):
        robustness(run_study(study, tmp_path / "one", workers=1))
    few = Study(**ISHIGAMI | {"design": Design("lhs", draws=3)}, factors=INPUTS)
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch, pytest.raises(InputError, match="3 draws are complete in all scenarios; 5 are"):
        patch.setitem(MEASURES, "y", -1)
        robustness(run_study(few, tmp_path / "few", workers=1), "y")


@LANGS
def test_the_page_of_robustness_names_a_winner_for_each_rule(ranked: Robustness, lang: str) -> None:
    text = robustness_page.page(ranked, lang)
    assert not re.search(r"\bnan\b", text) and "baseline" in robustness_page.verdict(ranked, lang)[0]
    assert robustness_page.winners(ranked, "expected") == ("baseline",)
    _legible("robustness", figures_robustness.figures(ranked, lang)["robustness"])


@LANGS
@pytest.mark.parametrize("seeds", [1, 2])
def test_intervals_are_said_to_hold_no_chance_and_one_seed_is_warned_of_first(
    ranked: Robustness, seeds: int, lang: str
) -> None:
    run = replace(ranked, manifest=ranked.manifest | {"seeds": seeds})
    text, printed = robustness_page.page(run, lang), robustness_page.lines(run, lang)
    figure = figures_robustness.figures(run, lang)["robustness"]
    drawn = " ".join(" ".join(each.get_text() for each in drawn_texts(figure)).split())
    only = {"en": "of the draws only; the chance of seeds is not in them",
            "id": "sampel ulang saja; kebetulan benih acak tidak termuat"}[lang]  # fmt: skip
    assert only in drawn and text.count(only) == 2 and any(only in line for line in printed)  # table and foot
    alone = {"en": "CAUTION: with one seed the chance of that seed is in every number, and in no interval",
             "id": "PERHATIAN: dengan satu benih acak, kebetulan benih itu ada dalam"}[lang]  # fmt: skip
    averaged = {"en": "averaged over its 2 seeds. Intervals and shares of resamples are over draws only",
                "id": "dirata-ratakan atas 2 benih acaknya. Selang dan bagian sampel ulang hanya"}[lang]  # fmt: skip
    assert (alone in text, alone in drawn, averaged in text) == (seeds == 1, seeds == 1, seeds == 2)
    assert (printed[3].startswith(alone), robustness_page.verdict(run, lang)[0] in drawn) == (seeds == 1, True)
    _legible("robustness", figure)


@LANGS
def test_of_the_model_it_is_said_that_cost_is_not_in_the_rules(ranked: Robustness, lang: str) -> None:
    told = {"en": "what coordination costs is assumed",
            "id": "biaya koordinasi berupa asumsi"}  # fmt: skip
    assert told[lang] not in robustness_page.page(ranked, lang)  # a test function has no money
    real = replace(ranked, manifest=ranked.manifest | {"model": "konvergensi"})
    assert told[lang] in robustness_page.page(real, lang)
    assert any(told[lang] in line for line in robustness_page.lines(real, lang))


# ---- commands ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "figure"), [("prim", "trajectory"), ("tree", "tree")])
def test_discover_writes_tables_page_and_figures(store: Store, tmp_path: Path, method: str, figure: str) -> None:
    out = tmp_path / "out"
    asked = ["discover", str(store.path), "--where", "y > 5", "--scenario", "baseline", "--method", method]
    done = CliRunner().invoke(app, [*asked, "--out", str(out), "--lang", "id"])
    assert done.exit_code == 0, done.output
    assert "Kondisi 1" in done.stdout and "input 2" in done.stdout
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["where"] == "y > 5" and manifest["check"]["verdict"] in ("stands", "unsure", "falls")
    boxes = pd.read_parquet(out / "boxes.parquet")
    assert len(boxes) and set(boxes["factor"]) <= {"x1", "x2"} and boxes.attrs["draws"] == manifest["draws"]
    assert {"draws.png", f"{figure}.png"} <= {path.name for path in (out / "figures").iterdir()}
    assert (out / "discovery.md").read_text(encoding="utf-8").startswith("# Dalam kondisi apa")


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        (["discover", "{store}", "--where", "y > 1e6"], "--where: 'y > 1e6'"),
        (["discover", "{store}", "--where", "y > 5", "--scenario", "baselin"], "baselin"),
        (["discover", "{store}", "--where", "y > 5", "--density", "80"], "--density: 80 is outside [0, 1]"),
        (["discover", "no/store", "--where", "y > 5"], "no/store"),
        (["robustness", "{store}", "--output", "y"], "--output: 'y'"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_line_with_nothing_written(
    store: Store, tmp_path: Path, asked: list[str], fault: str
) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(app, [each.format(store=store.path) for each in asked] + ["--out", str(out)])
    assert done.exit_code == 2 and fault in done.stderr and "Traceback" not in done.stderr
    assert not out.exists()


# ---- the workbench's format ----------------------------------------------------------------------------------------


def test_a_store_is_written_as_the_workbench_reads_it(store: Store, tmp_path: Path) -> None:
    ok = store.runs()[lambda runs: runs["status"] == "ok"]
    assert write_ema(store, tmp_path / "results.tar.gz") == len(ok)
    with tarfile.open(tmp_path / "results.tar.gz", "r:gz") as archive:
        held = {name: archive.extractfile(name).read().decode() for name in archive.getnames()}  # type: ignore[union-attr]
    metadata = json.loads(held["metadata.json"])
    rows = list(csv.DictReader(io.StringIO(held["experiments.csv"])))
    assert (
        list(rows[0]) == list(metadata["experiments"]) == ["x1", "x2", "dummy", "seed", "scenario", "policy", "model"]
    )
    assert len(rows) == len(ok) and {row["policy"] for row in rows} == set(store.scenarios)
    assert metadata["experiments"]["policy"] == "category" and metadata["experiments"]["x1"] == "float64"
    assert ["ScalarOutcome", "y", "y.cls"] in metadata["outcomes"]
    np.testing.assert_allclose(np.loadtxt(io.StringIO(held["y.cls"])), ok["y"])
    assert all(file in held for _, _, file in metadata["outcomes"])


def test_the_same_store_gives_the_same_bytes(store: Store, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_ema(store, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_store_without_a_good_run_is_refused(tmp_path: Path) -> None:
    study = Study(**ISHIGAMI, factors=INPUTS, set={"fail_above": -1e9})
    failed = run_study(study, tmp_path / "store", workers=1)
    with pytest.raises(InputError, match="no run of it has ended well"):
        write_ema(failed, tmp_path / "results.tar.gz")
    assert not (tmp_path / "results.tar.gz").exists()


def test_what_is_a_name_in_the_export_is_no_number(store: Store, tmp_path: Path) -> None:
    """Seed and scenario are words, so that the workbench's PRIM peels them as categories."""
    write_ema(store, tmp_path / "results.tar.gz")
    with tarfile.open(tmp_path / "results.tar.gz", "r:gz") as archive:
        held = {name: archive.extractfile(name).read().decode() for name in archive.getnames()}  # type: ignore[union-attr]
    types = json.loads(held["metadata.json"])["experiments"]
    experiments = pd.read_csv(io.StringIO(held["experiments.csv"]))
    assert all(types[name] == "category" for name in ("seed", "scenario", "policy", "model"))
    assert not any(pd.api.types.is_integer_dtype(column) for _, column in experiments.items())
    assert "int" not in " ".join(types.values())


def test_the_workbench_itself_reads_it(store: Store, tmp_path: Path) -> None:
    workbench = pytest.importorskip("ema_workbench")
    write_ema(store, tmp_path / "results.tar.gz")
    experiments, outcomes = workbench.load_results(str(tmp_path / "results.tar.gz"))
    ok = store.runs()[lambda runs: runs["status"] == "ok"]
    np.testing.assert_allclose(outcomes["y"], ok["y"])
    assert experiments["policy"].tolist() == ok["policy"].tolist()
    box = (
        importlib.import_module("ema_workbench.analysis.prim")
        .Prim(experiments, outcomes["y"] > 5, threshold=0.5)
        .find_box()
    )
    assert len(box.box_lims) > 1
