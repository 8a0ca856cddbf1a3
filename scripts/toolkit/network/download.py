"""One URL to one file."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path

import requests
from urllib3.exceptions import IncompleteRead

from toolkit.network import retry

_CHUNK = 1 << 18
#: The archive as it is: some servers would send a .tar.gz as "gzip-encoded", which requests then undoes.
_HEADERS = {"Accept-Encoding": "identity"}


def download(
    session: requests.Session,
    url: str,
    target: Path,
    *,
    size: int,
    timeout: float,
    stop: threading.Event,
    arrived: Callable[[int], None],
) -> tuple[int, str]:
    """Write what a URL holds to `target`; return its size in bytes and its sha256.

    `size` is what is expected (0: unknown); reading ends soon after it, so a longer file comes back cut short.
    `arrived` is called with the size of each piece. Raises `UserError`, and `CancelledError` once `stop` is set.
    """

    def save(response: requests.Response) -> tuple[int, str]:
        digest = hashlib.sha256()
        count = 0
        with target.open("wb") as output:
            for chunk in response.raw.stream(_CHUNK, decode_content=False):
                if stop.is_set():
                    raise CancelledError
                output.write(chunk)
                digest.update(chunk)
                count += len(chunk)
                arrived(len(chunk))
                if 0 < size < count:
                    break
        # With a length in the header, urllib3 itself has seen to it that all of it came.
        if count < size and "Content-Length" not in response.headers:
            raise IncompleteRead(count, size - count)
        return count, digest.hexdigest()

    return retry.get(session, url, save, timeout=timeout, headers=_HEADERS)
