"""What the extensions in force add to the inputs.

inputs/extensions.py reads them; parameters, services and districts ask here, so that an addition is found wherever a
shipped one is.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Protocol


class Adds(Protocol):
    """What an extension adds: parameters by key, services by id, programmes of agencies."""

    @property
    def parameters(self) -> Mapping[str, Any]: ...

    @property
    def services(self) -> Mapping[str, Any]: ...

    @property
    def programmes(self) -> tuple[Any, ...]: ...


IN_FORCE: ContextVar[tuple[Any, ...]] = ContextVar("extensions in force", default=())


def added_parameters() -> dict[str, Any]:
    """Parameters of the extensions in force, by key."""
    return {key: each for extension in IN_FORCE.get() for key, each in extension.parameters.items()}


def added_services() -> dict[str, Any]:
    """Services of the extensions in force, by id."""
    return {key: each for extension in IN_FORCE.get() for key, each in extension.services.items()}


def added_programmes() -> list[tuple[str, Any]]:
    """File and programme of the extensions in force."""
    return [(extension.where, each) for extension in IN_FORCE.get() for each in extension.programmes]


def adding_file(key: str) -> str:
    """Name of the file of the extension in force that adds a parameter; empty where none does."""
    return next((str(each.file) for each in IN_FORCE.get() if key in each.parameters), "")
