"""Dependencies that keep a clean system of this machine's release from installing a package."""

from __future__ import annotations

import re
from collections.abc import Sequence

from toolkit.core import process
from toolkit.debian.deb_build import Deb

#: It takes nothing for installed.
_APT = ("apt-get", "--simulate", "--option", "Dir::State::status=/dev/null")


def unmet(debs: Sequence[Deb]) -> dict[str, list[str]]:
    """Return the dependencies, by package, that neither apt nor these packages themselves can satisfy.

    None where apt cannot tell, since it has no lists of packages.
    """
    if _can("install", *(str(deb.path) for deb in debs)) or not _can("satisfy", "python3"):
        return {}
    built = {deb.name for deb in debs}
    found = {
        deb.name: [each for each in _depends(deb) if _name(each) not in built and not _can("satisfy", each)]
        for deb in debs
    }
    return {name: lacking for name, lacking in found.items() if lacking}


def _depends(deb: Deb) -> list[str]:
    field = process.read(["dpkg-deb", "--field", deb.path, "Depends"])
    return [relation.strip() for relation in field.split(",") if relation.strip()]


def _name(relation: str) -> str:
    return re.split(r"[\s:(|]", relation)[0]


def _can(*words: str) -> bool:
    try:
        process.read([*_APT, *words])
    except process.CommandError:
        return False
    return True
