"""Wheels are checked before anybody uses them: on arrival, after their build, and where they are unpacked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from packaging.utils import canonicalize_version

from toolkit.archives.archive_limits import UnreadableError
from toolkit.core import threads
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import one_line
from toolkit.model.core_metadata import CoreMetadata
from toolkit.model.lock import Lock
from toolkit.model.names import normalize
from toolkit.wheel.contents import BrokenError, Contents
from toolkit.wheel.member_names import HostileError

#: Where a wheel is from; empty where that is not known any more.
Origin = Literal["", "index", "vendor", "build"]
_HINTS: dict[Origin, str] = {
    "": "it was not installed, and must not be: find out where it came from",
    "index": "do not use this version, whoever published it: ask for another one",
    "vendor": "do not use it: see who put it into vendor/, and when (`git -C vendor log`)",
    "build": "do not use this version before you know why; another one of it, or of what builds it, may be sound",
}


def check(wheel: Path, origin: Origin, *, name: str = "", version: str = "", whole: bool = True) -> CoreMetadata:
    """Read a wheel, compare it with its RECORD and with the name and version it is to have; return its metadata.

    Raises `UserError` for a wheel that no tool should install, and says whether it came from an index or from a build
    of the source called `name` and `version` (no version: a local package). Not `whole` leaves the content of its files
    to whoever unpacks it.
    """
    with opened(wheel, origin, f"{name} {version}".strip()) as contents:
        if whole:
            contents.read_all()
        found = contents.metadata
    wrong_version = version and canonicalize_version(found.version) != canonicalize_version(version)
    if name and (normalize(found.name) != normalize(name) or wrong_version):
        expected, said = f"{name} {version}".strip(), one_line(f"{found.name} {found.version}")
        if origin == "build":
            hint = f"the archive is not what its name says: see where it came from, then `make vendor UPGRADE={name}`"
            raise UserError(f"{expected}: its build made {said}", hint)
        raise UserError(f"{_shown(wheel, origin)}: it is {said}, not {expected}", _HINTS[origin])
    return found


def check_locked(locks: Iterable[Lock], vendor: Path) -> None:
    """Check the wheels of a vendor/ that is as its locks say. Raises `UserError` as `check` does."""
    every = {
        file.name: item
        for lock in locks
        for item in lock.distributions()
        if item.kind == "wheels"
        for file in item.files
    }

    def check_one(name: str) -> None:
        check(vendor / name, "vendor", name=every[name].name, version=every[name].version)

    threads.each(check_one, sorted(every))


@contextmanager
def opened(wheel: Path, origin: Origin = "", built_from: str = "") -> Iterator[Contents]:
    """Open a wheel whose layout is sound; files are compared with its RECORD as they are read. Raises `UserError`."""
    shown = _shown(wheel, origin)
    subject = f"{built_from}: its build made {shown}, which" if origin == "build" else shown
    try:
        with wheel.open("rb") as stream:
            yield Contents(stream, wheel.name)
    except HostileError as error:
        raise UserError(f"{subject} looks like an attack: {error}", _HINTS[origin]) from None
    except (BrokenError, UnreadableError) as error:
        raise UserError(f"{subject} is not a sound wheel: {error}", _HINTS[origin]) from None


def _shown(wheel: Path, origin: Origin) -> str:
    return one_line(f"vendor/{wheel.name}" if origin == "vendor" else wheel.name)
