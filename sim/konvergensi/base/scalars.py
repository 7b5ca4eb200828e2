"""Numbers as Python has them: samplers and tables give those of NumPy."""

from __future__ import annotations

from typing import Any


def scalar(value: Any) -> Any:
    """The Python number, text or truth value in a NumPy scalar or an array of no dimension; anything else as it is."""
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value
