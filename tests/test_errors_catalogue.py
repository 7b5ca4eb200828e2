"""Every fault that the code can raise has its sentence, in both languages."""

import ast
from pathlib import Path

import pytest

import konvergensi
from konvergensi.base.errors import LANGUAGES, texts

PACKAGE = Path(konvergensi.__file__).parent


def phrases(file: Path) -> set[str]:
    """Names of sentences that a file passes to `fault` as they stand."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "fault":
            named = [each for each in node.args[2:3] if isinstance(each, ast.Constant)]
            if len(node.args) > 2 and isinstance(node.args[2], ast.IfExp):
                named += [each for each in (node.args[2].body, node.args[2].orelse) if isinstance(each, ast.Constant)]
            found |= {str(each.value) for each in named}
    return found


@pytest.mark.parametrize("room", sorted(path.name for path in PACKAGE.iterdir() if path.is_dir()))
def test_every_fault_has_its_sentence(room: str) -> None:
    used = {phrase for file in (PACKAGE / room).rglob("*.py") for phrase in phrases(file)}
    assert sorted(used - set(texts()["phrase"])) == []


def test_every_sentence_is_there_in_both_languages() -> None:
    assert [name for name, each in texts()["phrase"].items() if set(each) != set(LANGUAGES)] == []
