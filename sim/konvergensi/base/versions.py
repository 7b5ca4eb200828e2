"""With what a result was made: the commit of a checkout, and the versions of the packages that decide results."""

from __future__ import annotations

import functools
import platform
import subprocess
from importlib import metadata
from pathlib import Path

PACKAGES = ("mesa", "numpy", "networkx", "SALib", "scipy", "matplotlib", "pandas", "pyarrow", "pydantic", "typer")


@functools.cache
def git_commit() -> str | None:
    """Commit of the checkout the package is run from, as it was when first asked; None for an installed package or
    without git.
    """
    here = Path(__file__).resolve().parent
    try:
        found = subprocess.run(
            ["git", "-C", str(here), "rev-parse", "HEAD"], capture_output=True, encoding="utf-8", timeout=5, check=False
        )
        tracked = subprocess.run(
            ["git", "-C", str(here), "ls-files", "--error-unmatch", Path(__file__).name],
            capture_output=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() if found.returncode == 0 and tracked.returncode == 0 else None


def package_versions() -> dict[str, str | None]:
    """Versions of Python and of the packages that decide results, for a manifest."""
    return {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES}


@functools.cache
def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
