"""While a process of ours starts, nothing is looked through for garbage: nearly all that imports make stays.

Python looks through what it holds whenever much was made. Of the time a command needs to begin, that is a sixth.
"""

from __future__ import annotations

import gc

_begins = False


def starting() -> None:
    """Put garbage collection off until `started`. For processes of our own, not where a program imports the package."""
    global _begins  # noqa: PLW0603  # one collector for the process
    if gc.isenabled():
        gc.disable()
        _begins = True


def started() -> None:
    """Collect again, only among what comes from now on. Does nothing where `starting` put nothing off."""
    global _begins  # noqa: PLW0603
    if _begins:
        gc.freeze()
        gc.enable()
        _begins = False
