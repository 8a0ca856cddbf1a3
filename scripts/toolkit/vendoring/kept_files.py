"""Locked files that no index has any more: they stay, from vendor/ or the cache, until an upgrade is asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from toolkit.model.lock import Distribution, VendoredFile
from toolkit.model.pins import RemoteFile
from toolkit.network import fetch
from toolkit.network.index_pages import is_of_release
from toolkit.vendoring.locked_files import LockedFiles

#: They are locked, so they are old enough, whatever EXCLUDE_NEWER says.
_LONG_AGO = "1970-01-01T00:00:00Z"


@dataclass(frozen=True)
class KeptFiles:
    """The files of the locks, at hand where `vendor` or the cache has them."""

    locked: LockedFiles
    vendor: Path

    def missing(self, name: str, listed: Collection[RemoteFile]) -> Iterator[RemoteFile]:
        """Yield the locked files of a distribution that are not among those `listed` by an index, and are at hand.

        An index that has another sdist in the place of the locked one is no case for this, but an error later.
        """
        names = {file.name for file in listed}
        for item in self.locked.by_name.get(name, ()):
            distribution = item.distribution
            if distribution.kind == "archive" or (distribution.kind == "sdist" and _has_sdist(distribution, names)):
                continue
            for file in distribution.files:
                if file.name not in names and self._is_at_hand(file):
                    names.add(file.name)
                    yield RemoteFile(
                        name=file.name,
                        url=file.url,
                        size=file.size,
                        sha256=file.sha256,
                        upload_time=_LONG_AGO,
                        requires_python=distribution.requires_python,
                        index=distribution.index,
                        gone=True,
                    )

    def _is_at_hand(self, file: VendoredFile) -> bool:
        return fetch.adopt(file, self.vendor / file.name)


def _has_sdist(distribution: Distribution, names: Collection[str]) -> bool:
    others = (name for name in names if not name.endswith(".whl"))
    return any(is_of_release(name, distribution.name, distribution.version) for name in others)
