"""Wheels unpacked once and shared by all development environments of a machine, by hard links.

A Debian package gets copies, with byte code; here the second environment is to be there at once. Shared files are
read-only, and one that was written to all the same is noticed by its size and time.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import files
from toolkit.model.interpreter import Interpreter
from toolkit.wheel import environment, plain_wheel, record, scripts

#: Part of every key: a change in how wheels are unpacked makes new entries instead of wrong hits.
RECIPE = 2
#: Stands for the environment: the first line of scripts is made when they are linked.
_PLACEHOLDER = Path("/environment")
_FIRST_LINE = f"#!{_PLACEHOLDER}/bin/python\n".encode()


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """One wheel as it looks when installed: its files below `root`, by their names relative to an environment."""

    root: Path
    names: tuple[str, ...]

    @property
    def record(self) -> str:
        """Return the name of the RECORD."""
        return next(name for name in self.names if name.endswith(".dist-info/RECORD"))


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """Unpacks wheels into `store`, `jobs` at once, for one minor version, and finds those unpacked before."""

    store: Path
    interpreter: Interpreter
    jobs: int

    def find(self, identity: str) -> Unpacked | None:
        """Return what was unpacked under this identity; None when that was never done, or it is not as it was."""
        directory = self._directory(identity)
        try:
            listed = json.loads((directory / "files.json").read_bytes())
        except (OSError, ValueError):
            return None
        root = directory / "root"
        if all(_signature(f"{root}/{name}") == signature for name, signature in listed.items()):
            return Unpacked(root=root, names=tuple(listed))
        return None

    def take(self, wheels: Mapping[str, Path]) -> dict[str, Unpacked]:
        """Unpack wheels, by their identities."""
        with ThreadPoolExecutor(self.jobs) as pool:
            return dict(zip(wheels, pool.map(self.take_one, wheels, wheels.values()), strict=True))

    def take_one(self, identity: str, wheel: Path) -> Unpacked:
        """Unpack one wheel, unless that was done before."""
        directory = self._directory(identity)
        found = self.find(identity)
        if found:
            return found
        files.remove_tree(directory)
        with files.temporary_directory(self.store / "unpacked", ".new-") as scratch:
            _unpack(wheel, scratch, self.interpreter)
            directory.parent.mkdir(exist_ok=True)
            try:
                os.rename(scratch, directory)
            except OSError:
                # Another process was first; what it made is the same.
                if not directory.exists():
                    raise
        return self.find(identity) or _vanished(directory)

    def _directory(self, identity: str) -> Path:
        key = hashlib.sha256(f"{RECIPE}\0{identity}\0{self.interpreter.version}".encode()).hexdigest()
        return self.store / "unpacked" / key[:2] / key


def _vanished(directory: Path) -> Unpacked:
    raise FileNotFoundError(2, "disappeared while it was made", str(directory))


def _unpack(wheel: Path, scratch: Path, interpreter: Interpreter) -> None:
    root = scratch / "root"
    if not plain_wheel.unpack(wheel, root, _PLACEHOLDER, interpreter):
        environment.install(wheel, _PLACEHOLDER, interpreter, destdir=scratch)
        os.rename(scratch / _PLACEHOLDER.relative_to("/"), root)
    listed = {}
    for parent, _, names in os.walk(root):
        for path in (os.path.join(parent, name) for name in names):
            os.chmod(path, os.stat(path).st_mode & 0o555)
            listed[os.path.relpath(path, root)] = _signature(path)
    files.write_atomic(scratch / "files.json", json.dumps(listed, sort_keys=True))


def _signature(path: str) -> list[int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def link(unpacked: Unpacked, prefix: Path) -> None:
    """Put a wheel's files into the environment at `prefix`; what stood in their places goes."""
    # Thousands of files: paths are joined as texts, for Path takes longer than the kernel.
    source, target = f"{unpacked.root}/", f"{prefix}/"
    for directory in sorted({name.rpartition("/")[0] for name in unpacked.names}):
        os.makedirs(target + directory, exist_ok=True)
    written = {}
    for name in unpacked.names:
        content = _script(source + name) if name.startswith("bin/") else b""
        if content:
            written[name] = scripts.first_line(prefix / "bin" / "python") + content
            files.write_atomic(prefix / name, written[name])
            (prefix / name).chmod(0o755)
        else:
            _link(source + name, target + name)
    if written:
        _rewrite_record(unpacked, prefix, written)


def _script(path: str) -> bytes:
    """Return what follows the first line of a script of Python; nothing for any other file."""
    content = Path(path).read_bytes()
    return content.removeprefix(_FIRST_LINE) if content.startswith(_FIRST_LINE) else b""


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        os.unlink(target)
        os.link(source, target)
    except OSError:
        # Another file system, or one without hard links.
        files.link_or_copy(Path(source), Path(target))
        os.chmod(target, os.stat(source).st_mode | 0o200)


def _rewrite_record(unpacked: Unpacked, prefix: Path, written: Mapping[str, bytes]) -> None:
    """Bring the RECORD up to date for files that were written for this environment."""
    path = prefix / unpacked.record
    site = path.parent.parent
    rows = {os.path.relpath(site / row.path, prefix): row for row in record.read(unpacked.root / unpacked.record)}
    rows |= {name: record.row(os.path.relpath(prefix / name, site), content) for name, content in written.items()}
    files.write_atomic(path, record.text(rows.values()))
