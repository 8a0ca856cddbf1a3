"""Versions that have been chosen, and the files there are of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from toolkit.core.foreign_text import quoted

#: How the requirements of an sdist became known where its own metadata leaves them open.
MetadataSource = Literal["", "wheel", "build"]


#: The form of a sha256, as indexes and locks write it.
SHA256 = re.compile(r"[0-9a-f]{64}")


def is_sha256(text: str) -> bool:
    """Tell whether a text has the form of a sha256."""
    return bool(SHA256.fullmatch(text))


@dataclass(frozen=True, slots=True)
class Pinned:
    """A reference to one locked distribution, and for which interpreters it counts.

    `name` is in its normal form; `marker` (PEP 508) is empty where it counts for all of them.
    """

    name: str
    version: str
    marker: str = ""

    @classmethod
    def parse(cls, text: str) -> Pinned:
        """Return the reference that the lock spells `name==version` or `name==version ; marker`.

        Raises `ValueError` for any other text.
        """
        key, _, marker = text.partition(";")
        name, equals, version = key.strip().partition("==")
        if not (name and equals and version):
            raise ValueError(f"not a locked reference: {text!r}")
        return cls(name, version, marker.strip())

    @property
    def key(self) -> str:
        """Return `name==version`."""
        return f"{self.name}=={self.version}"

    def __str__(self) -> str:
        """Return the lock's spelling, which is a requirement (PEP 508) too."""
        return f"{self.key} ; {self.marker}" if self.marker else self.key


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """One file of an index or a URL: size in bytes (None: unknown), sha256 in hexadecimal (empty: unknown).

    `other_hash` (`sha512=...`, or empty) is what there is instead of a sha256.
    `url` (https, http or file) holds no user name or password; `upload_time` is ISO 8601 or empty. `index` is the URL
    of the index that named the file, without credentials; empty for find-links and direct URLs, and where not known.
    `yanked_reason` is what its authors say of a file that they have withdrawn (PEP 592), or empty.
    `core_metadata` is the sha256 of the metadata that the index offers beside a wheel (PEP 658), or empty. One that is
    `gone` is locked and at hand, but no index has it any more.
    """

    name: str
    url: str
    size: int | None = None
    sha256: str = ""
    other_hash: str = ""
    upload_time: str = ""
    requires_python: str = ""
    yanked: bool = False
    yanked_reason: str = ""
    index: str = ""
    core_metadata: str = ""
    gone: bool = False

    @property
    def withdrawn(self) -> str:
        """Return, for people, that its authors have withdrawn it, and what they say of it."""
        event = "its authors have withdrawn (yanked) it"
        return f"{event}: {quoted(self.yanked_reason)}" if self.yanked_reason else event


@dataclass(frozen=True, kw_only=True)
class Pin:
    """One version of a distribution: either the files an index has of it, or the one archive of a direct URL.

    `marker` (PEP 508) limits it to some of the targets; it is empty for all of them. `metadata` says how its
    requirements became known: from a wheel of the same version, from a build, or (empty) from the sdist's own metadata.
    `requires_sha256` is a hash of all of them.
    """

    name: str
    version: str
    marker: str = ""
    metadata: MetadataSource = ""
    requires_sha256: str = ""
    sdist: RemoteFile | None = None
    wheels: tuple[RemoteFile, ...] = ()
    archive: RemoteFile | None = None

    @property
    def pinned(self) -> Pinned:
        """Return the reference to this version."""
        return Pinned(self.name, self.version, self.marker)

    @property
    def key(self) -> str:
        """Return `name==version`."""
        return f"{self.name}=={self.version}"
