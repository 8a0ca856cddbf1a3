"""Relations between the packages of one source: each has to take the version that the others were built with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from toolkit.core import process
from toolkit.core.errors import UserError
from toolkit.debian.versions import holds

_FORMAT = r"${Package}\t${Version}\t${Pre-Depends}, ${Depends}\n"
_VERSIONED = re.compile(r"(?P<name>[^\s:(]+)(?::\w+)? \((?P<operator><<|<=|=|>=|>>) (?P<version>[^)]+)\)")


def check(debs: Iterable[Path]) -> None:
    """Raise `UserError` for packages that cannot be installed together, as one wants another version of the other."""
    found = [_read(path) for path in debs]
    versions = {name: version for name, version, _ in found}
    told = [
        f"{name} {version} depends on `{unmet}`, but that is version {other}"
        for name, version, relations in found
        for unmet, other in _unmet(relations, versions)
    ]
    if told:
        raise UserError(
            told[0],
            "write `(>= ${source:Version})` or `(= ${binary:Version})`, both of which are the version that is built; "
            "`(>= 1.0)` holds for what sorts after it, as with VERSION_SUFFIX='+deb{release}u1'",
            "\n".join(told[1:]),
        )


def _read(deb: Path) -> tuple[str, str, str]:
    name, version, relations = process.read(["dpkg-deb", "--show", f"--showformat={_FORMAT}", deb]).split("\t")
    return name, version, relations


def _unmet(relations: str, versions: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each relation that no package of another source could meet instead, with the version that there is."""
    for relation in filter(None, map(str.strip, relations.split(","))):
        choices = [_VERSIONED.fullmatch(choice.strip()) for choice in relation.split("|")]
        known = [choice for choice in choices if choice and choice["name"] in versions]
        if (
            known
            and len(known) == len(choices)
            and not any(holds(versions[choice["name"]], choice["operator"], choice["version"]) for choice in known)
        ):
            yield relation, versions[known[0]["name"]]
