"""Pages of indexes, kept between runs for as long as HTTP allows, as the files they list.

https://www.rfc-editor.org/rfc/rfc9111
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from toolkit.core import documents, files
from toolkit.model.pins import RemoteFile

#: A page kept by another form of this cache is asked for again.
_FORM = 1
#: Seconds after which an index is asked, whatever it said: it may have been an attacker's for a day, and is mended now.
_LONGEST = 3600


@dataclass(frozen=True, kw_only=True)
class KeptPage:
    """The files of a page, the `etag` that it had, and whether it is `fresh`: the index need not be asked."""

    files: tuple[RemoteFile, ...]
    etag: str
    fresh: bool


@dataclass(frozen=True)
class PageCache:
    """Pages by their URL and the form in which they were asked for, below `root`."""

    root: Path

    def find(self, url: str) -> KeptPage | None:
        """Return what is kept of a page; None where that is nothing, or damaged."""
        try:
            data = documents.json_value(self._path(url).read_bytes())
            if data["form"] != _FORM or data["url"] != url:
                return None
            kept = tuple(_file_from(entry) for entry in data["files"])
            # A clock that was set back makes nothing fresh for ever.
            fresh = 0 <= time.time() - data["since"] < data["seconds"]
            return KeptPage(files=kept, etag=str(data["etag"]), fresh=fresh)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def keep(self, url: str, headers: Mapping[str, str], found: Sequence[RemoteFile]) -> None:
        """Keep a page as its headers allow; what was kept of it before is gone then."""
        path, rule, etag = self._path(url), headers.get("Cache-Control", "").lower(), headers.get("ETag", "")
        seconds = _seconds(rule, headers.get("Age", ""))
        if "no-store" in rule or not (etag or seconds):
            path.unlink(missing_ok=True)
            return
        entries = [{key: value for key, value in vars(file).items() if value} for file in found]
        data = {"form": _FORM, "url": url, "etag": etag, "since": time.time(), "seconds": seconds, "files": entries}
        path.parent.mkdir(parents=True, exist_ok=True)
        # Which distributions a private index has is nobody else's business.
        files.write_atomic(path, json.dumps(data), 0o600)

    def _path(self, url: str) -> Path:
        digest = hashlib.sha256(url.encode()).hexdigest()
        return self.root / digest[:2] / f"{digest}.json"


def _file_from(entry: Mapping[str, object]) -> RemoteFile:
    """Return a file as it was kept. Raises `TypeError` for what never was."""
    for name, value in entry.items():
        if type(value) is not {"size": int, "yanked": bool, "gone": bool}.get(name, str):
            raise TypeError(name)
    return RemoteFile(**cast("dict[str, Any]", entry))


def _seconds(rule: str, age: str) -> int:
    """Return for how long an answer with this Cache-Control and Age need not be asked for again."""
    limit = re.search(r"max-age=(\d{1,9})", rule)
    if not limit or "no-cache" in rule:
        return 0
    return max(min(int(limit[1]), _LONGEST) - (int(age) if age.isdecimal() and len(age) < 10 else 0), 0)
