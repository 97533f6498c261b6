"""Parley without a window. Nothing below this package imports Qt widgets."""

__version__ = "0.1.0"
