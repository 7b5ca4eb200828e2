"""The version of the package, in a place that every room may read."""

__version__ = "0.2.0"


def told_apart(then: str, was: int, now: int) -> tuple[str, str]:
    """The version that wrote something and this one; where they are the same, with the formats of what they write."""
    return (f"{then} (format {was})", f"{__version__} (format {now})") if then == __version__ else (then, __version__)
