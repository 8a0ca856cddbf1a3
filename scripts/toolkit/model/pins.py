"""Versions that have been chosen, and the files there are of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """One file to be had: size in bytes (None: not said), sha256 in hexadecimal (empty: not said).

    `url` (https, http or file) holds no user name or password; `upload_time` is ISO 8601 or empty.
    """

    name: str
    url: str
    size: int | None = None
    sha256: str = ""
    upload_time: str = ""
    requires_python: str = ""
    yanked: bool = False


@dataclass(frozen=True, kw_only=True)
class Pin:
    """One version of a distribution: either the files an index has of it, or the one archive of a direct URL.

    `marker` (PEP 508) says for which of the targets; empty: for all of them.
    """

    name: str
    version: str
    marker: str = ""
    sdist: RemoteFile | None = None
    wheels: tuple[RemoteFile, ...] = ()
    archive: RemoteFile | None = None

    @property
    def key(self) -> str:
        """Return `name==version`."""
        return f"{self.name}=={self.version}"
