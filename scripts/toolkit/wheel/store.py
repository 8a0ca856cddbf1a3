"""The wheel store: wheels built from vendored sdists, found again by all that went into them."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from toolkit.core import console, documents, files
from toolkit.core.documents import Table

_FILE = re.compile(r"[^/]+\.whl")


@dataclass(frozen=True, kw_only=True)
class Lacking:
    """What a wheel lacks that did not compile, and what to do, if that is known.

    `state` is what of the system that depended on.
    """

    text: str
    hint: str
    state: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Built:
    """What is kept of how a wheel was built: what it lacks, and by header of this system what there was of it."""

    lacking: Lacking | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Store:
    """A directory of entries, one per key (64 hexadecimal digits), each with one wheel and its sha256.

    An entry becomes visible when its `entry.json` does, so a killed build leaves nothing that looks finished.
    """

    root: Path

    def get(self, key: str) -> Path | None:
        """Return the wheel of an entry; None when there is none, or it is damaged or not ours (then it is removed)."""
        directory = self._directory(key)
        try:
            if not all(map(is_ours, (directory, *directory.iterdir()))):
                raise ValueError(directory)
            entry = Table(documents.json_value((directory / "entry.json").read_bytes()))
            wheel = directory / entry.text("wheel", form=_FILE)
            if files.sha256(wheel) == entry.text("sha256"):
                os.utime(directory)
                return wheel
        except FileNotFoundError:
            return None
        except (ValueError, IsADirectoryError):
            pass
        console.warn(f"{directory}: a damaged entry of the wheel store, or not yours; it is built again")
        files.remove(directory / "entry.json")
        return None

    def built(self, key: str) -> Built:
        """Return how the wheel of an entry, which there is, was built."""
        try:
            entry = Table(documents.json_value((self._directory(key) / "entry.json").read_bytes()))
            lacking = None
            if "lacking" in entry.content:
                found = entry.table("lacking")
                lacking = Lacking(text=found.text("text"), hint=found.text("hint"), state=_texts(found, "state"))
            return Built(lacking=lacking, headers=_texts(entry, "headers") if "headers" in entry.content else {})
        except (OSError, ValueError):
            return Built()

    def put(self, key: str, wheel: Path, built: Built) -> Path:
        """Copy a wheel into the store and return its path there. Call it inside `reserved(key)`."""
        directory = self._directory(key)
        for old in directory.iterdir():
            files.remove(old)
        target, staged = directory / wheel.name, directory / f"{wheel.name}.new"
        shutil.copyfile(wheel, staged)
        staged.replace(target)
        how = {name: value for name, value in asdict(built).items() if value}
        entry = {"wheel": wheel.name, "sha256": files.sha256(target), **how}
        files.write_atomic(directory / "entry.json", json.dumps(entry))
        return target

    @contextmanager
    def reserved(self, key: str, stop: threading.Event | None = None) -> Iterator[None]:
        """Keep other processes from building the same entry; they wait, until `stop` is set, and then find it."""
        with files.exclusive(self._directory(key), "build", stop):
            yield

    def _directory(self, key: str) -> Path:
        return self.root / "wheels" / key[:2] / key


def _texts(table: Table, name: str) -> dict[str, str]:
    found = table.table(name)
    return {key: found.text(key) for key in found.content}


def is_ours(path: Path) -> bool:
    """Tell whether nobody but this user has made, or could have changed, a file or a directory; it is no link.

    The toolkit writes to its store from outside the sandbox, so no build can.
    """
    status = path.lstat()
    return status.st_uid == os.geteuid() and not status.st_mode & 0o002 and not stat.S_ISLNK(status.st_mode)
