"""What is refused: outputs that are no numbers or never change, failed runs, names that are not there."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from konvergensi.analyses.sensitivity import sensitivity
from konvergensi.analyses.sensitivity_values import Sample
from konvergensi.base.errors import InputError
from konvergensi.cli.main import app
from konvergensi.methods.sensitivity_designs import design

STUDY = 'model = "ishigami"\n[factors.x1]\n[factors.x2]\n[factors.x3]\n[design]\nmethod = "lhs"\ndraws = 64\n'


@pytest.fixture
def sample() -> Sample:
    """Eight trajectories of Morris over two factors and the dummy, every row a draw of its own."""
    found = design("morris", ("a", "b"), ("", ""), 8, 1)
    return Sample(found, np.arange(1, 33), 8)


def numbers(sample: Sample, seeds: int = 2) -> pd.DataFrame:
    draws, columns = np.meshgrid(sample.draws, np.arange(1, seeds + 1), indexing="ij")
    table = pd.DataFrame({"draw": draws.ravel(), "seed": columns.ravel()})
    return table.assign(value=table["draw"] + 0.01 * table["seed"])


def runs(sample: Sample, bad: tuple[int, ...] = ()) -> pd.DataFrame:
    table = numbers(sample)[["draw", "seed"]].assign(policy="baseline", status="ok", error="")
    table.loc[table["draw"].isin(bad), ["status", "error"]] = ["failed", "ZeroDivisionError: by zero"]
    return table


def study_file(folder: Path, text: str = STUDY) -> Path:
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


# ---- outputs ---------------------------------------------------------------------------------------------------------


def test_values_come_by_row_and_seed(sample: Sample) -> None:
    found = sample.replicates("y", numbers(sample).sample(frac=1.0, random_state=1), (1, 2))
    np.testing.assert_allclose(found, sample.draws[:, None] + [0.01, 0.02])


def test_rows_of_the_same_point_share_its_run(sample: Sample) -> None:
    shared = Sample(sample.design, np.repeat(np.arange(1, 17), 2), 8)
    found = shared.replicates("y", numbers(shared).drop_duplicates(), (1, 2))
    np.testing.assert_array_equal(found[::2], found[1::2])


@given(bad=st.sampled_from([np.nan, np.inf, -np.inf]), count=st.integers(1, 5))
def test_what_is_no_number_is_refused_with_output_count_and_runs(bad: float, count: int) -> None:
    sample = Sample(design("morris", ("a", "b"), ("", ""), 8, 1), np.arange(1, 33), 8)
    values = numbers(sample)
    values.loc[: count - 1, "value"] = bad
    with pytest.raises(InputError, match=rf"^cost_per_case_rp: {count} of 64 runs give no number \(draw 1 seed 1"):
        sample.replicates("cost_per_case_rp", values, (1, 2))


def test_a_run_that_is_missing_is_no_number(sample: Sample) -> None:
    with pytest.raises(InputError, match=r"1 of 64 runs give no number \(draw 7 seed 2\)"):
        sample.replicates("y", numbers(sample).query("not (draw == 7 and seed == 2)"), (1, 2))


def test_delta_refuses_an_output_of_too_few_values() -> None:
    """Densities of four values say nothing; methods that look at order take them."""
    for method in ("delta", "pawn"):
        few = Sample(design(method, ("a", "b"), ("", ""), 64, 1), np.arange(1, 65), 64)
        values = numbers(few).assign(value=lambda table: table["draw"] % 4.0)
        if method == "pawn":
            assert few.replicates("y", values, (1, 2)).shape == (64, 2)
            continue
        with pytest.raises(InputError, match=r"^y: it takes 4 different values; .* at least 6 at this size"):
            few.replicates("y", values, (1, 2))


@pytest.mark.parametrize("spread", [0.0, 1e-16])
def test_a_constant_output_is_refused(sample: Sample, spread: float) -> None:
    values = numbers(sample)
    values["value"] = 0.25 + spread * values["draw"]
    with pytest.raises(InputError, match=r"^y: 0\.25 in all 64 runs, so nothing moves it"):
        sample.replicates("y", values, (1, 2))


# ---- failed runs -----------------------------------------------------------------------------------------------------


def test_failed_runs_are_refused_by_number_and_reason(sample: Sample) -> None:
    with pytest.raises(InputError) as caught:
        sample.without(runs(sample, (3, 30)), "refuse")
    text = str(caught.value)
    assert "4 of 64 runs failed: draw 3 seed 1, draw 3 seed 2, draw 30 seed 1 + 1 (ZeroDivisionError: by zero)" in text
    assert "the 2 blocks" in text and "on_failed=drop" in text


def test_a_failed_run_takes_its_block_with_it_and_is_counted(sample: Sample) -> None:
    left = sample.without(runs(sample, (3, 30)), "drop")
    assert (left.left_out, left.failed, left.design.blocks) == (2, 4, 6)
    assert left.draws.tolist() == list(range(5, 29))
    np.testing.assert_array_equal(left.design.points, sample.design.points[4:28])


def test_nothing_failed_changes_nothing(sample: Sample) -> None:
    assert sample.without(runs(sample), "refuse") is sample


def test_too_few_blocks_are_refused(sample: Sample) -> None:
    with pytest.raises(InputError, match="1 blocks of points are left of 8; indices need at least 2"):
        sample.without(runs(sample, tuple(range(1, 26, 4))), "drop")


def test_a_study_in_which_runs_fail_is_refused_or_counted(tmp_path: Path) -> None:
    study = study_file(tmp_path, STUDY + "[set]\nfail_above = 2.5\n")
    with pytest.raises(InputError, match=r"runs failed: draw \d+ seed 1.*x1 is"):
        sensitivity(study, "rbd_fast", out=tmp_path / "out", workers=1)
    found = sensitivity(study, "rbd_fast", out=tmp_path / "out", workers=1, on_failed="drop")
    assert 0 < found.manifest["left_out"] == found.manifest["failed"] == 64 - found.manifest["points"]
    assert "failed and were left out" in "\n".join(page_lines(found))


def page_lines(found: object) -> list[str]:
    from konvergensi.report.sensitivity_page import lines

    return lines(found, "en")  # type: ignore[arg-type]


# ---- asked for -------------------------------------------------------------------------------------------------------


def test_default_outputs_that_cannot_be_used_are_named_and_those_asked_for_are_refused(tmp_path: Path) -> None:
    """plus-one less baseline is 1 everywhere."""
    study = study_file(tmp_path, 'scenarios = ["baseline", "plus-one"]\n' + STUDY)
    found = sensitivity(study, "rbd_fast", out=tmp_path / "out", workers=1)
    assert found.outputs == ["y@baseline"]
    assert [each["en"].split(":")[0] for each in found.manifest["refused"]] == ["difference"]
    assert "in all 64 runs" in "\n".join(page_lines(found))
    with pytest.raises(InputError, match=r"difference:y@plus-one: 1 in all 64 runs"):
        sensitivity(study, "rbd_fast", out=tmp_path / "out", workers=1, output=["difference:y"])


def test_mean_and_variance_over_seeds_are_outputs_of_their_own(tmp_path: Path) -> None:
    study = study_file(tmp_path, "seeds = 3\n" + STUDY + "[set]\nnoise_sd = 1.0\n")
    found = sensitivity(study, "rbd_fast", out=tmp_path / "out", workers=1)
    assert found.outputs == ["y", "variance:y"]
    assert not found.ranked("variance:y")["detected"].any()  # the noise is everywhere the same
    again = sensitivity(study, "rbd_fast", out=tmp_path / "out", workers=1, output=["mean:y"])
    pd.testing.assert_frame_equal(
        again.ranked("mean:y").drop(columns="output"), found.ranked("y").drop(columns="output"), rtol=1e-9
    )


def invoke(folder: Path, *args: str) -> tuple[int, str]:
    asked = ["sensitivity", str(study_file(folder)), "--out", str(folder / "out"), "--workers", "1", *args]
    result = CliRunner().invoke(app, asked)
    return result.exit_code, result.output


def test_points_of_its_own_are_announced_before_they_are_run(tmp_path: Path) -> None:
    code, output = invoke(tmp_path, "--method", "morris", "--draws", "2")
    assert code == 0 and "morris looks at points of its own: 8 runs" in output


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (("--output", "prevalance"), "unknown output 'prevalance'"),
        (("--output", "y@doubled"), "unknown scenario 'doubled'"),
        (("--draws", "0", "--method", "sobol"), "--draws"),
        (("--workers", "0"), "--workers: 0 is outside [1, 1024]"),
    ],
)
def test_a_bad_option_is_one_line_and_nothing_is_written(args: tuple[str, ...], line: str, tmp_path: Path) -> None:
    code, output = invoke(tmp_path, "--method", "rbd_fast", *args)
    assert code == 2 and line in output and "Traceback" not in output
    written = [path.name for path in (tmp_path / "out").glob("*")] if (tmp_path / "out").exists() else []
    assert [name for name in written if not name.startswith("runs-")] == []


def test_a_study_without_factors_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="factors: missing"):
        sensitivity(study_file(tmp_path, 'model = "ishigami"\n'), "sobol", out=tmp_path / "out", draws=8)


def test_an_unknown_method_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unknown method 'sobel'; there is .*sobol.*did you mean sobol"):
        sensitivity(study_file(tmp_path), "sobel", out=tmp_path / "out")


def test_the_command_writes_tables_page_and_figures_and_a_second_start_makes_no_run(tmp_path: Path) -> None:
    code, output = invoke(tmp_path, "--method", "rbd_fast", "--lang", "id")
    assert code == 0, output
    folder = tmp_path / "out" / "rbd_fast"
    names = {path.name for path in folder.iterdir()}
    assert names == {"sensitivity.parquet", "sensitivity.csv", "convergence.parquet", "heat.parquet", "sensitivity.md",
                     "manifest.json", "figures"}  # fmt: skip
    pictures = {path.name for path in (folder / "figures").iterdir()}
    assert {f"what-moves-y.{kind}" for kind in ("png", "svg", "csv")} <= pictures
    assert "Apa yang menggerakkan hasil" in (folder / "sensitivity.md").read_text(encoding="utf-8")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out/runs-study").rglob("*.parquet")}
    assert invoke(tmp_path, "--method", "rbd_fast")[0] == 0
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "out/runs-study").rglob("*.parquet")}
    table = pd.read_parquet(folder / "sensitivity.parquet")
    assert table.attrs["method"] == "rbd_fast" and table.attrs["seeds"] == [1]
