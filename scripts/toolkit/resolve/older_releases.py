"""Older releases, to be taken in the place of one that cannot be built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from packaging.version import Version

from toolkit.model.pins import Pin

#: Enough for a release that brought a new build requirement, and few enough to be fetched.
_TRIED = 20


def of(key: str, releases: Mapping[str, Pin]) -> Iterator[Pin]:
    """Yield what is older than a `name==version` among the releases of its name and has an sdist, newest first.

    Pre-releases are passed over, unless the release is one. Of very many, only the newest are tried.
    """
    current = Version(key.partition("==")[2])
    older = {Version(version): pin for version, pin in releases.items() if Version(version) < current and pin.sdist}
    allowed = (older[version] for version in sorted(older, reverse=True) if _allows(current, version))
    return islice(allowed, _TRIED)


def _allows(current: Version, other: Version) -> bool:
    return current.is_prerelease or not other.is_prerelease
