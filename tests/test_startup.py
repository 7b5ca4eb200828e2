"""How a process of ours starts: it imports what it uses, and does not look for garbage among what it imports."""

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from konvergensi.base import startup

# for questions that a run, a comparison without figures of them, or a study does not ask
HEAVY = ("sklearn", "SALib", "scipy.stats", "scipy.optimize", "reportlab", "pptx", "dask", "starlette")
RUN = ("run", "baseline", "--population-share", "0.002", "--end", "2018-01", "--no-figures", "--out")


def told(code: str, *words: str) -> str:
    """What a new process prints last."""
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip().splitlines()[-1]


def test_a_run_imports_nothing_that_only_other_questions_need(tmp_path: Path) -> None:
    code = f"""
import atexit, sys
from konvergensi.cli.main import main
atexit.register(lambda: print(sorted(set(sys.modules) & set({HEAVY!r}))))
main()
"""
    assert told(code, *RUN, str(tmp_path / "out")) == "[]"


def test_the_collector_is_off_while_a_command_starts_and_on_while_it_works(tmp_path: Path) -> None:
    code = """
import atexit, gc
from konvergensi.cli import main
from konvergensi.model import convergence
found = [gc.isenabled()]
safe, live = main.make_safe, convergence.ConvergenceModel.live_month
main.make_safe = lambda: (found.append(gc.isenabled()), safe())
convergence.ConvergenceModel.live_month = lambda model: (found.append(gc.isenabled()), live(model))
atexit.register(lambda: print(found[0], found[1], set(found[2:])))
main.main()
"""
    assert told(code, *RUN, str(tmp_path / "out")) == "True False {True}"


@pytest.mark.parametrize("on", [True, False])
def test_a_program_that_imports_the_package_keeps_its_collector_as_it_is(on: bool) -> None:
    code = f"""
import gc
if not {on}: gc.disable()
import konvergensi as kv
kv.ConvergenceModel("baseline", "kota-banjar", 1, 0.01, end="2018-01").step()
print(gc.isenabled(), gc.get_freeze_count())
"""
    assert told(code) == f"{on} 0"


def test_where_nothing_was_put_off_nothing_is_put_on() -> None:
    assert gc.isenabled()
    gc.disable()
    try:
        startup.starting()  # somebody else has switched it off
        startup.started()
        assert not gc.isenabled()
    finally:
        gc.enable()
