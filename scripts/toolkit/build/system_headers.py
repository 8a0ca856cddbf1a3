"""The headers that this system has for builds: what there is of each now, to tell whether that has changed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

_PLACES = ("/usr/local/include", "/usr/include")
_DPKG = Path("/var/lib/dpkg/info")
#: Packages of headers that every build has: within a release they stay compatible, and security updates touch them.
_ALWAYS = ("libc6-dev", "linux-libc-dev", "libcrypt-dev", "libtirpc-dev", "libnsl-dev", "rpcsvc-proto")


def now(names: Iterable[str]) -> dict[str, str]:
    """Return what there is of headers, by their names in sources: places, sizes and times; empty for none."""
    return {name: " ".join(_found(name)) for name in names}


def _found(name: str) -> Iterator[str]:
    if name.startswith("/") or ".." in name.split("/"):
        return
    for place in _PLACES:
        for directory in (place, *_multiarch(place)):
            path = f"{directory}/{name}"
            try:
                status = os.stat(path)
            except (OSError, ValueError):
                continue
            if path not in _known():
                yield f"{directory} {status.st_size} {status.st_mtime_ns}"


@cache
def _multiarch(place: str) -> tuple[str, ...]:
    return tuple(sorted(str(path) for path in Path(place).glob("*-linux-gnu*")))


@cache
def _known() -> frozenset[str]:
    lists = (path for name in _ALWAYS for pattern in (name, f"{name}:*") for path in _DPKG.glob(f"{pattern}.list"))
    return frozenset(line for path in lists for line in path.read_text(encoding="utf-8").splitlines())
