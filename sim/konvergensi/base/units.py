"""Units as people read them: files and tables have them in English, Indonesian pages and messages in Indonesian.

The words stand in units.toml. Only what is shown is translated: columns, manifests and input files keep the English.
"""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path

WORDS = Path(__file__).with_name("units.toml")


@functools.cache
def unit_words() -> dict[str, str]:
    """The Indonesian word of each unit; read when the first one is shown."""
    return tomllib.loads(WORDS.read_text(encoding="utf-8"))


def unit_word(unit: str, lang: str) -> str:
    """A unit in the language asked for; as it stands where the words lack it, as that of an extension may be."""
    return unit_words().get(unit, unit) if lang == "id" else unit
