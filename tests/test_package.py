"""The package as a newcomer meets it: quick to import, one kv.run, and nothing of one machine in the tree."""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import konvergensi

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"matplotlib", "mesa", "networkx", "pandas", "pyarrow", "SALib", "scipy"}
ASK_FOR_HELP = "import sys; sys.argv = ['konvergensi', '--help']; from konvergensi.cli.main import main; main()"
HELP_SECONDS = 0.5


def python(code: str) -> subprocess.CompletedProcess[str]:
    source = str(Path(konvergensi.__file__).parents[1])
    code = f"import sys; sys.path.insert(0, {source!r})\n{code}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("module", ["konvergensi", "konvergensi.cli.main"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    done = python(f"import {module}; print(*sorted({HEAVY!r} & sys.modules.keys()))")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_run_stays_the_function_whatever_has_been_imported() -> None:
    done = python(
        "import konvergensi as kv, pkgutil, importlib\n"
        "for module in pkgutil.walk_packages(kv.__path__, 'konvergensi.'):\n"
        "    if not module.name.endswith('__main__'): importlib.import_module(module.name)\n"
        "print(*(callable(getattr(kv, name)) for name in ('run', 'Run', 'ConvergenceModel', 'trial')))"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True"] * 4


def test_every_public_name_is_there_and_an_unknown_one_is_refused() -> None:
    assert all(getattr(konvergensi, name) is not None for name in konvergensi.__all__)
    assert set(konvergensi.__all__) <= set(dir(konvergensi))
    with pytest.raises(AttributeError, match="no attribute 'rum'"):
        _ = konvergensi.rum


def test_help_answers_within_half_a_second() -> None:
    # The quickest of several tries: a busy machine slows some of them, slow imports slow them all.
    quickest = float("inf")
    for _ in range(6):
        started = time.perf_counter()
        done = python(ASK_FOR_HELP)
        quickest = min(quickest, time.perf_counter() - started)
        assert done.returncode == 0, done.stderr
        assert "run" in done.stdout
        if quickest < HELP_SECONDS:
            return
    pytest.fail(f"konvergensi --help took {quickest:.2f} s at best; the limit is {HELP_SECONDS} s")


# A bracket in each pattern keeps this file from finding itself.
MACHINE_BOUND = {
    "a path of one machine": r"(?<![\w.)}\]~-])/(?:wor[k]|roo[t]|hom[e]/\w|User[s]/\w|tm[p]/\w)\b",
    "a Windows user's folder": r"[A-Z]:\\+User[s]",
    "a registry's address": r"pyp[i]\.(?:org|python)|pythonhoste[d]|index[-]url|/simpl[e]/",
    "a folder outside the tree": r"\.\./share[d]",
}


def committed_files() -> list[Path]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_no_committed_file_is_bound_to_a_machine_or_a_registry() -> None:
    found = []
    for path in committed_files():
        if not path.is_file() or b"\0" in (content := path.read_bytes()):
            continue  # deleted but not yet committed, or a picture
        for number, line in enumerate(content.decode("utf-8", errors="replace").splitlines(), 1):
            found += [
                f"{path.relative_to(ROOT)}:{number}: {what}: {hit[0]!r}"
                for what, pattern in MACHINE_BOUND.items()
                if (hit := re.search(pattern, line))
            ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("line", "word"),
    [("cd /{}/main", "work"), ("https://{}.org", "pypi"), ("--{}-url x", "index"), ("../{}/x.md", "shared")],
)
def test_the_patterns_for_machine_bound_text_do_find_it(line: str, word: str) -> None:
    assert any(re.search(pattern, line.format(word)) for pattern in MACHINE_BOUND.values())


def test_every_test_of_the_slow_list_is_there() -> None:
    listed = (ROOT / "tests" / "slow_tests.txt").read_text(encoding="utf-8").split()
    assert listed == sorted(set(listed))
    gone = [name for name in listed if f"\ndef {name.split('::')[1]}(" not in (ROOT / name.split("::")[0]).read_text()]
    assert not gone, "python scripts/list_slow_tests.py writes the list again"
