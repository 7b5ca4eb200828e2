"""What a Windows machine asks for, as far as another one can show it: encodings of consoles, and no fork."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from konvergensi.base.errors import texts
from konvergensi.base.words import catalogue
from konvergensi.cli.console import plainer
from konvergensi.studies import engines

KECIL = str(Path(__file__).resolve().parent / "districts" / "kecil")
LESS = ("--district", KECIL, "--end", "2019-12")
PACKAGE = Path(__file__).resolve().parents[1] / "sim" / "konvergensi"


# several commands of one process, which takes longer to begin than they do; each ends with a line for both streams
COMMANDS = (("list", "--lang", "id"), ("describe", "pmba", "--lang", "id"), ("check", "nowhere"))
SPEAK = f"""
import sys
from konvergensi.cli.main import main
for words in {COMMANDS}:
    sys.argv[1:] = words
    try:
        main()
    except SystemExit as end:
        for stream in (sys.stdout, sys.stderr):
            print("ended with", end.code or 0, file=stream)
"""


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii"])
def test_commands_speak_on_consoles_that_lack_letters(encoding: str) -> None:
    made = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = subprocess.run([sys.executable, "-c", SPEAK], capture_output=True, env=made, check=False)
    assert b"Traceback" not in done.stderr and b"UnicodeEncodeError" not in done.stderr, done.stderr[-500:]
    said, complained = (re.split(r"ended with (\d)\s*", each.decode(encoding)) for each in (done.stdout, done.stderr))
    assert said[1::2] == complained[1::2] == ["0", "0", "2"] and done.returncode == 0
    assert all(out or wrong for out, wrong in zip(said[:-1:2], complained[:-1:2], strict=True))


def test_letters_that_an_encoding_lacks_have_a_plain_form() -> None:
    lost = set()
    sentences = [*catalogue().values(), *(each for part in texts().values() for each in part.values())]
    for sentence in (text for each in sentences for text in each.values()):
        for letter in sentence:
            try:
                letter.encode("cp437")
            except UnicodeEncodeError as error:
                lost |= {letter} if plainer(error)[0] == "?" else set()
    assert not lost, f"give these a plain form in cli/console.py: {sorted(lost)}"


def test_no_text_file_is_opened_in_the_encoding_of_the_machine() -> None:
    for file in PACKAGE.rglob("*.py"):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            assert (".read_text()" not in line and ".write_text(" not in line) or "encoding=" in line, (
                f"{file}:{number}"
            )


def test_nothing_forks_and_work_in_processes_is_spawned() -> None:
    for file in PACKAGE.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert "os.fork" not in text and 'get_context("fork")' not in text, file


@pytest.mark.parametrize(
    "words",
    [
        ("budget-template", KECIL, "--out", "anggaran saya.xlsx"),
        pytest.param(("run", *LESS, "--no-figures"), marks=pytest.mark.slow),
        pytest.param(
            ("compare", "baseline", "one-list", *LESS, "--draws", "2", "--seeds", "1", "--workers", "2", "--csv"),
            marks=pytest.mark.slow,
        ),
        pytest.param(("villages", KECIL, "--end", "2019-12", "--seeds", "1", "--xlsx"), marks=pytest.mark.slow),
    ],
)
def test_whole_commands_need_no_shell_and_no_utf8_in_a_folder_with_spaces(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    """No PATH, so that no other program can be called; C as the machine's encoding; work in two spawned processes."""
    folder = tmp_path / "Hasil Uji"
    folder.mkdir()
    made = {name: value for name, value in os.environ.items() if name not in ("PATH", "SHELL", "LANG")}
    made |= {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0", "LC_ALL": "C", "PATH": ""}
    out = () if words[0] == "budget-template" else ("--out", "hasil")
    command = [sys.executable, "-X", "warn_default_encoding", "-m", "konvergensi", *words, *out, "--lang", "id"]
    done = subprocess.run(command, capture_output=True, env=made, cwd=folder, check=False)
    said = done.stderr.decode("cp1252")
    assert done.returncode == 0, said[-800:]
    assert "Traceback" not in said
    assert not [line for line in said.splitlines() if "EncodingWarning" in line and "konvergensi" in line]
    done.stdout.decode("cp1252")
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert written


def test_work_in_processes_is_spawned_as_windows_does_it() -> None:
    """The pool that `compare`, `gaps`, studies and the rest share; nothing starts before work is handed in."""
    with engines._pool(1) as pool:
        assert pool._mp_context is not None and pool._mp_context.get_start_method() == "spawn"
