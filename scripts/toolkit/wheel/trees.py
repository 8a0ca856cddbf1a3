"""Wheels as they look when installed: unpacked, with final paths, compiled. Kept in the wheel store as one tar each."""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from toolkit.core import files, process
from toolkit.model.interpreter import Interpreter
from toolkit.wheel import environment
from toolkit.wheel.store import Store

#: Part of every key: a change in how trees are made makes new entries instead of wrong hits.
RECIPE = 1
_WORKER = Path(__file__).with_name("bytecode_worker.py")


@dataclass(frozen=True)
class Tree:
    """One installed wheel: its name and the tar of its files, whose names are relative to the environment."""

    wheel: str
    tar: Path

    @property
    def name(self) -> str:
        """Return the distribution's name and version as the wheel spells them: `PyYAML-6.0.3`."""
        return "-".join(self.wheel.split("-")[:2])

    @cached_property
    def members(self) -> dict[str, tarfile.TarInfo]:
        """Return the files by name; each knows where in the tar its content begins."""
        with tarfile.open(self.tar, "r:") as archive:
            return {member.name: member for member in archive}

    @property
    def is_pure(self) -> bool:
        """Tell whether the wheel fits every machine (PEP 425: platform tag `any`), and holds to that."""
        return self.wheel.endswith("-any.whl") and not any(name.endswith(".so") for name in self.members)

    @property
    def scripts(self) -> list[str]:
        """Return the names of the scripts it installs."""
        return sorted(name.removeprefix("bin/") for name in self.members if name.startswith("bin/"))


@dataclass(frozen=True, kw_only=True)
class Trees:
    """Makes trees for environments at `prefix` (their final path), `jobs` at once, and finds those made before."""

    store: Path
    interpreter: Interpreter
    prefix: Path
    jobs: int

    def get(self, wheels: Sequence[Path]) -> list[Tree]:
        """Return a tree for each wheel, in the same order."""
        with ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(self._get, wheels))

    def _get(self, wheel: Path) -> Tree:
        store, key = Store(self.store, "trees"), self._key(wheel)
        found = store.get(key)
        if not found:
            with store.reserved(key):
                found = store.get(key) or self._make(wheel, lambda tar: store.put(key, tar))
        return Tree(wheel.name, found)

    def _key(self, wheel: Path) -> str:
        used = self.interpreter
        parts = (RECIPE, files.sha256(wheel), used.path, used.full_version, self.prefix)
        return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()

    def _make(self, wheel: Path, put: Callable[[Path], Path]) -> Path:
        with files.temporary_directory(self.store, ".tree-") as scratch:
            root = scratch / "root"
            environment.install(wheel, self.prefix, self.interpreter, destdir=root)
            compile_modules(root, environment.site_packages(self.prefix, self.interpreter), self.interpreter)
            tar = scratch / f"{wheel.stem}.tar"
            _pack(root / self.prefix.relative_to("/"), tar)
            return put(tar)


def compile_modules(root: Path, final: Path, interpreter: Interpreter) -> None:
    """Compile what is below `final`, a path as it will be when `root` is the root of the file system.

    The same files give the same bytes: one process a tree, always in the same order, with fixed hashes. What a process
    compiled before leaves traces (a one-letter name it has met is marshalled as an interned string from then on), and
    so does the order of sets.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [str(interpreter.path), "-S", "-s", "-P", str(_WORKER), str(root), str(final)]
    process.run(command, env={**clean, "PYTHONHASHSEED": "0"})


def _pack(directory: Path, tar: Path) -> None:
    """Write a tar in which nothing depends on the machine: sorted, owned by root, modes 644 and 755, no times."""
    with tarfile.open(tar, "w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(_files(directory), key=lambda path: path.relative_to(directory).as_posix()):
            member = tarfile.TarInfo(path.relative_to(directory).as_posix())
            status = path.stat()
            member.size, member.mode = status.st_size, 0o755 if status.st_mode & 0o100 else 0o644
            with path.open("rb") as stream:
                archive.addfile(member, stream)


def _files(directory: Path) -> Iterable[Path]:
    for parent, _, names in os.walk(directory):
        yield from (Path(parent, name) for name in names)


def unpack(tree: Tree, names: Iterable[str], target: Path) -> None:
    """Write these files of a tree below `target`. Their directories exist; modes do not depend on the umask."""
    with tree.tar.open("rb") as stream:
        for name in names:
            member = tree.members[name]
            _write(stream.fileno(), member, os.path.join(target, name))


def _write(source: int, member: tarfile.TarInfo, path: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        offset, left = member.offset_data, member.size
        while left:
            sent = os.sendfile(descriptor, source, offset, left)
            if not sent:
                raise OSError(f"{path}: the tree is shorter than it says")
            offset, left = offset + sent, left - sent
        os.fchmod(descriptor, member.mode)
    finally:
        os.close(descriptor)


def content(tree: Tree, name: str) -> bytes:
    """Return one file of a tree."""
    member = tree.members[name]
    with tree.tar.open("rb") as stream:
        stream.seek(member.offset_data)
        return stream.read(member.size)


def directories(names: Iterable[str]) -> list[str]:
    """Return all directories that these files are in, parents first."""
    found = {parent.as_posix() for name in names for parent in PurePosixPath(name).parents}
    return sorted(found - {"."})
