"""Where input files live, and how they are read: bytes, UTF-8, TOML, and a name or a path."""

from __future__ import annotations

import hashlib
import re
import stat
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from konvergensi.base.errors import Fault, InputError, fault, unknown_name
from konvergensi.base.harmless import CONTROLS

T = TypeVar("T")
LARGEST = 200_000_000  # bytes of an input; the villages of the whole country with every column take under 20 million
_PACKAGE = Path(__file__).resolve().parents[1]
# how a complaint of the TOML parser begins -> how we say it
_TOML = {
    "Invalid value": "toml_value",
    "Illegal character '\\n'": "toml_quote",
    "Expected newline or end of document": "toml_after",
    "Expected '='": "toml_key",
    "Unclosed inline table": "toml_comma",
    "Unclosed array": "toml_comma",
}


def data_root() -> Path:
    """Return the folder of `districts/` and `policies/`: in the installed package, else in the checkout."""
    installed = _PACKAGE / "data" / "scenarios"
    return installed if installed.is_dir() else _PACKAGE.parents[1] / "scenarios"


def read_bytes(path: Path) -> bytes:
    """Read a file whole.

    Raises InputError when it is missing, no regular file (a pipe or a device may never end), larger than LARGEST, or
    may not be read.
    """
    try:
        found = path.stat()
        if stat.S_ISREG(found.st_mode) and found.st_size <= LARGEST:
            return path.read_bytes()
        if stat.S_ISDIR(found.st_mode):
            raise InputError(fault(path, "", "is_folder"))
        if not stat.S_ISREG(found.st_mode):
            raise InputError(fault(path, "", "no_regular_file"))
        sizes = {"size": f"{found.st_size / 1e6:.0f}", "most": f"{LARGEST / 1e6:.0f}"}
        raise InputError(fault(path, "", "too_large", **sizes))
    except FileNotFoundError:
        raise InputError(fault(path, "", "no_file")) from None
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise InputError(fault(path, "", "unreadable", reason=reason)) from None


def as_text(content: bytes, path: Path) -> str:
    """Decode UTF-8, with or without the mark Excel puts at the start. Raises InputError with the bad byte."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(fault(path, "", "not_utf8", byte=error.start + 1)) from None
    return _without_controls(text, path)


def as_text_of(content: bytes, path: Path) -> tuple[str, str]:
    """Decode text of an office and name its encoding: UTF-8, UTF-16 with its mark, else Windows-1252 (cp1252).

    Raises InputError with the first byte that is neither UTF-8 nor a letter of Windows-1252.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return _without_controls(content.decode("utf-16"), path), "UTF-16"
        except UnicodeDecodeError as error:
            raise InputError(fault(path, "", "not_utf8", byte=error.start + 1)) from None
    try:
        return _without_controls(content.decode("utf-8-sig"), path), "utf-8"
    except UnicodeDecodeError as error:
        try:
            return _without_controls(content.decode("cp1252"), path), "Windows-1252"
        except UnicodeDecodeError:
            raise InputError(fault(path, "", "not_utf8", byte=error.start + 1)) from None


def _without_controls(text: str, path: Path) -> str:
    if found := CONTROLS.search(text.replace("\r", "")):
        line = text.count("\n", 0, text.index(found[0])) + 1
        what = fault("", "", "control_character", code=f"U+{ord(found[0]):04X}")
        raise InputError(fault(path, "", "at_line", line=line, what=what, more=0))
    return text


def as_toml(content: bytes, path: Path) -> dict[str, Any]:
    """Parse TOML. Raises InputError with the parser's line and column."""
    text = as_text(content, path)
    try:
        data = _shallow(tomllib.loads(text))
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is a ValueError
        raise InputError(fault(path, "", "bad_toml", reason=_in_words(str(error)))) from None
    if faults := list(_controls(data, "", path)):
        raise InputError(faults)
    return data


def _controls(data: Any, key: str, path: Path) -> Iterator[Fault]:
    """Text in which an escape stands for a control character: it would command the terminal that shows it."""
    if isinstance(data, dict):
        for name, value in data.items():
            yield from _controls(name, f"{key}.{name}".lstrip("."), path)
            yield from _controls(value, f"{key}.{name}".lstrip("."), path)
    elif isinstance(data, list):
        for each in data:
            yield from _controls(each, key, path)
    elif isinstance(data, str) and (found := CONTROLS.search(data)):
        yield fault(path, key, "control_character", code=f"U+{ord(found[0]):04X}")


def _in_words(reason: str) -> str | Fault:
    """The parser's usual complaints as sentences of ours; any other as it is."""
    place = re.search(r"\(at line (\d+), column (\d+)\)", reason)
    phrase = next((name for start, name in _TOML.items() if reason.startswith(start)), None)
    if place is None or phrase is None:
        return reason
    return fault("", "", phrase, line=place[1], column=place[2])


def _shallow(data: Any, depth: int = 0) -> Any:
    """Refuse tables nested so deep that whoever walks them would fail."""
    if depth > 30:
        raise ValueError("more than 30 tables inside each other")
    for each in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        _shallow(each, depth + 1)
    return data


def read_toml(path: Path) -> dict[str, Any]:
    """Read and parse a TOML file."""
    return as_toml(read_bytes(path), path)


def digest(content: bytes) -> str:
    """Return the SHA-256 of a file's bytes, for the manifest."""
    return hashlib.sha256(content).hexdigest()


def flat(table: dict[str, Any], where: Path, key: str, leaf: str | None = None) -> dict[str, Any]:
    """Write nested tables as dotted keys: `{budget = {inertia = 1}}` means `{"budget.inertia" = 1}`.

    Descent stops at what is no table; with `leaf`, also at a table that has this key or holds no table.
    Raises InputError when the two ways of writing set one key twice.
    """
    found: dict[str, Any] = {}
    for name, value in table.items():
        inner = {"": value}
        if isinstance(value, dict) and value and not _is_leaf(value, leaf):
            inner = flat(value, where, key, leaf)
        for tail, each in inner.items():
            full = f"{name}.{tail}" if tail else name
            if full in found:
                raise InputError(fault(where, f"{key}.{full}", "set_twice"))
            found[full] = each
    return found


def _is_leaf(table: dict[str, Any], leaf: str | None) -> bool:
    return leaf is not None and (leaf in table or not any(isinstance(each, dict) for each in table.values()))


def is_path(name_or_path: str | Path) -> bool:
    """Tell whether this is meant as a path: it has a folder in it, or ends like a file."""
    text = str(name_or_path)
    written_so = "/" in text or "\\" in text or text.endswith(".toml") or text in (".", "..")
    return written_so or isinstance(name_or_path, Path)


def locate(name_or_path: str | Path, what: str, known: dict[str, Path], option: str = "") -> Path:
    """Return the path of a shipped name, or the path itself.

    Raises InputError naming what there is when the name is unknown, and when the path leads nowhere.
    """
    if not is_path(name_or_path):
        if str(name_or_path) in known:
            return known[str(name_or_path)]
        if not str(name_or_path) or not exists(Path(name_or_path)):  # Path("") would be the folder one is in
            raise InputError(unknown_name(option, "", what, str(name_or_path), known))
    path = Path(name_or_path)
    if not exists(path):
        raise InputError(fault(path, "", "no_file"))
    return path


def anywhere(name: str) -> str:
    """A name as it is; a path that leads somewhere as one that does so from any folder."""
    return str(Path(name).resolve()) if is_path(name) and exists(Path(name)) else str(name)


def exists(path: Path) -> bool:
    """Tell whether there is anything at this path; one that cannot be (too long, a NUL) is not there."""
    try:
        path.lstat()
        return True
    except PermissionError:
        return True  # there is something; reading it will say what is wrong
    except (OSError, ValueError):
        return False


def collect(steps: Iterable[Callable[[], Any]]) -> list[Any]:
    """Run each step and return the results; when some refuse, raise one InputError with each of their faults once."""
    results: list[Any] = []
    faults: list[Fault] = []
    readings: list[Fault] = []
    for step in steps:
        try:
            results.append(step())
        except InputError as error:
            faults += [each for each in error.faults if each not in faults]
            readings += [each for each in error.readings if each not in readings]
    if faults:
        raise InputError(faults, readings)
    return results
