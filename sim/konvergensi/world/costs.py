"""State of what coordination costs: this month's cost by item, what it was at the start, and what it displaced."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

# item -> source of money that pays for it, index by order
PAID_FROM = {
    "meetings": "apbd",
    "rounds": "apbd",
    "guidelines": "apbd",
    "focal-units": "apbd",
    "training": "apbd",
    "kpm-training": "apbd",
    "lists": "apbd",
    "sanitation": "apbd",
    "kpm-pay": "dana-desa",
    "village-councils": "dana-desa",
    "accompaniment": "apbn",
    "grants": "apbn",
    "province": "apbn",
    "campaigns": "apbd",
    "universities": "apbd",
}
FROM_ABOVE = ("accompaniment", "grants", "province")  # the centre's own money: on top, whatever the rule


def _zero() -> NDArray[np.float64]:
    return np.zeros(len(PAID_FROM))


@dataclass(slots=True)
class Costs:
    """Columns over the items of PAID_FROM, (n_items,), Rp of the simulated share of the district, a month."""

    first: NDArray[np.float64] = field(default_factory=_zero)  # as the district coordinated at the start
    now: NDArray[np.float64] = field(default_factory=_zero)
    more: NDArray[np.float64] = field(default_factory=_zero)  # beyond the start
    displaced: NDArray[np.float64] = field(default_factory=_zero)  # of it, taken out of lines of services
