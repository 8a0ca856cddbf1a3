"""Archives that vendor.txt names by URL: fetched, their hash held from first sight, and who they are."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.version import InvalidVersion, Version

from toolkit.core.errors import UserError
from toolkit.model import archive_names
from toolkit.model.lock import Lock, VendoredFile
from toolkit.model.names import normalize
from toolkit.model.pins import Pin, RemoteFile
from toolkit.network.fetch import Fetched, Fetcher
from toolkit.project import declared
from toolkit.project.vendor_txt import ArchiveRule
from toolkit.vendored import archive, sdist

#: `name-1.2.tar.gz` as sdists are called, `name_1.2~beta1.tar.xz` as Debian's sources are.
_NAMED = re.compile(r"(?P<name>[A-Za-z][\w.-]*?)[-_]v?(?P<version>\d[\w.+~!-]*)$")


@dataclass(frozen=True, kw_only=True)
class FetchedArchive:
    """An archive as a pin, with the requirements it is known to have."""

    pin: Pin
    requires: tuple[str, ...]


def fetch(rules: Iterable[ArchiveRule], fetcher: Fetcher, locked: Iterable[Lock]) -> list[FetchedArchive]:
    """Fetch the archives of vendor.txt. What a lock already holds of the same URL must not have changed."""
    held = {file.url: file.sha256 for lock in locked for file in lock.vendored_files().values()}
    wanted = {rule.url: (rule, _file(rule, held)) for rule in rules}
    futures = [(rule, file, fetcher.submit(file)) for rule, file in wanted.values()]
    return [_given(rule, file, future.result()) for rule, file, future in futures]


def _file(rule: ArchiveRule, held: dict[str, str]) -> VendoredFile:
    name = unquote(urlsplit(rule.url).path.rsplit("/", 1)[-1])
    return VendoredFile(name=name, size=0, sha256=rule.sha256 or held.get(rule.url, ""), url=rule.url)


def _given(rule: ArchiveRule, file: VendoredFile, fetched: Fetched) -> FetchedArchive:
    metadata = sdist.read(fetched.path, file.name).metadata
    name, version = (metadata.name, metadata.version) if metadata.name else _identity(fetched.path, file.name)
    if not name:
        raise UserError(
            f"{rule.origin}: {file.name} does not say which distribution it is",
            "it has no PKG-INFO, its setup.py computes its name, and the file is not called name-version.tar.gz",
        )
    remote = RemoteFile(name=file.name, url=rule.url, size=fetched.size, sha256=fetched.sha256)
    pin = Pin(name=normalize(name), version=_valid(version), archive=remote)
    return FetchedArchive(pin=pin, requires=metadata.requires if metadata.requires_certain else ())


def _identity(path: Path, file_name: str) -> tuple[str, str]:
    """Return the name and version from the files that declare them, else from the archive's name."""
    with tempfile.TemporaryDirectory() as directory:
        for name, content in archive.read_members(path, sdist.BUILD_FILES).items():
            (Path(directory) / name).write_bytes(content)
        found = declared.read(Path(directory))
    named = _NAMED.match(archive_names.split(file_name)[0])
    name, version = (named["name"], named["version"]) if named else ("", "")
    return found.name or name, found.version or version


def _valid(version: str) -> str:
    """Return a version as PEP 440 knows them: `1.1.0~beta1build1` is cut to what can be compared, `1.1.0`."""
    try:
        return str(Version(version))
    except InvalidVersion:
        numbers = re.match(r"\d+(\.\d+)*", version)
        return numbers[0] if numbers else "0"
