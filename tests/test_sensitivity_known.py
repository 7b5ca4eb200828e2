"""The sensitivity command's own path, from a study file to its tables, against answers known on paper."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from konvergensi.analyses.sensitivity import sensitivity
from konvergensi.base.errors import InputError
from konvergensi.methods.functions import G_WEIGHTS, analytic
from konvergensi.methods.sensitivity_designs import METHODS
from konvergensi.results.sensitivity import Sensitivity
from konvergensi.studies.execute import run_study
from konvergensi.studies.study_file import load_study

ISHIGAMI = 'model = "ishigami"\n[factors.x1]\n[factors.x2]\n[factors.x3]\n[design]\nmethod = "sobol"\n'
GROUPS = {"x1": "strong", "x2": "strong", "x5": "weak", "x6": "weak", "x7": "weak", "x8": "weak"}
ENOUGH = {"sobol": 1024, "morris": 64, "shapley": 1024, "pawn": 512, "delta": 512, "rbd_fast": 1024, "rsa": 512}


def study_of(folder: Path, text: str, draws: int) -> Path:
    """A study file; `text` ends inside [design]."""
    path = folder / "study.toml"
    path.write_text(f"{text}draws = {draws}\n", encoding="utf-8")
    return path


def g_study(folder: Path, draws: int, groups: dict[str, str], more: str = "") -> Path:
    factors = "".join(
        f"[factors.x{i}]\n" + (f'group = "{groups[f"x{i}"]}"\n' if f"x{i}" in groups else "") for i in range(1, 9)
    )
    return study_of(folder, f'model = "sobol_g"\n{more}{factors}[design]\nmethod = "lhs"\n', draws)


def look(study: Path, method: str, folder: Path, **options: object) -> Sensitivity:
    return sensitivity(study, method, out=folder / "out", workers=1, **options)


def values(found: Sensitivity, index: str) -> pd.DataFrame:
    table = found.sensitivity[found.sensitivity["index"] == index]
    return table.assign(unit=table["factor"].where(table["factor"] != "", table["group"])).set_index("unit")


# ---- Sobol -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["ishigami", "sobol_g"])
def test_sobol_recovers_the_analytic_indices_inside_its_intervals(model: str, tmp_path: Path) -> None:
    study = study_of(tmp_path, ISHIGAMI, 2048) if model == "ishigami" else g_study(tmp_path, 2048, {})
    found = look(study, "sobol", tmp_path)
    for column, index in enumerate(("first", "total")):
        table = values(found, index)
        for key, both in analytic(model).items():
            row = table.loc[key]
            assert row["low"] <= both[column] <= row["high"], (key, index)
            assert row["high"] - row["low"] < 0.2
            assert row["value"] == pytest.approx(both[column], abs=0.05)
    assert found.manifest["n"] == 2048 and found.manifest["failed"] == 0


def test_intervals_of_sobol_hold_the_truth_as_often_as_they_say(tmp_path: Path) -> None:
    """Twelve samples of 128 base points, each with a seed of its own."""
    inside = []
    for seed in range(1, 13):
        folder = tmp_path / str(seed)
        folder.mkdir()
        text = ISHIGAMI.replace("[design]\n", f"[design]\nseed = {seed}\n")
        found = look(study_of(folder, text, 128), "sobol", folder)
        for column, index in enumerate(("first", "total")):
            table = values(found, index)
            inside += [
                table.loc[k, "low"] <= both[column] <= table.loc[k, "high"] for k, both in analytic("ishigami").items()
            ]
    assert len(inside) == 72 and np.mean(inside) >= 0.9


def test_a_group_has_the_analytic_index_of_the_group(tmp_path: Path) -> None:
    """Of a product, the closed index of a set is the product of its parts; the total adds all it does with others."""
    parts = {f"x{i + 1}": 1 / 3 / (1 + a) ** 2 for i, a in enumerate(G_WEIGHTS)}
    whole = math.prod(1 + part for part in parts.values()) - 1
    found = look(g_study(tmp_path, 2048, GROUPS), "sobol", tmp_path)
    first, total = values(found, "first"), values(found, "total")
    for name in ("strong", "weak"):
        inside = math.prod(1 + parts[key] for key in parts if GROUPS.get(key) == name)
        outside = math.prod(1 + parts[key] for key in parts if GROUPS.get(key) != name)
        for row, exact in ((first.loc[name], (inside - 1) / whole), (total.loc[name], 1 - (outside - 1) / whole)):
            assert row["low"] <= exact <= row["high"]
            assert row["value"] == pytest.approx(exact, abs=0.05)
    assert list(first["group"]) == ["strong", "", "", "weak", ""]
    assert "4 parameters" not in str(first.index)


def test_a_choice_of_levels_has_the_share_of_variance_that_its_levels_make(tmp_path: Path) -> None:
    """x1 of 0, 1/2, 1 takes |4 x - 2| of 2, 0, 2: mean 4/3, variance 8/9, times those of the others."""
    levels = "[factors.x1]\nvalues = [0.0, 0.5, 1.0]\n"
    text = f'model = "sobol_g"\n{levels}[factors.x2]\n[factors.x3]\n[design]\nmethod = "lhs"\n'
    found = look(study_of(tmp_path, text, 2048), "sobol", tmp_path)
    parts = {"x1": (8 / 9) / (4 / 3) ** 2, "x2": 1 / 3 / 4, "x3": 1 / 3 / 5.5**2}
    whole = math.prod(1 + part for part in parts.values()) - 1
    table = values(found, "first")
    for key, part in parts.items():
        assert table.loc[key, "low"] <= part / whole <= table.loc[key, "high"]
        assert table.loc[key, "value"] == pytest.approx(part / whole, abs=0.05)
    assert found.manifest["factors"]["x1"]["values"] == [0.0, 0.5, 1.0]
    assert found.manifest["runs"] < found.manifest["points"]  # a level that stays where it was is no other run


SHAPES = {
    'distribution = "triangular"\nlow = 0.0\nmode = 0.5\nhigh = 1.0': stats.triang(0.5).pdf,
    'distribution = "normal"\nmean = 0.6\nsd = 0.2': stats.norm(0.6, 0.2).pdf,
    'distribution = "lognormal"\nmedian = 0.3\ngsd = 1.8': stats.lognorm(np.log(1.8), scale=0.3).pdf,
}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.split('"')[1])
def test_a_distribution_has_the_share_of_variance_that_its_shape_makes(shape: str, tmp_path: Path) -> None:
    """x1 of that density, cut to 0..1, beside uniform x2: the factors of Sobol's g by quadrature."""
    x = (np.arange(100_000) + 0.5) / 100_000
    weight = SHAPES[shape](x)
    mean, square = (np.average(np.abs(4 * x - 2) ** power, weights=weight) for power in (1, 2))
    parts = {"x1": (square - mean**2) / mean**2, "x2": 1 / 3 / 4}
    whole = math.prod(1 + part for part in parts.values()) - 1
    text = f'model = "sobol_g"\n[factors.x1]\n{shape}\n[factors.x2]\n[design]\nmethod = "lhs"\n'
    table = values(look(study_of(tmp_path, text, 2048), "sobol", tmp_path), "first")
    for key, part in parts.items():
        assert table.loc[key, "low"] <= part / whole <= table.loc[key, "high"]
        assert table.loc[key, "value"] == pytest.approx(part / whole, abs=0.04)


# ---- the others ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_every_method_ranks_the_first_of_sobols_g_and_leaves_the_dummy_undetected(method: str, tmp_path: Path) -> None:
    found = look(g_study(tmp_path, ENOUGH[method], {}), method, tmp_path)
    table = found.ranked("y")
    assert table["unit"].tolist()[:2] == ["x1", "x2"]
    assert table.set_index("unit")["detected"]["x1"]
    assert pd.isna(found.dummy("y")["detected"])
    assert found.dummy("y")["value"] < table["value"].iloc[0] / 4
    if method in ("pawn", "delta", "rbd_fast", "rsa"):  # x5 to x8 have a thousandth of the variance together
        assert not table.set_index("unit").loc[["x5", "x6", "x7", "x8"], "detected"].any()


def test_morris_orders_the_factors_of_sobols_g(tmp_path: Path) -> None:
    table = look(g_study(tmp_path, 256, {}), "morris", tmp_path).ranked("y")
    assert table["unit"].tolist()[:4] == ["x1", "x2", "x3", "x4"]
    exact = {f"x{i + 1}": 1 / (1 + a) for i, a in enumerate(G_WEIGHTS)}  # slopes fall like this
    seen = table.set_index("unit")["value"]
    assert seen["x3"] / seen["x4"] == pytest.approx(exact["x3"] / exact["x4"], rel=0.2)


def test_morris_finds_the_interaction_of_ishigami(tmp_path: Path) -> None:
    found = look(study_of(tmp_path, ISHIGAMI, 64), "morris", tmp_path)
    mu, sigma = values(found, "mu"), values(found, "sigma")
    assert mu.loc["x3", "low"] < 0 < mu.loc["x3", "high"] and sigma.loc["x3", "value"] > 1
    assert mu["detected"].isna().all()  # direction and spread are no verdict


@pytest.mark.parametrize("model", ["ishigami", "sobol_g"])
def test_shapley_effects_sum_to_one_and_lie_between_first_and_total(model: str, tmp_path: Path) -> None:
    study = study_of(tmp_path, ISHIGAMI, 2048) if model == "ishigami" else g_study(tmp_path, 2048, {})
    effects = values(look(study, "shapley", tmp_path), "effect")
    assert effects["value"].sum() == pytest.approx(1.0, abs=1e-9)
    for key, (first, total) in analytic(model).items():
        assert effects.loc[key, "high"] >= first and effects.loc[key, "low"] <= total


def test_shapley_gives_interactions_to_both_sides(tmp_path: Path) -> None:
    """Ishigami: x1 and x3 share what they do together, x2 does nothing with others."""
    effects = values(look(study_of(tmp_path, ISHIGAMI, 2048), "shapley", tmp_path), "effect")
    exact = analytic("ishigami")
    both = exact["x3"][1] / 2
    for key, share in {"x1": exact["x1"][0] + both, "x2": exact["x2"][0], "x3": both}.items():
        assert effects.loc[key, "low"] <= share <= effects.loc[key, "high"]


def test_shapley_of_groups_sums_those_of_no_group(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    effects = values(look(g_study(tmp_path, 2048, {}), "shapley", tmp_path), "effect")["value"]
    grouped = values(look(g_study(tmp_path / "a", 2048, GROUPS), "shapley", tmp_path / "a"), "effect")
    for name in ("strong", "weak"):
        members = sum(effects[key] for key in GROUPS if GROUPS[key] == name)
        assert grouped.loc[name, "value"] == pytest.approx(members, abs=0.08)


def test_rbd_fast_finds_first_order_indices(tmp_path: Path) -> None:
    table = values(look(study_of(tmp_path, ISHIGAMI, 2048), "rbd_fast", tmp_path), "first")
    for key, (first, _) in analytic("ishigami").items():
        assert table.loc[key, "value"] == pytest.approx(first, abs=0.05)
    assert not table.loc["x3", "detected"]  # it acts only with x1, which no first-order index sees


def test_delta_sees_what_acts_only_together(tmp_path: Path) -> None:
    table = values(look(study_of(tmp_path, ISHIGAMI, 512), "delta", tmp_path), "delta")
    assert table.loc["x3", "detected"]


# ---- scenarios, convergence ------------------------------------------------------------------------------------------


def test_a_difference_is_moved_by_what_differs(tmp_path: Path) -> None:
    """with-x1-squared adds x1 ** 2, so only x1 moves the difference; it is the square of a uniform."""
    scenarios = 'scenarios = ["baseline", "with-x1-squared"]\n'
    found = look(study_of(tmp_path, scenarios + ISHIGAMI, 256), "sobol", tmp_path)
    assert found.outputs == ["y@baseline", "difference:y@with-x1-squared"]
    table = found.ranked("difference:y@with-x1-squared").set_index("unit")
    assert table.loc["x1", "value"] == pytest.approx(1.0, abs=0.05)
    assert table.loc[["x2", "x3"], "value"].abs().max() < 1e-12
    assert list(table["detected"]) == [True, False, False]


def test_convergence_looks_at_an_eighth_a_quarter_a_half_and_all(tmp_path: Path) -> None:
    found = look(study_of(tmp_path, ISHIGAMI, 512), "sobol", tmp_path)
    table = found.convergence
    assert sorted(table["n"].unique()) == [64, 128, 256, 512]
    wide = table.assign(width=table["high"] - table["low"]).pivot(index="unit", columns="n", values="width")
    assert (wide.loc[["x1", "x2", "x3"], 512] < wide.loc[["x1", "x2", "x3"], 64]).all()
    last = table[table["n"] == 512].set_index("unit")["value"]
    pd.testing.assert_series_equal(last, values(found, "total")["value"], check_names=False, check_like=True)


def test_methods_that_fill_the_ranges_share_their_runs(tmp_path: Path) -> None:
    study = study_of(tmp_path, ISHIGAMI.replace("sobol", "morris"), 64)
    for method in ("rbd_fast", "rsa"):
        look(study, method, tmp_path)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["runs-lhs"]


def test_a_store_that_has_been_run_is_looked_at_without_another_run(tmp_path: Path) -> None:
    text = ISHIGAMI.replace("sobol", "lhs")
    store = run_study(load_study(study_of(tmp_path, text, 512)), tmp_path / "store", workers=1)
    found = look(store.path, "rbd_fast", tmp_path)
    assert found.ranked("y")["unit"].tolist()[:2] == ["x2", "x1"]
    assert not (tmp_path / "out").exists()


def test_a_district_of_the_study_is_looked_at_the_first_unless_named(tmp_path: Path) -> None:
    study = tmp_path / "study.toml"
    study.write_text(
        'districts = ["lebak", "kota-banjar"]\npopulation_share = 0.002\nend = "2018-03"\n'
        '[factors."growth.deviation_sd"]\n[factors."population.knowledge_mean"]\n'
        '[design]\nmethod = "lhs"\ndraws = 32\n',
        encoding="utf-8",
    )
    store = run_study(load_study(study), tmp_path / "store", workers=1)
    found = {name: look(store.path, "rsa", tmp_path, district=name, output=("prevalence",)) for name in store.districts}
    assert [each.manifest["district"] for each in found.values()] == ["lebak", "kota-banjar"]
    assert not found["lebak"].sensitivity.equals(found["kota-banjar"].sensitivity)
    assert look(store.path, "rsa", tmp_path, output=("prevalence",)).sensitivity.equals(found["lebak"].sensitivity)
    own = look(study, "morris", tmp_path, district="kota-banjar", draws=2, output=("prevalence",))
    assert own.manifest["district_name"] == "Kota Banjar" and own.manifest["runs"] == 6
    assert not own.sensitivity["detected"].any() and own.sensitivity["floor"].isna().all()  # one seed tells no noise
    with pytest.raises(InputError, match=r"unknown district 'banjarr'.*did you mean kota-banjar"):
        look(store.path, "rsa", tmp_path, district="banjarr")


def test_too_few_points_are_refused_before_any_run_where_a_method_needs_more(tmp_path: Path) -> None:
    lhs = ISHIGAMI.replace("sobol", "lhs")
    with pytest.raises(InputError, match="draws: pawn needs at least 32, not 31"):
        look(study_of(tmp_path, lhs, 64), "pawn", tmp_path, draws=31)
    store = run_study(load_study(study_of(tmp_path, lhs, 16)), tmp_path / "store", workers=1)
    for method in ("pawn", "delta", "rbd_fast", "rsa"):
        with pytest.raises(InputError, match=f"draws: {method} needs at least 32, not 16"):
            look(store.path, method, tmp_path)
    assert not (tmp_path / "out").exists()


def test_rbd_fast_does_not_look_at_a_sobol_sequence(tmp_path: Path) -> None:
    """Its harmonics would see factors that do nothing, as two coordinates of a Sobol sequence make a pattern."""
    study = g_study(tmp_path, 128, {}).read_text(encoding="utf-8").replace('"lhs"', '"sobol"')
    (tmp_path / "study.toml").write_text(study, encoding="utf-8")
    found = look(tmp_path / "study.toml", "rbd_fast", tmp_path)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["runs-lhs"]
    assert not found.ranked("y").set_index("unit").loc[["x5", "x6", "x7", "x8"], "detected"].any()
    look(tmp_path / "study.toml", "pawn", tmp_path)
    assert (tmp_path / "out" / "runs-study").exists()
