"""Random draws that belong to (seed, decision, entity, month).

A draw is a hash of these four, not the next number of a stream. So a policy that changes who is served, an agency
that is added, or a decision that is skipped shifts no other draw: two scenarios differ by the policy alone (common
random numbers), and any slice of children may be drawn for, in any order.

The hash is the 32-bit finaliser "lowbias32" of C. Wellons (public domain); tests check uniformity, independence
between decisions and months, and the moments of the normal draws.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.compiled import compiled, part

Keys = NDArray[np.uint32]

BLOCK = 16_384  # keys scrambled at a time, so that they stay in the processor's cache


def mix(x: Keys) -> Keys:
    """Scramble 32-bit keys in place (a bijection: different keys stay different). Returns the same array."""
    shifted = np.empty(min(len(x), BLOCK), np.uint32)
    for start in range(0, len(x), BLOCK):
        part = x[start : start + BLOCK]
        high = shifted[: len(part)]
        for shift, factor in ((16, 0x21F0AAAD), (15, 0xD35A2D97), (15, None)):
            np.right_shift(part, np.uint32(shift), out=high)
            part ^= high
            if factor is not None:
                part *= np.uint32(factor)
    return x


def _mix_int(x: int) -> int:
    """`mix` for one Python integer."""
    x ^= x >> 16
    x = x * 0x21F0AAAD & 0xFFFFFFFF
    x ^= x >> 15
    x = x * 0xD35A2D97 & 0xFFFFFFFF
    return x ^ x >> 15


def entity_keys(kind: str, ids: NDArray[np.integer]) -> Keys:
    """Hashed keys of entities: (n,) uint32 from their lasting identity (not from their row)."""
    keys = np.asarray(ids).astype(np.uint32)
    keys ^= np.uint32(zlib.crc32(kind.encode()))
    return mix(keys)


def name_keys(kind: str, names: Iterable[str]) -> Keys:
    """Hashed keys of entities that are told by a name, (n,) uint32: where they stand in a file decides nothing."""
    return entity_keys(kind, np.array([zlib.crc32(name.encode()) for name in names], np.int64))


def member_keys(kind: str, owner: Keys, number: NDArray[np.integer]) -> Keys:
    """Keys of the members of owners, by their number inside: (n,) uint32.

    A household belongs to its village and a child to its household, so that one more elsewhere changes no key here.
    """
    return mix(owner ^ entity_keys(kind, number))


def fixed_uniform(keys: Keys) -> NDArray[np.float64]:
    """A number in [0, 1) for each key that is the same in every run, whatever its seed; (n,)."""
    return (mix(keys ^ np.uint32(0x9E3779B9)) >> np.uint32(8)).astype(np.float64) * 2.0**-24


def _normal_table() -> NDArray[np.float32]:
    """Standard normal quantiles at the middles of 65,536 equal slices, scaled to unit variance."""
    upper = np.array([NormalDist().inv_cdf((i + 0.5) / 65536) for i in range(32768, 65536)])
    table = np.concatenate([-upper[::-1], upper])
    return (table / table.std()).astype(np.float32)


# ---- loops: (n,) draws of keys (n,) under a decision told by two checksums -------------------------------------------


@part
def scrambled(x):  # type: ignore[no-untyped-def]
    """`mix` for one number; loops of other files may call it too: it does not change, or all results would."""
    x = np.uint32(x)
    x = np.uint32(x ^ (x >> np.uint32(16)))
    x = np.uint32(x * np.uint32(0x21F0AAAD))
    x = np.uint32(x ^ (x >> np.uint32(15)))
    x = np.uint32(x * np.uint32(0xD35A2D97))
    return np.uint32(x ^ (x >> np.uint32(15)))


def _bits_in_columns(keys: Keys, crc: int, adler: int) -> Keys:
    return mix(keys ^ np.uint32(_mix_int(_mix_int(crc) ^ adler)))


@compiled(_bits_in_columns)
def _bits(keys, crc, adler):  # type: ignore[no-untyped-def]
    constant = scrambled(scrambled(crc) ^ np.uint32(adler))
    found = np.empty(len(keys), np.uint32)
    for i in range(len(keys)):
        found[i] = scrambled(keys[i] ^ constant)
    return found


def halves_in_columns(keys: Keys, crc: int, adler: int) -> NDArray[np.uint16]:
    """As `_halves`."""
    return (_bits_in_columns(keys, crc, adler) >> np.uint32(16)).astype(np.uint16)


@compiled(halves_in_columns)
def _halves(keys, crc, adler):  # type: ignore[no-untyped-def]
    constant = scrambled(scrambled(crc) ^ np.uint32(adler))
    found = np.empty(len(keys), np.uint16)
    for i in range(len(keys)):
        found[i] = scrambled(keys[i] ^ constant) >> np.uint32(16)
    return found


def _both_halves_in_columns(keys: Keys, crc: int, adler: int) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    bits = _bits_in_columns(keys, crc, adler)
    return (bits >> np.uint32(16)).astype(np.uint16), (bits & np.uint32(0xFFFF)).astype(np.uint16)


@compiled(_both_halves_in_columns)
def _both_halves(keys, crc, adler):  # type: ignore[no-untyped-def]
    constant = scrambled(scrambled(crc) ^ np.uint32(adler))
    upper, lower = np.empty(len(keys), np.uint16), np.empty(len(keys), np.uint16)
    for i in range(len(keys)):
        bits = scrambled(keys[i] ^ constant)
        upper[i], lower[i] = bits >> np.uint32(16), bits & np.uint32(0xFFFF)
    return upper, lower


def uniform_in_columns(keys: Keys, crc: int, adler: int) -> NDArray[np.float32]:
    """As `uniform`."""
    x = _bits_in_columns(keys, crc, adler)
    x >>= np.uint32(8)
    return x.astype(np.float32) * np.float32(2.0**-24)


@compiled(uniform_in_columns)
def uniform(keys, crc, adler):  # type: ignore[no-untyped-def]
    """Draws in [0, 1) of keys, (n,), float32."""
    constant = scrambled(scrambled(crc) ^ np.uint32(adler))
    found = np.empty(len(keys), np.float32)
    for i in range(len(keys)):
        found[i] = np.float32(np.int32(scrambled(keys[i] ^ constant) >> np.uint32(8))) * np.float32(2.0**-24)
    return found


def _normal_in_columns(keys: Keys, crc: int, adler: int, table: NDArray[np.float32]) -> NDArray[np.float32]:
    return table.take(halves_in_columns(keys, crc, adler))


@compiled(_normal_in_columns)
def _normal(keys, crc, adler, table):  # type: ignore[no-untyped-def]
    constant = scrambled(scrambled(crc) ^ np.uint32(adler))
    # hashed several at a time, then looked up one by one
    found, at = np.empty(len(keys), np.float32), np.empty(BLOCK, np.uint16)
    for start in range(0, len(keys), BLOCK):
        some, drawn = keys[start : start + BLOCK], found[start : start + BLOCK]
        for i in range(len(some)):
            at[i] = scrambled(some[i] ^ constant) >> np.uint32(16)
        for i in range(len(some)):
            drawn[i] = table[at[i]]
    return found


def _one_each_in_columns(keys: Keys, crc: Keys, adler: Keys) -> NDArray[np.float64]:
    return (mix(keys ^ mix(mix(crc.copy()) ^ adler)) >> np.uint32(8)).astype(np.float64) * 2.0**-24


@compiled(_one_each_in_columns)
def _one_each(keys, crc, adler):  # type: ignore[no-untyped-def]
    found = np.empty(len(keys), np.float64)
    for i in range(len(keys)):
        bits = scrambled(keys[i] ^ scrambled(scrambled(crc[i]) ^ adler[i]))
        found[i] = np.float64(np.int32(bits >> np.uint32(8))) * 2.0**-24
    return found


def _crc_of_bytes() -> Keys:
    """What zlib's CRC-32 makes of each byte, (256,)."""
    found = []
    for x in range(256):
        for _ in range(8):
            x = x >> 1 ^ (0xEDB88320 if x & 1 else 0)
        found.append(x)
    return np.array(found, np.uint32)


OF_BYTES = _crc_of_bytes()
ADLER_PRIME = 65_521


def _carry_on_in_columns(crc: Keys, adler: Keys, end: NDArray[np.uint8]) -> tuple[Keys, Keys]:
    text = end.tobytes()
    crcs = [zlib.crc32(text, each) for each in crc.tolist()]
    adlers = [zlib.adler32(text, each) for each in adler.tolist()]
    return np.array(crcs, np.uint32), np.array(adlers, np.uint32)


@compiled(_carry_on_in_columns)
def _carry_on(crc, adler, end):  # type: ignore[no-untyped-def]
    crcs, adlers = np.empty(len(crc), np.uint32), np.empty(len(adler), np.uint32)
    for i in range(len(crc)):
        register, two = np.uint32(~crc[i]), np.int64(adler[i])
        a, b = two & 0xFFFF, two >> 16
        for k in range(len(end)):
            register = np.uint32(OF_BYTES[np.uint8(register) ^ end[k]] ^ (register >> np.uint32(8)))
            a = (a + np.int64(end[k])) % ADLER_PRIME
            b = (b + a) % ADLER_PRIME
        crcs[i], adlers[i] = ~register, (b << 16) | a
    return crcs, adlers


class Begun(NamedTuple):
    """The checksums of decisions as far as they are the same in every month, (n,) each."""

    crc: Keys
    adler: Keys


class Draws:
    """All randomness of one run, from one integer seed."""

    _table: NDArray[np.float32] | None = None

    def __init__(self, seed: int) -> None:
        self.seed = int(seed)
        if Draws._table is None:
            Draws._table = _normal_table()

    def checksums(self, decision: str, month: int) -> tuple[int, int]:
        """What stands for a decision of a month: two checksums, for texts that collide in one of them."""
        text = f"{self.seed}|{decision}|{month}".encode()
        return zlib.crc32(text), zlib.adler32(text)

    def bits(self, decision: str, month: int, keys: Keys) -> Keys:
        """(n,) uint32, uniform over 0 .. 2**32-1."""
        return _bits(keys, *self.checksums(decision, month))

    def halves(self, decision: str, month: int, keys: Keys) -> NDArray[np.uint16]:
        """(n,) uint16, the upper halves of `bits`."""
        return _halves(keys, *self.checksums(decision, month))

    def both_halves(self, decision: str, month: int, keys: Keys) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
        """The upper and the lower halves of `bits`, (n,) uint16 each: one hash gives two draws."""
        return _both_halves(keys, *self.checksums(decision, month))

    def uniform(self, decision: str, month: int, keys: Keys) -> NDArray[np.float32]:
        """(n,) float32 in [0, 1), on a grid of 2**-24."""
        return uniform(keys, *self.checksums(decision, month))

    def uniform_of(self, decision: str, month: int, key: int) -> float:
        """The draw of `uniform` for one key."""
        crc, adler = self.checksums(decision, month)
        return (_mix_int(key ^ _mix_int(_mix_int(crc) ^ adler)) >> 8) * 2.0**-24

    def begin(self, decisions: Iterable[str]) -> Begun:
        """The checksums of decisions as far as they are the same in every month, for `of_month`."""
        texts = [f"{self.seed}|{decision}|".encode() for decision in decisions]
        crc, adler = [zlib.crc32(text) for text in texts], [zlib.adler32(text) for text in texts]
        return Begun(np.array(crc, np.uint32), np.array(adler, np.uint32))

    @staticmethod
    def of_month(begun: Begun, month: int) -> tuple[Keys, Keys]:
        """`checksums` of many decisions of a month, (n,) each."""
        found: tuple[Keys, Keys] = _carry_on(*begun, np.frombuffer(b"%d" % month, np.uint8))
        return found

    def one_each(self, begun: Begun, month: int, keys: Keys) -> NDArray[np.float64]:
        """`uniform_of` for a decision and a key each, (n,): decisions as `begin` gives them."""
        return _one_each(keys, *self.of_month(begun, month))

    def normal(self, decision: str, month: int, keys: Keys) -> NDArray[np.float32]:
        """(n,) float32, standard normal (65,536 quantiles, largest 4.2)."""
        assert Draws._table is not None
        return _normal(keys, *self.checksums(decision, month), Draws._table)

    def generator(self, decision: str, month: int) -> np.random.Generator:
        """A NumPy generator for what is drawn once (a survey sample), of its own for each decision and month."""
        return np.random.default_rng([self.seed, zlib.crc32(decision.encode()), month])
