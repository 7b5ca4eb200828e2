"""Tables of docs/actors.md and docs/actors.id.md from docs/actors.toml: who the studies name, and what of it acts.

`python scripts/make_actors.py` writes them; `--check` exits 1 when a table differs.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "actors.toml"
PAGES = {"en": ROOT / "docs" / "actors.md", "id": ROOT / "docs" / "actors.id.md"}
STUDIES = ("triangle", "anting")
HEAD = {
    "en": ("Named", "Services", "What a policy sets", "Mechanism"),
    "id": ("Disebut", "Layanan", "Yang diatur kebijakan", "Mekanisme"),
}


def load() -> list[dict[str, Any]]:
    """Every actor and effort, in the order of the file."""
    found: list[dict[str, Any]] = tomllib.loads(TABLE.read_text(encoding="utf-8"))["actor"]
    return found


def table(study: str, lang: str) -> str:
    """The rows of one study."""
    lines = [HEAD[lang], ("---",) * len(HEAD[lang])]
    for each in load():
        if each["study"] == study:
            code = [
                ", ".join(f"`{name.removeprefix('mechanisms.')}`" for name in each[key]) or "–"
                for key in ("services", "levers", "mechanisms")
            ]
            lines.append((each["en" if lang == "en" else "arti"], *code))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def renewed(page: str, lang: str) -> str:
    """The page with its tables. Raises ValueError for a block that is not there."""
    for study in STUDIES:
        found = re.search(rf"(<!-- actors: {study} -->\n).*?(<!-- end -->)", page, re.DOTALL)
        if found is None:
            raise ValueError(f"there is no block <!-- actors: {study} -->")
        page = page[: found.start()] + found[1] + table(study, lang) + found[2] + page[found.end() :]
    return page


def main(argv: Sequence[str] | None = None) -> int:
    """Write or check; 0 when all is well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    asked, stale = parser.parse_args(argv), False
    for lang, page in PAGES.items():
        old = page.read_text(encoding="utf-8")
        new = renewed(old, lang)
        stale |= new != old
        if not asked.check:
            page.write_text(new, encoding="utf-8")
    return int(stale and asked.check)


if __name__ == "__main__":
    sys.exit(main())
