"""Whether a clean system of this machine's release could install a package: what it depends on that apt knows not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from toolkit.core import process
from toolkit.debian.deb_build import Deb

#: As if nothing were installed.
_APT = ("apt-get", "--simulate", "--option", "Dir::State::status=/dev/null")


def unmet(debs: Sequence[Deb]) -> dict[str, list[str]]:
    """Return the dependencies of packages that neither apt nor these packages themselves can satisfy, by package.

    Nothing where apt knows too little to tell: an empty machine, or none of its lists.
    """
    if _can("install", *(str(deb.path) for deb in debs)) or not _can("satisfy", "python3"):
        return {}
    built = {deb.name for deb in debs}
    found = {
        deb.name: [need for need in _depends(deb) if _name(need) not in built and not _can("satisfy", need)]
        for deb in debs
    }
    return {name: needs for name, needs in found.items() if needs}


def _depends(deb: Deb) -> list[str]:
    field = process.read(["dpkg-deb", "--field", deb.path, "Depends"])
    return [need.strip() for need in field.split(",") if need.strip()]


def _name(need: str) -> str:
    return re.split(r"[\s:(|]", need)[0]


def _can(*words: str) -> bool:
    try:
        process.read([*_APT, *words])
    except process.CommandError:
        return False
    return True
