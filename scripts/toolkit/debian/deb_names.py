"""What the name of a .deb file says: `name_version_architecture.deb`, deb(7)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def package(deb: Path) -> str:
    """Return the package that a .deb file is."""
    return deb.name.partition("_")[0]


def architecture(deb: Path) -> str:
    """Return the architecture that a .deb file is for."""
    return deb.stem.rpartition("_")[2]


def is_symbols(package: str) -> bool:
    """Tell whether a package is one of debug symbols, as debhelper calls them."""
    return package.endswith("-dbgsym")


def by_package(paths: Iterable[Path]) -> dict[str, Path]:
    """Return the .deb files among some, by their packages."""
    return {package(path): path for path in paths if path.suffix == ".deb"}
