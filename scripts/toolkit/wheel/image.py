"""The image of a wheel: its files as they are installed, relative to an environment. Unpacked once, for all verbs.

Packages get copies, development environments hard links. Files of an image are read-only, and one that was written to
all the same is noticed. Scripts keep the standard's placeholder, `#!python`, until it is known where they will be:
https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from toolkit.core import console, directories, documents, files, process, threads
from toolkit.core.documents import Table
from toolkit.core.foreign_text import one_line
from toolkit.model.interpreter import Interpreter
from toolkit.wheel import bytecode_worker, record, scripts, unpacking
from toolkit.wheel.store import is_ours

#: Part of every key: a change in how images are made makes new entries instead of wrong hits.
RECIPE = 2
_WORKER = Path(bytecode_worker.__file__)
_PLACEHOLDER = Path("python")
_CHUNK = 1 << 18
#: Of the distribution itself: what it carries along of others stands deeper.
_RECORD = re.compile(r"lib/[^/]+/site-packages/[^/]+\.dist-info/RECORD")


class File(NamedTuple):
    """A file of an image: size in bytes, when it was written (ns), sha256, and whether its first line is replaced."""

    size: int
    written: int
    sha256: str
    is_script: bool


@dataclass(frozen=True, kw_only=True)
class Image:
    """The files of a wheel, or their byte code, below `root`, by their names relative to an environment."""

    root: Path
    wheel: str
    files: Mapping[str, File]

    @property
    def name(self) -> str:
        """Return the distribution's name and version as the wheel spells them: `PyYAML-6.0.3`."""
        return "-".join(self.wheel.split("-")[:2])

    @property
    def is_pure(self) -> bool:
        """Tell whether the wheel fits every machine (PEP 425: platform tag `any`), and holds to that."""
        return self.wheel.endswith("-any.whl") and not any(name.endswith(".so") for name in self.files)

    @property
    def scripts(self) -> list[str]:
        """Return the names of the scripts it installs."""
        return sorted(name.removeprefix("bin/") for name in self.files if name.startswith("bin/"))

    def link(self, target: Path, python: Path) -> None:
        """Put the files below `target` by hard links, scripts for the interpreter `python`; replace those there."""
        self._place(self.files, target, python, _link)

    def copy(self, names: Iterable[str], target: Path, python: Path) -> None:
        """Write some of the files below `target`, scripts for the interpreter `python`; the umask does not matter."""
        self._place(names, target, python, _copy)

    def _place(self, names: Iterable[str], target: Path, python: Path, put: Callable[[str, str], None]) -> None:
        # Thousands of files: paths are joined as texts, for Path takes longer than the kernel.
        start, chosen, written = f"{target}/", sorted(names), list[str]()
        for directory in sorted({name.rpartition("/")[0] for name in chosen}):
            os.makedirs(start + directory, exist_ok=True)
        for name in chosen:
            if self.files[name].is_script:
                files.write_atomic(target / name, _script(self.root / name, python), 0o755)
                written.append(name)
            else:
                put(f"{self.root}/{name}", start + name)
        if written:
            path = next(name for name in self.files if _RECORD.fullmatch(name))
            site = PurePosixPath(path).parents[1]
            rows = {row.path: row for row in record.read(self.root / path)}
            new = (record.row_of_file(os.path.relpath(name, site), target / name) for name in written)
            rows |= {row.path: row for row in new}
            files.write_atomic(target / path, record.text(rows.values()), 0o644)


def _script(path: Path, python: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        yield scripts.with_interpreter(stream.read(_CHUNK), python)
        while chunk := stream.read(_CHUNK):
            yield chunk


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


def _copy(source: str, target: str) -> None:
    # The kernel copies, without the interpreter's lock.
    reading = os.open(source, os.O_RDONLY)
    writing = -1
    try:
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        while os.sendfile(writing, reading, None, 1 << 30):
            pass
        os.fchmod(writing, 0o755 if os.fstat(reading).st_mode & 0o100 else 0o644)
    finally:
        os.close(reading)
        if writing >= 0:
            os.close(writing)


@dataclass(frozen=True, kw_only=True)
class Images:
    """Makes images of wheels for one interpreter in `store`, `jobs` at once, and finds those made before."""

    store: Path
    interpreter: Interpreter
    jobs: int

    def get(self, wheels: Sequence[Path]) -> list[Image]:
        """Return an image for each wheel, in the same order, every file checked by its hash. Raises `UserError`."""
        return threads.each(
            lambda wheel: self._of_wheel(wheel, files.sha256(wheel), hashes=True), wheels, threads=self.jobs
        )

    def find(self, identity: str) -> Image | None:
        """Return the image that was made for this identity; None when there is none, or it is not as it was."""
        try:
            return self._load(self._directory((self._directory(identity) / "image").read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError):
            return None

    def add(self, wheels: Mapping[str, Path]) -> dict[str, Image]:
        """Make images of wheels, by their identities, under which they are found from then on."""
        return dict(threads.each(self._add, wheels.items(), threads=self.jobs))

    def _add(self, item: tuple[str, Path]) -> tuple[str, Image]:
        identity, wheel = item
        content = files.sha256(wheel)
        made = self._of_wheel(wheel, content)
        alias = self._directory(identity)
        alias.mkdir(parents=True, exist_ok=True)
        files.write_atomic(alias / "image", content)
        return identity, made

    def _of_wheel(self, wheel: Path, content: str, *, hashes: bool = False) -> Image:
        def unpack(root: Path) -> dict[str, bool]:
            return unpacking.unpack(wheel, root, self.interpreter, _PLACEHOLDER)

        return self._make(content, wheel.name, unpack, hashes=hashes)

    def byte_code(self, images: Sequence[Image], prefix: Path) -> list[Image]:
        """Return the byte code of each image for an environment at `prefix`, its final path."""
        return threads.each(lambda image: self._byte_code(image, prefix), images, threads=self.jobs)

    def _byte_code(self, image: Image, prefix: Path) -> Image:
        used = self.interpreter
        key = "\0".join(map(str, (image.root.parent.name, used.path, used.full_version, prefix)))

        def compile_into(root: Path) -> dict[str, bool]:
            site = used.site_packages
            if (image.root / site).is_dir():
                compile_modules(image.root / site, root / site, prefix / site, used)
            names = (os.path.join(parent, name) for parent, _, found in os.walk(root) for name in found)
            return {os.path.relpath(name, root): False for name in names}

        return self._make(key, image.wheel, compile_into, hashes=True)

    def _make(self, key: str, wheel: str, fill: Callable[[Path], dict[str, bool]], *, hashes: bool = False) -> Image:
        directory = self._directory(key)
        found = self._load(directory, hashes=hashes)
        if found:
            return found
        if directory.exists():
            console.warn(f"{directory}: a damaged image of {wheel}; it is made again")
            files.remove(directory)
        with directories.temporary(self.store / "images", ".new-") as scratch:
            scratch.chmod(0o755)
            (scratch / "root").mkdir()
            chosen = fill(scratch / "root")
            listed = {name: _describe(f"{scratch}/root/{name}", chosen[name]) for name in sorted(chosen)}
            files.write_atomic(scratch / "image.json", json.dumps({"wheel": wheel, "files": listed}))
            directory.parent.mkdir(exist_ok=True)
            try:
                os.rename(scratch, directory)
            except OSError:
                # Another process was first; what it made is the same.
                found = self._load(directory, hashes=hashes)
                if not found:
                    raise
        return found or Image(root=directory / "root", wheel=wheel, files=listed)

    def _load(self, directory: Path, *, hashes: bool = False) -> Image | None:
        try:
            if not all(map(is_ours, (directory, directory / "root", directory / "image.json"))):
                return None
            data = Table(documents.json_value((directory / "image.json").read_bytes()))
            listed = {_inside(name): _file_from(values) for name, values in data.table("files").content.items()}
            image = Image(root=directory / "root", wheel=data.text("wheel"), files=listed)
            if any(file.is_script for file in listed.values()) and not any(map(_RECORD.fullmatch, listed)):
                return None
        except (OSError, ValueError):
            return None
        return image if all(_is_as_it_was(f"{image.root}/{name}", listed[name], hashes) for name in listed) else None

    def _directory(self, key: str) -> Path:
        digest = hashlib.sha256(f"{RECIPE}\0{key}\0{self.interpreter.version}".encode()).hexdigest()
        return self.store / "images" / digest[:2] / digest


def _inside(name: str) -> str:
    """Return the name of a file of an image. Raises `ValueError` for what leads out of it."""
    if os.path.normpath(name) != name or name.startswith("/") or name.partition("/")[0] == ".." or "\0" in name:
        raise ValueError(name)
    return name


def _file_from(values: object) -> File:
    """Return what an image says of a file. Raises `ValueError`."""
    if not isinstance(values, list) or list(map(type, values)) != [int, int, str, bool]:
        raise ValueError(values)
    return File(*values)


def _describe(path: str, is_script: bool) -> File:
    os.chmod(path, os.stat(path).st_mode & 0o555)
    status = os.stat(path)
    return File(status.st_size, status.st_mtime_ns, files.sha256(Path(path)), is_script)


def _is_as_it_was(path: str, file: File, hashes: bool) -> bool:
    try:
        if hashes:
            with open(path, "rb", buffering=0) as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256
        status = os.stat(path)
    except (OSError, ValueError):
        return False
    return (status.st_size, status.st_mtime_ns) == (file.size, file.written)


def compile_modules(source: Path, target: Path, final: Path, interpreter: Interpreter) -> None:
    """Compile the modules below `source` into `target`, as they will be looked for below `final`.

    The same files give the same bytes: one process a wheel, always in the same order, with fixed hashes. What a
    process compiled before leaves traces (a one-letter name it has met is marshalled as an interned string from then
    on), and so does the order of sets.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [str(interpreter.path), "-S", "-s", "-P", str(_WORKER), str(source), str(target), str(final)]
    for line in process.run(command, env={**clean, "PYTHONHASHSEED": "0"}).splitlines():
        if line.startswith(bytecode_worker.GIVEN_UP):
            console.warn(f"no byte code: {one_line(line.removeprefix(bytecode_worker.GIVEN_UP), 400)}")
