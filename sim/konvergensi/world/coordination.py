"""State of coordination: ties between agencies, teams and understanding below the district, attention, actions done.

Agencies are objects (world/agents.py); what lies between them, and kecamatan and villages as columns, is here. The
mechanisms that change it: socialization, cascade, network, goals, actions, review.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from konvergensi.world.draws import Draws, Keys, entity_keys, name_keys

if TYPE_CHECKING:
    from konvergensi.inputs.districts import District
    from konvergensi.inputs.parameters import Settings

Column = NDArray[np.float64]
Flags = NDArray[np.bool_]
AGENCY_LAYERS = ("formal", "informal", "data")


class Tied(Protocol):
    """What ties at the start depend on: an agency (world/agents.py: Opd)."""

    id: str
    register: str
    role: str
    ego: float
    in_decree: bool

    @property
    def leads(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Done:
    """One convergence action as it was carried out."""

    month: int
    responsible: str
    quality: float  # 0 on paper only .. 1 done well
    score: float  # compliance, as a province would score it: mostly documents


@dataclass(slots=True)
class Coordination:
    """Columns over agencies (n_opd,), in the order of the district file, over kecamatan and over villages."""

    opd_keys: Keys
    kecamatan_keys: Keys
    village_keys: Keys
    village_kecamatan: NDArray[np.intp]
    lokus: Flags
    remoteness: Column
    families: Column
    ties: dict[str, Column]  # layer -> (n_opd, n_opd), symmetrical, 0..1, zero on the diagonal
    kecamatan_understanding: Column
    village_understanding: Column
    fixed_draws: dict[str, Column]  # who has a team, a KPM, is included in a round
    tpps_kecamatan: Flags
    tpps_desa: Flags
    kpm: Flags
    aware: Column  # (n_opd,) how much each has to do with the others, see mechanisms/network.py
    came: Flags  # agencies at this month's meeting; all False in a month without
    attention: float = 0.0  # change of leadership by published figures
    kept_out: float = 0.0  # share of stunted results that drift keeps out of e-PPGBM
    published: list[tuple[int, str, float]] = field(default_factory=list)  # month of publication, system, percent
    done: dict[str, Done] = field(default_factory=dict)  # the last carrying out of each action
    carried_out: list[tuple[str, Done]] = field(default_factory=list)  # all of them

    def begin(self, settings: Settings, opds: Sequence[Tied], draws: Draws) -> None:
        """Ties, and understanding below the district, as they are when agencies begin to move (in place)."""
        self.ties = first_ties(opds, settings, draws)
        start = np.where(self.lokus, settings["cascade.lokus_start"], settings["cascade.village_start"])
        self.village_understanding = start.astype(float)
        self.kecamatan_understanding = np.full(len(self.kecamatan_keys), float(settings["cascade.kecamatan_start"]))

    def take_settings(self, settings: Settings) -> None:
        """Work out which teams are active and which villages have a KPM at work (in place)."""
        self.tpps_kecamatan = self.fixed_draws["tpps_kecamatan"] < settings["network.tpps_kecamatan_active_share"]
        self.tpps_desa = self.fixed_draws["tpps_desa"] < settings["network.tpps_desa_active_share"]
        self.kpm = self.fixed_draws["kpm"] < settings["cascade.kpm_share"]

    def included(self, settings: Settings) -> Flags:
        """Villages that a round of socialization includes: lokus, and a share of the others; (n_villages,)."""
        return self.lokus | (self.fixed_draws["breadth"] < settings["cascade.breadth_share"])

    def effect(self, action: str, settings: Settings) -> float:
        """What is left of an action's effect as it was last carried out; 1 before the first time or if not asked for.

        Done on paper is not done: the rest is lost.
        """
        if action not in self.done or not settings["actions.on"]:
            return 1.0
        return float(1.0 - settings["actions.paper_loss_share"] * (1.0 - self.done[action].quality))


def opd_number(opd_id: str) -> int:
    """A lasting number for an agency, from its id: where it stands in the file decides nothing."""
    return zlib.crc32(opd_id.encode())


def build_coordination(
    district: District,
    draws: Draws,
    opds: Sequence[Tied],
    kecamatan_names: Sequence[str],
    kecamatan: NDArray[np.intp],
    village_keys: Keys,
) -> Coordination:
    """Coordination without ties and understanding yet: see `Coordination.begin`."""
    villages = district.villages
    lokus = villages["lokus"].to_numpy(bool)
    n_kecamatan = len(kecamatan_names)
    kecamatan_keys = name_keys("kecamatan", kecamatan_names)
    fixed_draws = {
        "tpps_kecamatan": draws.uniform("tpps kecamatan", 0, kecamatan_keys),
        "tpps_desa": draws.uniform("tpps desa", 0, village_keys),
        "kpm": draws.uniform("kpm", 0, village_keys),
        "breadth": draws.uniform("cascade breadth", 0, village_keys),
    }
    return Coordination(
        opd_keys=entity_keys("opd", np.array([opd_number(opd.id) for opd in opds], np.int64)),
        kecamatan_keys=kecamatan_keys,
        village_keys=village_keys,
        village_kecamatan=kecamatan,
        lokus=lokus,
        remoteness=villages["remoteness"].to_numpy(float),
        families=villages["families"].to_numpy(float),
        ties={},
        kecamatan_understanding=np.zeros(n_kecamatan),
        village_understanding=np.zeros(len(lokus)),
        fixed_draws={name: each.astype(float) for name, each in fixed_draws.items()},
        tpps_kecamatan=np.zeros(n_kecamatan, bool),
        tpps_desa=np.zeros(len(lokus), bool),
        kpm=np.zeros(len(lokus), bool),
        aware=np.zeros(len(opds)),
        came=np.zeros(len(opds), bool),
    )


def first_ties(opds: Sequence[Tied], settings: Settings, draws: Draws) -> dict[str, Column]:
    """Ties at the start: coordinator to leaders and members of a decree in force; acquaintance by chance; one register.

    Acquaintance is rarer the more sectoral ego the two agencies have.
    """
    n = len(opds)
    ties = {layer: np.zeros((n, n)) for layer in AGENCY_LAYERS}
    # keyed by the pair's names: another agency in the file changes no tie between these two
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    keys = entity_keys("tie", np.array([_pair_number(opds[i].id, opds[j].id) for i, j in pairs], np.int64))
    for (i, j), draw in zip(pairs, draws.uniform("informal tie", 0, keys), strict=True):
        one, other = opds[i], opds[j]
        told = all(each.in_decree or each.leads for each in (one, other))
        if told and "coordinator" in (one.role, other.role):
            ties["formal"][i, j] = settings["network.start_formal_share"]
        if draw < (1.0 - one.ego) * (1.0 - other.ego):
            ties["informal"][i, j] = settings["network.start_informal_share"]
        if one.register == other.register != "none":
            ties["data"][i, j] = 1.0 if one.register != "own" else 0.0  # "own" is each agency's own
    return {layer: tie + tie.T for layer, tie in ties.items()}


def _pair_number(one: str, other: str) -> int:
    first, second = sorted((one, other))
    return opd_number(f"{first}|{second}")
