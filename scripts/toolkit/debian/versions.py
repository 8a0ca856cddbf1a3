"""Versions of Debian packages, compared as dpkg does."""

from __future__ import annotations

from toolkit.core import process


def holds(version: str, operator: str, other: str) -> bool:
    """Tell whether a relation holds, such as `1.0~rc1 << 1.0`; see dpkg(1), --compare-versions."""
    try:
        process.read(["dpkg", "--compare-versions", version, operator, other])
    except process.CommandError:
        return False
    return True
