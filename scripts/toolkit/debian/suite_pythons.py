"""The interpreters of a suite: known before a chroot of it is made, which takes minutes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from toolkit.build import interpreters
from toolkit.core import process
from toolkit.core.errors import Gathering, UserError
from toolkit.debian import suites
from toolkit.project import python_version
from toolkit.project.discovery import Project

#: By suite, as its release has them; apt is asked for this machine's own suite, which may have others besides.
_VERSIONS: Mapping[str, Sequence[str]] = {
    "bookworm": ("3.11",),
    "trixie": ("3.13",),
    "noble": ("3.12",),
    "resolute": ("3.14",),
}
_CANDIDATE = re.compile(r"^python(3\.\d+):\n  Installed: .*\n  Candidate: \d", re.MULTILINE)


def require(project: Project, names: Iterable[str]) -> None:
    """Raise `UserError` for each of the suites `names` that has no interpreter which a service is locked for.

    Nothing is said of suites that nobody here knows.
    """
    errors = Gathering()
    targets = {package.service_name: python_version.read(project, package) for package in project.services}
    for suite in dict.fromkeys(names):
        wanted = {version for each in targets.values() for version in each.pythons}
        found = _versions(suite, wanted)
        lacking = {name: each for name, each in targets.items() if found and not {*each.pythons} & {*found}}
        for name, each in lacking.items():
            errors.add(
                UserError(
                    f"{suite} has Python {' and '.join(found)}, and {name} is for {' and '.join(each.pythons)}",
                    f"add {found[-1]} to {each.file or python_version.FILE} and run `make vendor`, or leave {suite} "
                    "out of SUITES",
                )
            )
    errors.end()


def require_here(project: Project, requested: str) -> None:
    """Raise `UserError` for each service whose interpreter no package of this machine has: no service may depend on it.

    `requested` is the user's choice of the interpreter, as in a build.
    """
    errors = Gathering()
    for package in project.services:
        with errors.part():
            targets = python_version.read(project, package)
            found = interpreters.find(targets.pythons, requested)
            if found.path.parent != interpreters.OF_SYSTEM:
                raise UserError(
                    f"{package.service_name}: a package cannot depend on {found.path}, the Python {found.version} "
                    f"of {'PYTHON=' if requested else targets.file or python_version.FILE}",
                    _advice(found.version, targets.file or python_version.FILE),
                )
    errors.end()


def _advice(version: str, file: str) -> str:
    """Return how to get to an interpreter that a package can depend on."""
    if version in _of_apt([version]):
        return f"install the distribution's own: apt-get install python{version} python{version}-dev"
    own = [path.name.removeprefix("python") for path in sorted(interpreters.OF_SYSTEM.glob("python3.*[0-9]"))]
    elsewhere = [suite for suite, versions in _VERSIONS.items() if version in versions]
    other = f", or build for a suite that has {version}: `make sbuild SUITES={elsewhere[0]}`" if elsewhere else ""
    return f"this release has Python {' and '.join(own) or '(none)'}: add it to {file} and run `make vendor`{other}"


def _versions(suite: str, wanted: Iterable[str]) -> Sequence[str]:
    own = ""
    with suppress(UserError):
        own = suites.own()
    known = _VERSIONS.get(suite, ())
    return sorted({*known, *_of_apt({*wanted, *known})}, key=_key) if suite == own else known


def _of_apt(versions: Iterable[str]) -> Iterator[str]:
    """Yield which of these versions apt would install here."""
    with suppress(UserError):
        yield from _CANDIDATE.findall(process.read(["apt-cache", "policy", *(f"python{each}" for each in versions)]))


def _key(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
