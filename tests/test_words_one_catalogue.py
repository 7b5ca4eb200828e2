"""Words for people stand in both languages in base/words, base/errors.toml and base/units.toml, and nowhere else."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from konvergensi.base.words import LANGUAGES, both, catalogue

PACKAGE = Path(__file__).resolve().parents[1] / "sim" / "konvergensi"
# words that stand in nearly every Indonesian sentence and in no English one
INDONESIAN = re.compile(
    r"\b(adalah|agar|atau|bagi|bila|bukan|dan|dari|dengan|hanya|jika|karena|ke|kecuali|menurut|oleh|pada|saat|saja|"
    r"sampai|sebagai|setiap|sudah|tanpa|tetapi|tiap|tidak|untuk|yang)\b",
    re.IGNORECASE,
)
# help of the command line, which Typer wants beside the option; names of a service's two parameters; names of tables
# and sheets are no sentences
LEFT = {
    "inputs/parameters.py": "Dampak {} bila dijalani penuh",
    "report/names_sensitivity.py": " bila dijalani penuh",  # taken off them where space is short
}


def indonesian(file: Path) -> list[str]:
    """Texts of a module that look like an Indonesian sentence; docstrings are English anyhow."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    texts = [each.value for each in ast.walk(tree) if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return [text for text in texts if len(text.split()) > 2 and len(INDONESIAN.findall(text)) >= 1]


@pytest.mark.parametrize("room", sorted(each.name for each in PACKAGE.iterdir() if (each / "__init__.py").is_file()))
def test_no_module_holds_a_sentence_in_indonesian_but_help_of_the_command_line(room: str) -> None:
    if room == "cli":
        pytest.skip("Typer wants an option's help beside the option")
    found = {
        f"{file.relative_to(PACKAGE)}: {text[:70]}"
        for file in sorted((PACKAGE / room).rglob("*.py"))
        for text in indonesian(file)
        if LEFT.get(str(file.relative_to(PACKAGE))) != text
    }
    assert not found, "put these into base/words/: " + "; ".join(sorted(found))


def test_the_search_does_find_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text('TEXT = ("no interval", "satu simulasi tanpa selang yang sah")\n', encoding="utf-8")
    assert indonesian(file) == ["satu simulasi tanpa selang yang sah"]


def test_every_message_of_a_manifest_is_there_in_both_languages_and_differs() -> None:
    said = {key: words for key, words in catalogue().items() if key.startswith("said.")}
    assert len(said) > 15
    for key, words in said.items():
        assert set(words) == set(LANGUAGES), key
        fields = [set(re.findall(r"\{(\w+)\}", words[lang])) for lang in LANGUAGES]
        assert fields[0] == fields[1], key
    assert both("said.intervals.chance", draws=0, seeds=3)["id"].count("3") == 1
