"""A folder to start one's own district from: its files with comments in one language, right as written."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from konvergensi.base import moving
from konvergensi.base.errors import LANGUAGES, InputError, fault
from konvergensi.base.files import exists
from konvergensi.inputs.country import resolve_area
from konvergensi.inputs.country_profiles import content_of, folder_of

TEMPLATE = Path(__file__).parent / "template"
NAMES = ("district.toml", "villages.csv", "opd.toml", "published.toml")


def template_files(lang: str = "en") -> dict[str, str]:
    """Return the files by name. In the package a comment is marked `#en ` or `#id `; those of `lang` are kept."""
    return {name: _in(lang, (TEMPLATE / name).read_text(encoding="utf-8")) for name in NAMES}


def profile_files(area: str) -> dict[str, str]:
    """The files of the profile of one of the 514 districts. Raises InputError for a name or code that is none."""
    home = folder_of(resolve_area(area, "", "--like"))
    return {name: content_of(home / name).decode() for name in NAMES}


def write_template(folder: Path, lang: str = "en", like: str | None = None) -> None:
    """Write the files into a new or empty folder: the example, or the profile of the district `like` names.

    Raises InputError when the folder holds anything or cannot be written to, and for a district that is none.
    """
    files = template_files(lang) if like is None else profile_files(like)
    written: list[Path] = []
    made: list[Path] = []
    try:
        if exists(folder) and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(fault(folder, "", "not_empty"))
        moving.make_folder(folder, made)
        for name, text in files.items():
            moving.write_new(folder / name, text.encode())
            written.append(folder / name)
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        with suppress(OSError, ValueError):
            for path in written:
                path.unlink()
            for path in reversed(made):
                path.rmdir()
        reason = getattr(error, "strerror", None) or error
        raise InputError(fault(folder, "", "unwritable", reason=reason)) from None


def _in(lang: str, text: str) -> str:
    others = tuple(f"#{each} " for each in LANGUAGES if each != lang)
    kept = (line for line in text.splitlines() if not line.startswith(others))
    return "".join(line.replace(f"#{lang} ", "# ", 1) + "\n" for line in kept)
