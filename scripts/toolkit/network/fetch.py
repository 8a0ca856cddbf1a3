"""Files from the index to the cache: many at a time, each checked before anyone sees it.

The cache holds `<sha256>/<name>`. No file gets this path that does not have the hash, and each is hashed again before
it is used.
"""

from __future__ import annotations

import hashlib
import os
import queue
import re
import threading
import time
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future, wait
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType

import requests
from urllib3.exceptions import IncompleteRead

from toolkit.core import console, directories, files, progress
from toolkit.core.errors import FinalError, UserError
from toolkit.core.foreign_text import one_line
from toolkit.core.system_errors import naming
from toolkit.model.lock import VendoredFile
from toolkit.model.pins import is_sha256
from toolkit.network import http, retry
from toolkit.network.index_options import shown
from toolkit.network.index_settings import Indexes

#: Bytes; no file of PyPI comes near it.
_LARGEST = 8 << 30
#: Below any directory, and seen; its length is that of file systems.
_NAME = re.compile(r"[^./\\][^/\\]*\Z")
_LONGEST_NAME = 255
#: The archive as it is: some servers would send a .tar.gz as "gzip-encoded", which requests then undoes.
_HEADERS = {"Accept-Encoding": "identity"}
#: Seconds that an interrupted run waits for its connections to notice.
_PATIENCE = 0.5


class OtherFileError(FinalError):
    """What came is not the file that an index, a lock or vendor.txt promised."""


@dataclass(frozen=True)
class Fetched:
    """A file in the cache, with its true size in bytes and sha256 (hexadecimal)."""

    path: Path
    size: int
    sha256: str


_Order = tuple[VendoredFile, Mapping[str, str], Future[Fetched]]


class Fetcher:
    """Fetches in the background while the caller finds out which other files there are.

    A context manager: leaving it waits for what was submitted, leaving it by an exception (Ctrl-C) drops that.
    """

    def __init__(self, indexes: Indexes, *, cache: Path | None = None, connections: int = 16) -> None:
        self._session, self._timeout = http.create(indexes, connections), indexes.timeout
        self._connections = connections
        self._cache = cache or files.cache_root() / "files"
        self._queue: queue.SimpleQueue[_Order | None] = queue.SimpleQueue()
        self._futures: dict[VendoredFile, Future[Fetched]] = {}
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()
        self._cleanup = ExitStack()

    def __enter__(self) -> Fetcher:
        self._partial = self._cleanup.enter_context(directories.temporary(self._cache, ".partial-"))
        self._bar = self._cleanup.enter_context(progress.counting("FETCH"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._cleanup:
            if kind:
                self._stop.set()
            for _ in self._threads:
                self._queue.put(None)
            end = time.monotonic() + _PATIENCE if kind else None
            try:
                for thread in self._threads:
                    thread.join(None if end is None else max(end - time.monotonic(), 0))
            finally:
                self._stop.set()

    def submit(self, file: VendoredFile, headers: Mapping[str, str] = MappingProxyType({})) -> Future[Fetched]:
        """Begin to fetch a file; one that was submitted before is not fetched again. The future raises `UserError`.

        `headers` are those that its server wants.
        """
        if file not in self._futures:
            _check_names(file)
            future = self._futures[file] = Future()
            if not self._path(file).is_file():
                self._bar.expect(1)
            self._queue.put((file, headers, future))
            if len(self._threads) < self._connections:
                # Not an Executor, whose threads a program waits for when it ends: Ctrl-C would hang on a dead server.
                thread = threading.Thread(target=self._work, name=f"fetch-{len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()
        return self._futures[file]

    def result(self, future: Future[Fetched]) -> Fetched:
        """Return what a future holds; raises `CancelledError` once `stop` has been called, `UserError`."""
        while not wait([future], timeout=0.1).done:
            if self._stop.is_set():
                raise CancelledError
        return future.result()

    def stop(self) -> None:
        """Let all who wait for a file, and the fetching itself, end soon."""
        self._stop.set()

    def _work(self) -> None:
        while item := self._queue.get():
            file, headers, future = item
            if self._stop.is_set() or not future.set_running_or_notify_cancel():
                future.cancel()
                continue
            try:
                future.set_result(self._cached(file) or self._fetched(file, headers))
            except Exception as error:
                future.set_exception(error)

    def _path(self, file: VendoredFile) -> Path:
        return self._cache / file.sha256 / file.name

    def _cached(self, file: VendoredFile) -> Fetched | None:
        path = self._path(file)
        if not file.sha256 or not path.is_file():
            return None
        found = Fetched(path, path.stat().st_size, files.sha256(path))
        if found.sha256 != file.sha256:
            console.warn(f"{path}: damaged in the cache, fetching it again")
            return None
        _check(file, found.size, found.sha256)
        return found

    def _fetched(self, file: VendoredFile, headers: Mapping[str, str]) -> Fetched:
        if not file.url:
            raise UserError(f"{file.name}: it is not in the cache, and has no URL", "run `make vendor`")
        partial = self._partial / f"{threading.get_ident()}"
        size, sha256 = self._download(file, headers, partial)
        _check(file, size, sha256)
        _check_other_hash(file, partial)
        self._bar.advance(file.name)
        if not file.sha256:
            console.warn(f"{file.name}: no sha256 is given for it; from now on it has to be {sha256}")
        path = self._cache / sha256 / file.name
        path.parent.mkdir(exist_ok=True)
        os.replace(partial, path)
        return Fetched(path, size, sha256)

    def _download(self, file: VendoredFile, headers: Mapping[str, str], target: Path) -> tuple[int, str]:
        """Write what a file's URL holds to `target`; return its size in bytes and its sha256.

        Reading ends soon after the expected size, so a longer file comes back cut short; so does one without end.
        """

        def save(response: requests.Response) -> tuple[int, str]:
            digest = hashlib.sha256()
            size = 0
            with naming(target), target.open("wb") as output:
                for chunk in retry.chunks(response, decode=False):
                    if self._stop.is_set():
                        raise CancelledError
                    output.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
                    self._bar.arrived(len(chunk))
                    if _limit(file) < size:
                        break
            # With a length in the header, urllib3 itself has seen to it that all of it came.
            if size < file.size and "Content-Length" not in response.headers:
                raise IncompleteRead(size, file.size - size)
            return size, digest.hexdigest()

        return retry.get(self._session, file.url, save, timeout=self._timeout, headers={**headers, **_HEADERS})


def adopt(file: VendoredFile, source: Path) -> bool:
    """Tell whether a file is in the cache, after a copy of `source`, where that has its hash, has been put there."""
    _check_names(file)
    target = files.cache_root() / "files" / file.sha256 / file.name
    if not file.sha256 or target.is_file():
        return bool(file.sha256)
    if not source.is_file() or source.is_symlink() or files.sha256(source) != file.sha256:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    # A copy, not a link: what is in the cache must not change with what is in the work tree.
    files.copy_atomic(source, target)
    return True


def _check_names(file: VendoredFile) -> None:
    """Refuse names that lead out of the cache: an index may answer anything."""
    if not 0 < len(file.name.encode()) <= _LONGEST_NAME or not file.name.isprintable() or not _NAME.match(file.name):
        raise UserError(f"{shown(file.url)}: {file.name!r} is not the name of a file", "mend the URL or the index")
    if file.sha256 and not is_sha256(file.sha256):
        raise UserError(
            f"{file.name}: {file.sha256!r} is not a sha256", "give 64 hexadecimal digits in lower case, or leave it out"
        )


def _limit(file: VendoredFile) -> int:
    """Return how many bytes a file may have, whatever an index says."""
    return min(file.size or _LARGEST, _LARGEST)


def _check(file: VendoredFile, size: int, sha256: str) -> None:
    """Raise `OtherFileError` unless the size and the sha256 of a file are those that are known of it."""
    if _limit(file) < size:
        # Reading has ended there.
        difference = f"larger than {_limit(file)} bytes"
    elif file.sha256 and sha256 != file.sha256:
        difference = f"it has sha256 {sha256}, not {file.sha256}"
        difference += f", and {size} bytes, not {file.size}" if file.size and file.size != size else ""
    elif file.size and size != file.size:
        difference = f"it has {size} bytes, not {file.size}"
    else:
        return
    raise _other_file(file, difference)


def _check_other_hash(file: VendoredFile, arrived: Path) -> None:
    """Raise `OtherFileError` unless a file has the hash that is known of it by another function than sha256."""
    if file.other_hash:
        function, _, expected = file.other_hash.partition("=")
        with arrived.open("rb") as stream:
            found = hashlib.file_digest(stream, function).hexdigest()
        if found != expected:
            raise _other_file(file, f"it has {function} {found}, not {one_line(expected, 200)}")


def _other_file(file: VendoredFile, difference: str) -> OtherFileError:
    return OtherFileError(
        f"{file.name}: {shown(file.url)} is not the file that was promised (by the index, the lock or vendor.txt): "
        f"{difference}",
        "do not use it, nothing of it was kept: find out who replaced it, at its source or on the way to this machine",
    )
