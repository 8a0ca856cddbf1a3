"""The files that the indexes have of a distribution: PEP 691 (JSON), PEP 503 (HTML), and find-links.

https://packaging.python.org/en/latest/specifications/simple-repository-api/
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import requests
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from toolkit.core import files, threads
from toolkit.core.errors import UserError
from toolkit.model import archive_names
from toolkit.model.names import normalize
from toolkit.model.pins import RemoteFile
from toolkit.network import http, retry
from toolkit.network.index_options import file_name, shown, without_credentials
from toolkit.network.index_settings import Indexes

_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
_JSON = "application/vnd.pypi.simple.v1+json"
_CONNECTIONS = 8


class Index:
    """All configured indexes as one, which keeps the answers."""

    def __init__(self, indexes: Indexes) -> None:
        self._indexes = indexes
        self._session = http.create(indexes, _CONNECTIONS)
        self._known: dict[str, tuple[RemoteFile, ...]] = {}

    def files(self, name: str) -> tuple[RemoteFile, ...]:
        """Return every file of a distribution, each name once: an earlier index comes first. Raises `UserError`."""
        name = normalize(name)
        if name not in self._known:
            pages = [
                [replace(file, index=shown(url)) for file in self._page(f"{url}/{name}/")] for url in self._indexes.urls
            ]
            pages += [self._links(location, name) for location in self._indexes.find_links]
            found = {file.name: file for page in reversed(pages) for file in page}
            self._known[name] = tuple(found.values())
        return self._known[name]

    def all_files(self, names: Iterable[str]) -> dict[str, tuple[RemoteFile, ...]]:
        """Return the files of many distributions, requested side by side."""
        distinct = sorted({normalize(name) for name in names})
        return dict(zip(distinct, threads.ask_each(self.files, distinct, _CONNECTIONS), strict=True))

    def release(self, name: str, version: str) -> tuple[RemoteFile | None, tuple[RemoteFile, ...]]:
        """Return the sdist, if there is one, and the wheels of one version."""
        chosen = [file for file in self.files(name) if version_of(file.name, name) == Version(version)]
        sdists = sorted((file for file in chosen if not file.name.endswith(".whl")), key=_preference)
        return next(iter(sdists), None), tuple(file for file in chosen if file.name.endswith(".whl"))

    def _page(self, url: str) -> list[RemoteFile]:
        # Credentials go into a header, so that no error message holds them.
        plain = without_credentials(url)
        headers = {"Accept": _ACCEPT}
        return retry.get(self._session, plain, _read, timeout=self._indexes.timeout, headers=headers, absent=[])

    def _links(self, location: str, name: str) -> list[RemoteFile]:
        """Return the files of a distribution in a directory, or on a page, of find-links."""
        directory = Path(unquote(urlsplit(location).path) if location.startswith("file:") else location)
        if "://" in location and not location.startswith("file:"):
            found = self._page(location)
        elif directory.is_dir():
            found = [_local(directory / entry) for entry in sorted(os.listdir(directory)) if _is_of(entry, name)]
        else:
            found = self._page(directory.as_uri()) if directory.exists() else []
        return [file for file in found if _is_of(file.name, name)]


def _read(answer: requests.Response) -> list[RemoteFile]:
    """Return the files of one answer, by its content type."""
    try:
        if answer.headers.get("Content-Type", "").partition(";")[0].strip() == _JSON:
            return [_from_json(entry, answer.url) for entry in answer.json()["files"]]
        text = answer.content.decode("utf-8")
        if "<" not in text or "\0" in text:
            raise ValueError("not HTML")
        page = _Page(answer.url)
        page.feed(text)
        return page.files
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(
            f"{shown(answer.url)} answers with something that is not an index",
            "see that INDEX_URL= (or pip's index-url) names a package index, ending in /simple for most",
        ) from None


def version_of(filename: str, name: str) -> Version | None:
    """Return the version in the name of an sdist or wheel; None when it is neither, or of another distribution.

    Sdists from before PEP 625 may have dashes in their name or version, or be another kind of archive.
    """
    if filename.endswith(".whl"):
        with suppress(InvalidWheelFilename, InvalidVersion):
            found, version, *_ = parse_wheel_filename(filename)
            return version if found == normalize(name) else None
    stem, ending = archive_names.split(filename)
    for dash in re.finditer("-", stem if ending else ""):
        if normalize(stem[: dash.start()]) == normalize(name):
            with suppress(InvalidVersion):
                return Version(stem[dash.end() :])
    return None


def _is_of(filename: str, name: str) -> bool:
    return version_of(filename, name) is not None


def _preference(file: RemoteFile) -> int:
    return archive_names.ENDINGS.index(archive_names.split(file.name)[1])


def _local(path: Path) -> RemoteFile:
    return RemoteFile(name=path.name, url=path.as_uri(), size=path.stat().st_size, sha256=files.sha256(path))


def _from_json(entry: dict[str, Any], base: str) -> RemoteFile:
    return RemoteFile(
        name=entry["filename"],
        url=without_credentials(urljoin(base, entry["url"])).partition("#")[0],
        size=entry.get("size"),
        sha256=entry["hashes"].get("sha256", ""),
        upload_time=entry.get("upload-time") or "",
        requires_python=entry.get("requires-python") or "",
        yanked=bool(entry.get("yanked")) or entry.get("yanked") == "",
    )


class _Page(HTMLParser):
    """The links of a PEP 503 page."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base
        self.files: list[RemoteFile] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "base" and values.get("href"):
            self._base = urljoin(self._base, values["href"] or "")
        if tag != "a" or not values.get("href"):
            return
        url, fragment = urldefrag(urljoin(self._base, values["href"] or ""))
        name = file_name(url)
        if name.endswith((".whl", *archive_names.ENDINGS)):
            self.files.append(
                RemoteFile(
                    name=name,
                    url=without_credentials(url),
                    sha256=fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else "",
                    requires_python=values.get("data-requires-python") or "",
                    yanked="data-yanked" in values,
                )
            )
