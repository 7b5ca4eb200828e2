"""The complete package: the services that every 1,000-day household should have, and from which age each is due.

Two ways to count one as had: any contact, or a dose that works (`adequate` in services.toml).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from konvergensi.base.compiled import compiled
from konvergensi.world.children import LAST_AGE, PREGNANCY_MONTHS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from konvergensi.inputs.services import Service
    from konvergensi.world.programmes import ServiceBook

DUE_AFTER = 3  # months into a service's window from which it counts as due; later where it is given more rarely


def due_from(service: Service) -> int:
    """Age in months from which a service of the package counts as due: every child can have met it by then."""
    return service.from_age + max(DUE_AFTER, 12 // len(service.months))


class Package:
    """The complete package: which services are due at which age, as bits of `Children.got`.

    Raises ValueError when services.toml marks more services than there are bits.
    """

    def __init__(self, services: list[Service]) -> None:
        members = [(s, service) for s, service in enumerate(services) if service.package]
        if len(members) > 16:
            raise ValueError(f"services.toml: {len(members)} services in the package, at most 16 can be")
        self.size = len(members)
        self.bit_of = {s: np.uint16(1 << k) for k, (s, _) in enumerate(members)}
        self.nik_bit = np.uint16(sum(1 << k for k, (_, x) in enumerate(members) if x.act.gives_nik))
        ages = np.arange(-PREGNANCY_MONTHS, LAST_AGE + 1)
        self.due = np.zeros(len(ages), np.uint16)
        for k, (_, service) in enumerate(members):
            self.due[ages >= due_from(service)] |= np.uint16(1 << k)
        self.doses = {s: service.adequate.doses if service.adequate else 1 for s, service in members}
        self._enough = np.array(list(self.doses.values()), np.uint8), np.array(list(self.bit_of.values()), np.uint16)
        self.due_enough = np.zeros(len(ages), np.uint16)  # at an adequate dose: due once the age for it is over
        for k, (_, service) in enumerate(members):
            by_age = service.adequate.by_age if service.adequate else due_from(service) - 1
            self.due_enough[ages > by_age] |= np.uint16(1 << k)
        codes = np.arange(1 << self.size)
        self.number = np.bitwise_count(codes).astype(np.int64)  # services in each combination of bits

    def enough(self, book: ServiceBook, rows: slice) -> NDArray[np.uint16]:
        """Services had at an adequate dose by each of `rows`, as bits, (n,)."""
        column = np.array([book.taken.where[s][1] for s in self.bit_of], np.int64)
        enough: NDArray[np.uint16] = marked(book.taken.children, column, *self._enough, rows.start, rows.stop)
        return enough


def _marked_in_columns(
    taken: NDArray[np.uint8], column: NDArray[np.int64], doses: NDArray[np.uint8], bits: NDArray[np.uint16],
    start: int, stop: int,
) -> NDArray[np.uint16]:  # fmt: skip
    found = np.zeros(stop - start, np.uint16)
    for row, least, bit in zip(column, doses, bits, strict=True):
        if row >= 0:
            found |= (taken[row, start:stop] >= least) * bit
    return found


@compiled(_marked_in_columns)
def marked(taken, column, doses, bits, start, stop):  # type: ignore[no-untyped-def]
    """The bits, (k,), of which services each of the rows `start` to `stop` has taken `doses`, (k,), or more, (n,).

    taken (n_columns, n_children); column (k,) of each service in it, -1 where nobody runs it.
    """
    found = np.zeros(stop - start, np.uint16)
    for k in range(len(column)):
        if column[k] >= 0:
            of, least, bit = taken[column[k], start:stop], doses[k], bits[k]
            for i in range(len(found)):
                found[i] |= bit * np.uint16(of[i] >= least)
    return found
