"""The files that the indexes have of a distribution: PEP 691 (JSON), PEP 503 (HTML), and find-links.

https://packaging.python.org/en/latest/specifications/simple-repository-api/
"""

from __future__ import annotations

import os
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time
from functools import cache
from html.parser import HTMLParser
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import requests
from packaging.version import Version

from toolkit.core import documents, files, threads
from toolkit.core.errors import UserError
from toolkit.core.files import cache_root
from toolkit.core.foreign_text import one_line
from toolkit.core.secrets import without_credentials
from toolkit.model import archive_names
from toolkit.model.names import normalize
from toolkit.model.pins import RemoteFile, is_sha256
from toolkit.network import http, retry
from toolkit.network.index_options import FIRST_INDEX, file_name, shown
from toolkit.network.index_settings import Indexes
from toolkit.network.page_cache import PageCache

_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
_JSON = "application/vnd.pypi.simple.v1+json"
#: What is read as a page of links; some servers say nothing.
_HTML = frozenset({"application/vnd.pypi.simple.v1+html", "text/html", ""})
_CONNECTIONS = 16
#: The largest page of PyPI has some 30 MB, and JSON may take forty times its size.
_LIMIT = 64 << 20
#: What hashlib always has, and an index may use in the place of a sha256; the better one first.
_OTHER_HASHES = ("sha512", "sha384", "blake2b", "sha224", "sha1", "md5")
#: As file systems have it; packaging takes time that grows faster than the text.
_LONGEST_NAME = 255
#: name-version(-build)-python-abi-platform.whl, of which no part has a slash.
_NO_NAME = re.compile(r"[ /\\]")
_WHEEL = re.compile(r"([^-/]+)-([^-/]+)(?:-\d[^-/]*)?-[^-/]+-[^-/]+-[^-/]+\.whl")
_PLAIN_ADDRESS = re.compile(r"https?://[a-z0-9.-]+/")
Missing = Callable[[str, Sequence[RemoteFile]], Iterable[RemoteFile]]
#: What stands on pages that ask somebody to log in, and on none of an index.
_FOR_PEOPLE = frozenset({"form", "input", "button", "script", "iframe"})


def nothing_missing(name: str, listed: Sequence[RemoteFile]) -> Iterable[RemoteFile]:
    """Return no files: those that indexes list are all that count."""
    return ()


class Index:
    """All configured indexes as one, which keeps the answers. It may be asked by many threads.

    By the strategy `first-index` a distribution is that of the first index that has any file of it; by `best-match`
    that of all of them, an earlier index first. With `refresh`, each index is asked even where it said lately that its
    answer need not be asked for again. `missing` yields files of a distribution that count beside those listed,
    which it gets.
    """

    def __init__(self, indexes: Indexes, *, refresh: bool = False, missing: Missing = nothing_missing) -> None:
        self._indexes = indexes
        self._refresh = refresh
        self._missing = missing
        self._session = http.create(indexes, _CONNECTIONS)
        self._pages = PageCache(cache_root() / "pages")
        self._known: dict[str, dict[Version, tuple[RemoteFile, ...]]] = {}
        self._files: dict[str, tuple[RemoteFile, ...]] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._was_unasked = False

    @property
    def indexes(self) -> Indexes:
        """Return the indexes that are asked."""
        return self._indexes

    def files(self, name: str) -> tuple[RemoteFile, ...]:
        """Return every file of a distribution, each name once: an earlier index comes first. Raises `UserError`."""
        name = normalize(name)
        with self._locks[name]:
            if name not in self._files:
                found = {file.name: file for file in reversed([*self._of_indexes(name), *self._of_links(name)])}
                listed = tuple(reversed(found.values()))
                self._files[name] = (*listed, *self._missing(name, listed))
            return self._files[name]

    def all_files(self, names: Iterable[str]) -> dict[str, tuple[RemoteFile, ...]]:
        """Return the files of many distributions, requested side by side."""
        distinct = sorted({normalize(name) for name in names})
        return dict(zip(distinct, threads.ask_each(self.files, distinct, _CONNECTIONS), strict=True))

    def releases(self, name: str) -> Mapping[Version, tuple[RemoteFile, ...]]:
        """Return the sdists and wheels of a distribution by their version. Raises `UserError`."""
        name = normalize(name)
        if name not in self._known:
            found: dict[Version, list[RemoteFile]] = {}
            for file in self.files(name):
                if version := version_of(file.name, name):
                    found.setdefault(version, []).append(file)
            self._known[name] = {version: tuple(chosen) for version, chosen in found.items()}
        return self._known[name]

    def content(self, file: RemoteFile, suffix: str, limit: int) -> bytes:
        """Return what stands beside a file, at its URL with a suffix: at most so many bytes. Raises `UserError`."""
        url = f"{file.url}{suffix}"

        def read(answer: requests.Response) -> bytes:
            return retry.content(answer, limit)

        return retry.get(self._session, url, read, timeout=self._indexes.timeout)

    def refresh(self) -> bool:
        """Ask the indexes from now on; returns whether any answer so far was one of an earlier run."""
        stale, self._was_unasked = self._was_unasked, False
        self._refresh = True
        if stale:
            self._known.clear()
            self._files.clear()
        return stale

    def _of_indexes(self, name: str) -> Iterator[RemoteFile]:
        for url in self._indexes.urls:
            page = self._page(f"{url}/{name}/", shown(url))
            # A page may have nothing but files of another name.
            if any(version_of(file.name, name) for file in page):
                yield from page
                if self._indexes.strategy == FIRST_INDEX:
                    return

    def _page(self, url: str, index: str = "") -> Sequence[RemoteFile]:
        # Credentials go into a header, so that no error message holds them.
        plain = without_credentials(url)
        kept = self._pages.find(plain) if url.startswith("http") else None
        if kept and kept.fresh and not self._refresh:
            self._was_unasked = True
            return kept.files
        headers = {"Accept": _ACCEPT, **({"If-None-Match": kept.etag} if kept and kept.etag else {})}

        def read(answer: requests.Response) -> Sequence[RemoteFile]:
            is_kept = kept and answer.status_code == HTTPStatus.NOT_MODIFIED
            found = kept.files if kept and is_kept else _read(answer, index, self._indexes)
            if url.startswith("http"):
                self._pages.keep(plain, answer.headers, found)
            return found

        accepted = (HTTPStatus.OK, *((HTTPStatus.NOT_MODIFIED,) if kept else ()))
        return retry.get(
            self._session, plain, read, timeout=self._indexes.timeout, headers=headers, absent=(), accepted=accepted
        )

    def _of_links(self, name: str) -> Iterator[RemoteFile]:
        """Yield the files of a distribution in the directories, and on the pages, of find-links."""
        for location in self._indexes.find_links:
            directory = Path(unquote(urlsplit(location).path) if location.startswith("file:") else location)
            if "://" in location and not location.startswith("file:"):
                found = self._page(location)
            elif directory.is_dir():
                found = [_local(directory / entry) for entry in sorted(os.listdir(directory)) if _is_of(entry, name)]
            else:
                found = self._page(directory.as_uri()) if directory.exists() else ()
            yield from (file for file in found if _is_of(file.name, name))


def by_kind(found: Iterable[RemoteFile]) -> tuple[RemoteFile | None, tuple[RemoteFile, ...]]:
    """Return the sdist, if there is one, and the wheels among the files of one version."""
    listed = list(found)
    sdists = sorted((file for file in listed if not file.name.endswith(".whl")), key=_preference)
    return next(iter(sdists), None), tuple(file for file in listed if file.name.endswith(".whl"))


def cutoff(exclude_newer: str) -> datetime | None:
    """Return the moment after which nothing counts, or None when everything does."""
    if not exclude_newer:
        return None
    moment = datetime.fromisoformat(exclude_newer)
    # A date counts to its end, as uv has it.
    return moment if moment.tzinfo else datetime.combine(moment, time.max, UTC)


def is_before(file: RemoteFile, limit: datetime | None) -> bool:
    """Tell whether a file is old enough; one whose age the index does not give is not."""
    if limit is None:
        return True
    try:
        uploaded = datetime.fromisoformat(file.upload_time)
    except ValueError:
        return False
    return (uploaded if uploaded.tzinfo else uploaded.replace(tzinfo=UTC)) <= limit


def _read(answer: requests.Response, index: str, indexes: Indexes) -> list[RemoteFile]:
    """Return the files of one answer of an index, by its content type."""
    content, url = retry.content(answer, _LIMIT), answer.url
    try:
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind == _JSON:
            page = documents.json_value(content, _LIMIT)
            version = _text(page.get("meta", {}).get("api-version"))
            found = [_from_json(entry, url, index) for entry in page["files"]]
        else:
            text = content.decode("utf-8")
            if kind not in _HTML or "<" not in text or "\0" in text:
                raise ValueError("not HTML")
            links = _Page(url, index)
            links.feed(text)
            if not links.files and links.is_for_people:
                raise ValueError("for people")
            version, found = links.version, links.files
        for file in found:
            _check_facts(file)
    except (ValueError, KeyError, TypeError, AttributeError, AssertionError, RecursionError):
        raise UserError(
            f"{shown(url)} answers with something that is not an index",
            "see that INDEX_URL= (or pip's index-url) names a package index, ending in /simple for most",
        ) from None
    _check_version(version, url)
    if url.startswith("http"):
        _check_files(found, url, indexes)
    return found


def _check_facts(file: RemoteFile) -> None:
    """Raise `ValueError` for what is no address, hash or size: a lock has them of files that nobody fetches, too."""
    if (
        not _is_address(file.url)
        or (file.sha256 and not is_sha256(file.sha256))
        or (file.size or 0) > documents.LARGEST
    ):
        raise ValueError(file.name)


def _is_address(url: str) -> bool:
    """Tell whether a URL is on one line, with a port that can be, if it has one. Raises `ValueError` as well."""
    # Nearly all: thousands of files on a page have no port.
    return url.isprintable() and (bool(_PLAIN_ADDRESS.match(url)) or urlsplit(url).port != 0)


def _check_version(version: str, page: str) -> None:
    """Raise `UserError` for a page of another major version of the interface, which may mean anything (PEP 629)."""
    if version and version.partition(".")[0] != "1":
        raise UserError(
            f"{shown(page)} is of version {one_line(version)} of the interface of indexes, and this toolkit knows "
            "version 1 alone",
            "a newer toolkit may know it, or the index may have a page of version 1",
        )


def _check_files(found: Iterable[RemoteFile], page: str, indexes: Indexes) -> None:
    """Raise `UserError` for the files of a page of the network that no honest index gives."""
    known: dict[str, str] = {}
    for file in found:
        is_away = not file.url.startswith(("http://", "https://"))
        if is_away or (page.startswith("https://") and not indexes.protects(file.url)):
            what = f"it gives {shown(file.url)} as the address of a file"
        elif file.sha256 and known.setdefault(file.name, file.sha256) != file.sha256:
            what = f"it gives two different files the name {one_line(file.name)}"
        else:
            continue
        raise UserError(
            f"{shown(page)} looks like an attack: {what}", "do not use this index before its keepers have looked at it"
        )


def version_of(filename: str, name: str) -> Version | None:
    """Return the version in the name of an sdist or wheel; None when it is neither, or of another distribution.

    Sdists from before PEP 625 may have dashes in their name or version, or be another kind of archive.
    """
    if len(filename) > _LONGEST_NAME or not filename.isascii() or not filename.isprintable():
        # Some other letters have one of ASCII in lower case: the sign of Kelvin is a k then.
        return None
    if _NO_NAME.search(filename):
        # A version may have white space around it, and so, as packaging reads it, a file name line feeds.
        return None
    name = _normal(name)
    if filename.endswith(".whl"):
        found = _WHEEL.fullmatch(filename)
        return _version(found[2]) if found and _normal(found[1]) == name else None
    stem, ending = archive_names.split(filename)
    if not ending:
        return None
    for dash in re.finditer("-", stem):
        if _normal(stem[: dash.start()]) == name and (version := _version(stem[dash.end() :])):
            return version
    return None


def is_of_release(filename: str, name: str, version: str) -> bool:
    """Tell whether a file is named as an sdist or wheel of a release; none is of a version that is no PEP 440."""
    return (expected := _version(version)) is not None and version_of(filename, name) == expected


# An index has thousands of files of some distributions, and few versions.
@cache
def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except ValueError:
        # An `InvalidVersion`, or a number of thousands of digits.
        return None


@cache
def _normal(name: str) -> str:
    return normalize(name)


def _is_of(filename: str, name: str) -> bool:
    return version_of(filename, name) is not None


def _preference(file: RemoteFile) -> int:
    return archive_names.ENDINGS.index(archive_names.split(file.name)[1])


def _local(path: Path) -> RemoteFile:
    return RemoteFile(name=path.name, url=path.as_uri(), size=path.stat().st_size, sha256=files.sha256(path))


def _from_json(entry: Mapping[str, Any], base: str, index: str) -> RemoteFile:
    """Return a file of a page (PEP 691, PEP 700, PEP 714). Raises `TypeError` for what is of another type."""
    hashes, size = entry.get("hashes") or {}, entry.get("size")
    url, yanked = _text(entry["url"]), entry.get("yanked")
    described = entry.get("core-metadata", entry.get("dist-info-metadata"))
    if size is not None and (type(size) is not int or size < 0):
        raise TypeError(size)
    return RemoteFile(
        name=_text(entry["filename"]),
        url=_absolute(url, base),
        size=size,
        sha256=_text(hashes.get("sha256")).lower(),
        other_hash=other_hash({name: _text(value) for name, value in hashes.items()}),
        upload_time=_text(entry.get("upload-time")),
        requires_python=_text(entry.get("requires-python")),
        yanked=bool(yanked) or yanked == "",
        yanked_reason=yanked if isinstance(yanked, str) else "",
        index=index,
        core_metadata=_text(described.get("sha256")).lower() if isinstance(described, dict) else "",
    )


def _text(value: object) -> str:
    if value is not None and not isinstance(value, str):
        raise TypeError(value)
    return value or ""


def _absolute(url: str, base: str) -> str:
    """Return the URL of a file, without credentials and fragment."""
    if not url.startswith(("https://", "http://")):
        url = urljoin(base, url)
    return (without_credentials(url) if "@" in url else url).partition("#")[0]


class _Page(HTMLParser):
    """The links of a PEP 503 page."""

    def __init__(self, base: str, index: str) -> None:
        super().__init__()
        self._base, self._index = base, index
        self.files: list[RemoteFile] = []
        self.version = ""
        self.is_for_people = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.is_for_people |= tag in _FOR_PEOPLE
        if tag == "meta" and values.get("name") == "pypi:repository-version":
            self.version = values.get("content") or ""
        if tag == "base" and values.get("href"):
            self._base = urljoin(self._base, values["href"] or "")
        if tag != "a" or not values.get("href"):
            return
        url, fragment = urldefrag(urljoin(self._base, values["href"] or ""))
        name = file_name(url)
        if name.endswith((".whl", *archive_names.ENDINGS)):
            described = values.get("data-core-metadata") or values.get("data-dist-info-metadata") or ""
            self.files.append(
                RemoteFile(
                    name=name,
                    url=without_credentials(url),
                    sha256=_sha256(fragment),
                    other_hash=other_hash(dict([fragment.partition("=")[::2]])),
                    requires_python=values.get("data-requires-python") or "",
                    yanked="data-yanked" in values,
                    yanked_reason=values.get("data-yanked") or "",
                    index=self._index,
                    core_metadata=_sha256(described),
                )
            )


def other_hash(hashes: Mapping[str, str]) -> str:
    """Return the hash of a file by another function than sha256, where it has none of that (PEP 503)."""
    found = next((name for name in _OTHER_HASHES if hashes.get(name)), "") if not hashes.get("sha256") else ""
    return f"{found}={hashes[found].lower()}" if found else ""


def _sha256(text: str) -> str:
    return text.removeprefix("sha256=").lower() if text.startswith("sha256=") else ""
