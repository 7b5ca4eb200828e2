"""Kecamatan actors: camat, head of puskesmas, PLKB, PPL, PKH facilitators, religious counsellors, PKK.

Each takes part in the team of a kecamatan or not, a lasting draw against a lever; it counts where the team (TPPS
kecamatan) is active and not only decreed. A camat who leads invites every village to the rounds. Field workers of
agencies whose people take part serve the families of the joint list first, which is how agencies work together in the
field. PKK adds to counselling. How many families their time reaches: mechanisms/staff.py. Parameters: field.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from konvergensi.mechanisms import contacts

if TYPE_CHECKING:
    from konvergensi.world.coordination import Flags
    from konvergensi.world.households import F32
    from konvergensi.world.state import World

ACTORS = ("camat", "puskesmas_head", "plkb", "ppl", "pkh_facilitator", "penyuluh", "pkk")
# whose people bring the services of an agency, as services.toml names it
OF_AGENCY = {
    "dinkes": "puskesmas_head",
    "dp3ak2kb": "plkb",
    "dinsos": "pkh_facilitator",
    "dkp": "ppl",
    "pertanian": "ppl",
    "perikanan": "ppl",
    "kemenag": "penyuluh",
}
# contacts for which a worker seeks families out; religious counsellors call couples to guidance at the office
IN_THE_FIELD = (*contacts.CASELOAD, "enrolment", "office")


def takes_part(world: World, actor: str) -> Flags:
    """Kecamatan in which an actor works with an active team, (n_kecamatan,)."""
    key = ("kecamatan actor", actor)
    if key not in world.derived:
        drawn = world.draws.uniform(f"kecamatan {actor}", 0, world.coordination.kecamatan_keys)
        world.derived[key] = world.coordination.tpps_kecamatan & (drawn < world.settings[f"field.{actor}_share"])
    found: Flags = world.derived[key]
    return found


def invited(world: World) -> Flags:
    """Villages that their camat invites to the rounds, (n_villages,)."""
    found: Flags = takes_part(world, "camat")[world.coordination.village_kecamatan]
    return found


def _villages_of(world: World, actor: str) -> Flags | None:
    """Villages whose kecamatan the actor works in with an active team, (n_villages,); None where there is none."""
    key = ("villages of kecamatan actor", actor)
    if key not in world.derived:
        there = takes_part(world, actor)[world.kecamatan]
        world.derived[key] = there if there.any() else None
    found: Flags | None = world.derived[key]
    return found


def together_in(world: World, programme_row: int) -> tuple[Flags, float] | None:
    """Villages in which field workers of programme p seek families of the joint list out first, (n_villages,), and up
    to which share of that list; None where they do not.
    """
    service = world.services[world.programmes.service[programme_row]]
    actor, share = OF_AGENCY.get(service.opd), world.settings["field.together_share"]
    if world.burn_in or actor is None or service.contact not in IN_THE_FIELD or share == 0.0:
        return None
    there = _villages_of(world, actor)
    return None if there is None else (there, share)


def pkk_exposure(world: World) -> F32:
    """Exposure to counselling that PKK adds in a year in each village, (n_villages,)."""
    there = takes_part(world, "pkk")[world.coordination.village_kecamatan]
    understands = world.coordination.village_understanding
    found: F32 = (world.settings["field.pkk_channel_share"] * there * understands).astype(np.float32)
    return found
