"""The version of the package, in a place that every room may read."""

__version__ = "0.2.0"
