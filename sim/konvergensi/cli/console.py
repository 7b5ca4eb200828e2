"""Output on a console or into a file that cannot write every letter, as cp1252 and cp437 on Windows cannot."""

from __future__ import annotations

import codecs
import sys

# what our texts use beyond cp1252 and cp437, and what is written in its place
_PLAIN = {
    "→": "->", "←": "<-", "−": "-", "–": "-", "—": "-", "×": "x", "≥": ">=", "≤": "<=", "“": '"', "”": '"', "‘": "'",
    "’": "'", "…": "...", "·": "-", "•": "*", "✓": "v", "√": "v", "─": "-", "━": "-", "│": "|", "\u00a0": " ",
}  # fmt: skip
NAME = "konvergensi-plain"


def plainer(error: UnicodeError) -> tuple[str, int]:
    """What is written for letters that an encoding has not: a plain form, else a question mark."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    written = "".join(_PLAIN.get(letter, "?") for letter in error.object[error.start : error.end])
    return written, error.end


def make_safe() -> None:
    """Let stdout and stderr write what they can, and never fail at a letter."""
    codecs.register_error(NAME, plainer)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure") and not (stream.encoding or "").lower().startswith("utf"):
            stream.reconfigure(errors=NAME)
