"""Archives that vendor.txt names by URL: fetched, with the hash that was seen first, and identified."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path

from packaging.version import InvalidVersion, Version

from toolkit.core.errors import UserError
from toolkit.model import archive_names
from toolkit.model.lock import Distribution, VendoredFile
from toolkit.model.names import normalize
from toolkit.model.pins import Pin, RemoteFile
from toolkit.network.fetch import Fetched, Fetcher, OtherFileError
from toolkit.network.index_options import file_name
from toolkit.project import declared
from toolkit.project.vendor_txt import ArchiveRule
from toolkit.vendored import archive, sdist

#: `name-1.2.tar.gz` as sdists are called, `name_1.2~beta1.tar.xz` as Debian's sources are.
_NAMED = re.compile(r"(?P<name>[A-Za-z][\w.-]*?)[-_]v?(?P<version>\d[\w.+~!-]*)$")


def fetch(rules: Iterable[ArchiveRule], fetcher: Fetcher, locked: Iterable[Distribution]) -> dict[Pin, tuple[str, ...]]:
    """Fetch the archives of vendor.txt and return them as pins, with the requirements that each certainly has.

    What is `locked` of the same URL must not have changed.
    """
    held = {file.url: (item, file.sha256) for item in locked for file in item.files if item.kind == "archive"}
    futures = []
    for rule in {rule.url: rule for rule in rules}.values():
        holder, sha256 = held.get(rule.url, (None, "")) if not rule.sha256 else (None, rule.sha256)
        file = VendoredFile(name=file_name(rule.url), size=0, sha256=sha256, url=rule.url)
        futures.append((rule, holder, fetcher.submit(file)))
    return dict(_pin(rule, _result(future, holder)) for rule, holder, future in futures)


def _result(future: Future[Fetched], holder: Distribution | None) -> Fetched:
    """Return what has arrived; an archive that a lock `holder` has otherwise is accepted by its name alone."""
    try:
        return future.result()
    except OtherFileError as error:
        accept = f"; `make vendor UPGRADE={holder.name}` then takes what is there now" if holder else ""
        raise UserError(error.what, f"{error.hint}{accept}") from None


def _pin(rule: ArchiveRule, fetched: Fetched) -> tuple[Pin, tuple[str, ...]]:
    file = fetched.path.name
    metadata = sdist.read(fetched.path, file).metadata
    name, version = (metadata.name, metadata.version) if metadata.name else _identity(fetched.path)
    if not name:
        raise UserError(
            f"{rule.origin}: {file} does not say which distribution it is",
            "it has no PKG-INFO, its setup.py computes its name, and the file is not called name-version.tar.gz",
        )
    remote = RemoteFile(name=file, url=rule.url, size=fetched.size, sha256=fetched.sha256)
    pin = Pin(name=normalize(name), version=_valid(version), archive=remote)
    return pin, metadata.requires if metadata.requires_certain else ()


def _identity(path: Path) -> tuple[str, str]:
    """Return the name and version from the files that declare them, else from the archive's name."""
    with tempfile.TemporaryDirectory() as directory:
        for name, content in archive.read_members(path, sdist.BUILD_FILES).items():
            (Path(directory) / name).write_bytes(content)
        found = declared.read(Path(directory))
    named = _NAMED.match(archive_names.split(path.name)[0])
    name, version = (named["name"], named["version"]) if named else ("", "")
    return found.name or name, found.version or version


def _valid(version: str) -> str:
    """Return a version as PEP 440 has it: `1.1.0~beta1build1` is cut to what can be compared, `1.1.0`."""
    try:
        return str(Version(version))
    except InvalidVersion:
        numbers = re.match(r"\d+(\.\d+)*", version)
        return numbers[0] if numbers else "0"
