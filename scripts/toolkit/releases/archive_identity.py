"""An archive at a URL -> which release it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl

from packaging.version import Version

from toolkit.archives import archive
from toolkit.core import console, directories
from toolkit.core.errors import UserError
from toolkit.core.secrets import address
from toolkit.model import archive_names
from toolkit.model.core_metadata import CoreMetadata
from toolkit.model.lock import Distribution, VendoredFile
from toolkit.model.names import normalize
from toolkit.model.pins import Pin, RemoteFile
from toolkit.network import index_pages
from toolkit.network.fetch import Fetched, Fetcher, OtherFileError
from toolkit.network.index_options import file_name
from toolkit.project import declared, vcs_versions
from toolkit.sources import sdist

#: `name-1.2.tar.gz` as sdists are called, `name_1.2~beta1.tar.xz` as Debian's sources are.
_NAMED = re.compile(r"(?P<name>[A-Za-z][\w.-]*?)[-_]v?(?P<version>\d[\w.+~!-]*)$")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def fetch(
    url: str, origin: str, fetcher: Fetcher, held: Mapping[str, Distribution]
) -> Callable[[], tuple[Pin, CoreMetadata]]:
    """Begin to fetch the archive of a direct URL, and return what waits for it: a pin, and the metadata it has.

    `held` are locked archives by URL, whose bytes must not have changed. A URL may end in `#version=1.2`, for what
    takes that from git. Raises `UserError`; it begins with `origin` where the archive does not say what it is.
    """
    plain, _, fragment = url.partition("#")
    hashes = dict(parse_qsl(fragment))
    given = hashes.get("sha256", "").lower()
    holder = None if given else held.get(address(plain))
    sha256 = holder.files[0].sha256 if holder else given
    name, other = file_name(plain), index_pages.other_hash(hashes)
    future = fetcher.submit(VendoredFile(name=name, size=0, sha256=sha256, url=plain, other_hash=other))

    def wait() -> tuple[Pin, CoreMetadata]:
        try:
            return _identify(fetcher.result(future), plain, origin, hashes.get("version", ""))
        except OtherFileError as error:
            what = error.what if holder else f"{origin}: {error.what}"
            accept = f"; `make vendor UPGRADE={holder.name}` then takes what is there now" if holder else ""
            raise UserError(what, f"{error.hint}{accept}") from None

    return wait


def _identify(fetched: Fetched, url: str, origin: str, asked: str) -> tuple[Pin, CoreMetadata]:
    """Return a fetched archive as a pin. Raises `UserError` where nothing says which release it is, or not `asked`."""
    file = fetched.path.name
    with named(fetched.path):
        metadata = sdist.read(fetched.path, file).metadata
        name, version = (metadata.name, metadata.version) if metadata.name else _identity(fetched.path, origin, asked)
    if not name:
        raise UserError(
            f"{origin}: {file} does not say which distribution it is",
            "it has no PKG-INFO, its setup.py computes its name, and the file is not called name-version.tar.gz",
        )
    if asked and valid(asked) != valid(version):
        raise UserError(
            f"{origin}: {file} is {name} {version}, not {asked}", "leave `version=` out, or correct it: that is a fact"
        )
    remote = RemoteFile(name=file, url=address(url), size=fetched.size, sha256=fetched.sha256)
    return Pin(name=normalize(name), version=valid(version), archive=remote), metadata


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Let errors of the block call an archive in the cache by its name: what is wrong with it is so at its source."""
    try:
        yield
    except UserError as error:
        if str(path) not in error.what:
            raise
        what = error.what.replace(str(path), path.name)
        hint = "it came as its source has it, so do not use it: ask for another version, and tell who published it"
        raise UserError(what, hint, error.details) from None


def _identity(path: Path, origin: str, asked: str) -> tuple[str, str]:
    """Return the name and version from the files that declare them, else from the archive's name.

    Where git would tell the version, that of the line counts, or of a tag in the archive's name.
    """
    with directories.scratch("identity-") as directory:
        for name, content in archive.read_members(path, sdist.BUILD_FILES).items():
            (directory / name).write_bytes(content)
        found, tool = declared.read(directory), vcs_versions.tool_of(directory)
    stem = archive_names.split(path.name)[0]
    named = _NAMED.match(stem)
    name, version = (named["name"], named["version"]) if named else ("", "")
    if not named and not _COMMIT.fullmatch(stem):
        version = vcs_versions.of_tag(stem)
    name = found.name or name
    if not tool:
        return name, found.version or asked or version
    if not (asked or version):
        raise UserError(
            f"{origin}: {path.name} takes its version from git ({tool}), which an archive has not",
            "take the archive of a tag, or end the URL in `#version=1.2` (with a hash: `#sha256=...&version=1.2`)",
        )
    if not asked:
        console.note(f"{name} {version}: the version is that of its URL, since {tool} would ask git for it")
    return name, asked or version


def valid(version: str) -> str:
    """Return a version as PEP 440 has it: `1.1.0~beta1build1` is cut to what can be compared, `1.1.0`."""
    try:
        return str(Version(version))
    except ValueError:
        numbers = re.match(r"\d{1,9}(\.\d{1,9})*", version)
        return numbers[0] if numbers else "0"
