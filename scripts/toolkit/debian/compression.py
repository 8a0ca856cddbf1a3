"""How binary packages are compressed: the kinds of compression of deb(5), and the variables of dpkg-deb(1)."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from toolkit.core.errors import UserError

#: The levels of each kind, dpkg-deb(1).
_LEVELS = {"gzip": range(10), "xz": range(10), "zstd": range(1, 23), "none": range(0)}


@dataclass(frozen=True, kw_only=True)
class Compression:
    """A kind of compression, and its level (empty: the default of the kind)."""

    kind: str
    level: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables by which dpkg-deb chooses a compression."""
        level = {"DPKG_DEB_COMPRESSOR_LEVEL": self.level} if self.level else {}
        return {"DPKG_DEB_COMPRESSOR_TYPE": self.kind, **level}


#: A developer's package is installed once: it is made fast.
FAST = Compression(kind="zstd", level="1")
#: A package for production is downloaded by many: it is small, and every dpkg reads it.
SMALL = Compression(kind="xz", level="9")


def add_argument(parser: argparse.ArgumentParser, default: Compression, of_suites: Compression | None = None) -> None:
    """Add the option of how binary packages are compressed; with another default for suites the option has none."""
    shown = f"{default.kind}:{default.level}" + (f", of suites {of_suites.kind}:{of_suites.level}" if of_suites else "")
    parser.add_argument(
        "--compression",
        type=parse,
        default=None if of_suites else default,
        metavar="KIND[:LEVEL]",
        help=f"how packages are compressed (default: {shown})",
    )


def parse(text: str) -> Compression:
    """Return the compression of `kind` or `kind:level`. Raises `UserError` for one that dpkg-deb does not have."""
    kind, _, level = text.partition(":")
    if kind not in _LEVELS:
        raise UserError(
            f"DEB_COMPRESSION={text}: no such compression", f"there are {', '.join(_LEVELS)}; a level may follow: xz:9"
        )
    levels = _LEVELS[kind]
    if level and not (level.isdecimal() and int(level) in levels):
        raise UserError(
            f"DEB_COMPRESSION={text}: {kind} has no such level",
            f"there are {levels[0]} to {levels[-1]}" if levels else f"DEB_COMPRESSION={kind}",
        )
    return Compression(kind=kind, level=level)
