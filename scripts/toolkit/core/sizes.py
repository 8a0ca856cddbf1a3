"""Sizes of files as a person reads them."""

from __future__ import annotations


def human(size: int) -> str:
    """Return a number of bytes, in a unit in which it is not nothing unless it is."""
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(size / 1e3, 1) if size else 0:.0f} kB"
