"""What a server has at hand: its folder of policies, jobs and districts, and the language it opens in."""

from __future__ import annotations

import functools
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from konvergensi.base.errors import Fault, InputError, fault
from konvergensi.base.files import data_root, digest, read_toml
from konvergensi.base.moving import make_folder
from konvergensi.base.words import word
from konvergensi.inputs import country
from konvergensi.inputs.districts import District, district_id, find_district, list_districts
from konvergensi.inputs.scenarios import list_scenarios

if TYPE_CHECKING:
    from konvergensi.base.words import Lang

SAFE = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
OWN = "own:"  # before the name of a district or policy that was made here


@dataclass
class Desk:
    """Folders: `policies/` (TOML by content), `jobs/`, `districts/` (uploaded). Nothing in them is overwritten."""

    folder: Path
    lang: Lang = "en"
    live: threading.Lock = field(default_factory=threading.Lock)  # one live answer at a time: a core is left to a job

    def __post_init__(self) -> None:
        for name in ("policies", "jobs", "districts"):
            try:
                make_folder((self.folder / name).absolute(), [])
            except FileExistsError:
                continue
            except OSError as error:
                raise InputError(fault(self.folder, "--out", "unwritable", reason=error.strerror or error)) from None

    # ---- districts ----

    def own_districts(self) -> list[str]:
        """Names of the districts uploaded here."""
        return sorted(each.name for each in (self.folder / "districts").iterdir() if (each / "district.toml").is_file())

    def district(self, name: str) -> District:
        """A shipped district by name, or `own:<name>`. Raises InputError; a path is no name."""
        return find_district(self.source_of(name))

    def id_of(self, name: str) -> str:
        """A district as forms offer it: `lebak` for `36.02`; what nobody knows as it was given. Raises InputError."""
        return name if name.startswith(OWN) else str(district_id(self.source_of(name)))

    def offered(self, lang: Lang, own: bool = True) -> list[tuple[str, list[tuple[str, str]]]]:
        """Groups with a heading: those uploaded here (`own`), all 514 by province, synthetic examples."""
        here = [(f"{OWN}{name}", self.district(f"{OWN}{name}").name) for name in self.own_districts()] if own else []
        examples = [(each.id, called(each.name, lang)) for each in shipped() if each.id not in country.shipped_codes()]
        return [
            *([(word("app.look.own", lang), here)] if here else []),
            *_by_province(),
            (word("app.look.examples", lang), examples),
        ]

    def source_of(self, name: str) -> str:
        """What a command calls the district. Raises InputError for a path, or a name nobody knows."""
        if name.startswith(OWN):
            own = name.removeprefix(OWN)
            if own not in self.own_districts():
                raise InputError(fault("", "--district", "no_file"))
            return str(self.folder / "districts" / own)
        if "/" in name or "\\" in name or name.startswith("."):
            raise InputError(fault("", "--district", "not_name", value=name))
        return name

    # ---- policies ----

    def keep_policy(self, text: str) -> str:
        """Keep a policy file under a name made of its content; returns the name, `own:<digest>`."""
        name = digest(text.encode())[:16]
        path = self.policy_path(name)
        if not path.exists():
            draft = path.with_suffix(f".{threading.get_ident()}.draft")
            draft.write_text(text, encoding="utf-8")
            draft.replace(path)
        return OWN + name

    def policy_path(self, name: str) -> Path:
        """Where a kept policy lies. Raises InputError for what is no such name."""
        name = name.removeprefix(OWN)
        if not SAFE.fullmatch(name):
            raise InputError(fault("", "scenario", "not_name", value=name))
        return self.folder / "policies" / f"policy-{name}.toml"

    def scenario(self, name: str) -> str:
        """What a command calls the policy. Raises InputError for a path, or a name nobody knows."""
        if name.startswith(OWN):
            if not (path := self.policy_path(name)).is_file():
                raise InputError(fault("", "scenario", "no_file"))
            return str(path)
        members = name.split("+")
        known = list_scenarios()
        if bad := [each for each in members if each not in known]:
            raise InputError(fault("", "scenario", "not_name", value=bad[0]))
        return name

    # ---- what is told ----

    def told(self, error: InputError, lang: Lang) -> list[str]:
        """The faults in words, naming files without where they lie on this machine."""
        own = [Fault(_name_only(each.where), each.key, each.phrase, each.words) for each in error.faults]
        return [self.hidden(each.text(lang)) for each in own]

    def hidden(self, text: str) -> str:
        """Text without this machine's folders."""
        roots = {
            str(self.folder),
            str(self.folder.absolute()),
            str(Path(__file__).resolve().parents[3]),
            str(Path.home()),
        }
        for root in sorted(roots, key=len, reverse=True):
            if len(root) > 1:
                text = text.replace(f"{root}/", "").replace(root, "")
        return text


def _name_only(where: str) -> str:
    return where if where.startswith("--") else Path(where).name if "/" in where or "\\" in where else where


_BOTH = re.compile(r"(.+) \((.+), synthetic\)")


def called(name: str, lang: Lang) -> str:
    """A district's name; of a synthetic one, whose file has it in both languages, that of the page."""
    found = _BOTH.fullmatch(name)
    if found is None:
        return name
    here = found[1] if lang == "id" else found[2][:1].upper() + found[2][1:]
    return f"{here} ({word('app.look.is_synthetic', lang)})"


class Place(NamedTuple):
    """What a form needs to know of a district: nothing else of its files is read for it."""

    id: str
    name: str
    province: str


@functools.cache
def shipped() -> tuple[Place, ...]:
    """The districts with a folder of their own, by the first lines of their files: all of them take seconds to read."""
    found = []
    for name in list_districts():
        written = read_toml(data_root() / "districts" / name / "district.toml")
        found.append(Place(name, str(written["name"]), str(written["province"])))
    return tuple(found)


@functools.cache
def ids() -> dict[str, str]:
    """Code of a district -> id of the folder that it has of its own."""
    return {code: name for name, code in country.shipped_codes().items()}


@functools.cache
def _by_province() -> tuple[tuple[str, list[tuple[str, str]]], ...]:
    groups = country.districts().groupby("province")["name"]
    return tuple((str(province), [(ids().get(str(code), str(code)), str(name)) for code, name in names.items()])
                 for province, names in groups)  # fmt: skip
