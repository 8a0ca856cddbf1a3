"""Names of source archives: the endings that count, the one of the sdist standard first."""

from __future__ import annotations

#: PEP 625 has `.tar.gz` alone; the others are from before it, in the order in which they are preferred.
ENDINGS = (".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz")


def split(filename: str) -> tuple[str, str]:
    """Return what stands before the ending, and the ending; the whole name and "" when it is not of an archive."""
    ending = next((ending for ending in ENDINGS if filename.endswith(ending)), "")
    return filename.removesuffix(ending), ending
