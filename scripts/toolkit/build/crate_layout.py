"""Crates as files: a directory of them in the place of a registry, laid out for one build.

https://doc.rust-lang.org/cargo/reference/source-replacement.html#directory-sources
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.archives import archive
from toolkit.core import documents, files
from toolkit.core.documents import Table
from toolkit.core.errors import UserError
from toolkit.crates import cargo_manifest, crate_file
from toolkit.model.crates import CRATES_IO
from toolkit.model.lock import Crate


@dataclass(frozen=True, kw_only=True)
class CrateSource:
    """A crate of a lock, and its file in vendor/; None for one that cargo only has to know of."""

    crate: Crate
    path: Path | None


@dataclass(kw_only=True)
class CrateLayout:
    """Lays out crates for builds; each is unpacked once, below `unpacked`, whoever needs it. Many threads may ask."""

    unpacked: Path
    _locks: defaultdict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))

    def lay_out(self, crates: Iterable[CrateSource], directory: Path) -> None:
        """Fill a new directory with crates, as cargo's directory source has them. Raises `UserError`."""
        directory.mkdir()
        for source in crates:
            crate = source.crate
            target = directory / crate_file.top(crate)
            if source.path:
                # The same files: what walls a build has let it read them, not write.
                shutil.copytree(self._tree(crate, source.path), target, symlinks=True, copy_function=os.link)
            else:
                _write_stub(crate, target)
                _write_checksum(crate, target)

    def _tree(self, crate: Crate, path: Path) -> Path:
        directory = self.unpacked / crate.sha256
        with self._locks[crate.sha256]:
            if not directory.exists():
                _unpack(path, crate, directory)
        return directory / crate_file.top(crate)


def _unpack(path: Path, crate: Crate, directory: Path) -> None:
    if files.sha256(path) != crate.sha256:
        raise UserError(f"{path.name}: not the crate that is locked", "run `make check-vendor`")
    staged = directory.with_name(f"{directory.name}.tmp")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    unpacked = archive.extract(path, staged)
    manifest = unpacked / cargo_manifest.FILE
    # A link leads to a file of the archive, if anywhere.
    content = manifest.read_bytes() if manifest.is_file() else None
    crate_file.check_content(path, crate, unpacked.relative_to(staged).name, content)
    _write_checksum(crate, unpacked)
    staged.rename(directory)


def _write_checksum(crate: Crate, tree: Path) -> None:
    """Write what cargo asks for, the archive's hash alone: the files were compared with the lock as one archive."""
    path = tree / ".cargo-checksum.json"
    files.remove(path)
    path.write_text(json.dumps({"files": {}, "package": crate.sha256 or None}))


def _write_stub(crate: Crate, directory: Path) -> None:
    """Write a crate that has nothing but its name, and what its registry says that it needs (of git: nothing)."""
    directory.mkdir()
    try:
        text = "\n".join(_manifest(crate, Table(documents.json_value(crate.index_line.encode()))))
    except ValueError as error:
        raise UserError(
            f"the lock has no sound line of an index for {crate.key}: {error}", "run `make vendor`"
        ) from None
    (directory / "Cargo.toml").write_text(f"{text}\n")
    (directory / "src").mkdir()
    (directory / "src" / "lib.rs").touch()
    (directory / "build.rs").write_text("fn main() {}\n")


def _manifest(crate: Crate, line: Table) -> Iterator[str]:
    yield from ("[package]", f"name = {_text(crate.name)}", f"version = {_text(crate.version)}", 'edition = "2021"')
    if line.content.get("links"):
        yield f"links = {_text(line.text('links'))}"
    for entry in line.tables("deps", ()):
        yield from _dependency(crate, entry)
    features = {
        name: table.texts(name)
        for key in ("features", "features2")
        if line.content.get(key)
        for table in [line.table(key)]
        for name in table.content
    }
    yield "[features]"
    yield from (f"{_text(name)} = [{_texts(others)}]" for name, others in features.items())


def _dependency(crate: Crate, entry: Table) -> Iterator[str]:
    kind, target = entry.content.get("kind") or "normal", entry.content.get("target")
    if kind == "dev":
        return
    table = "build-dependencies" if kind == "build" else "dependencies"
    where = f"target.{_text(entry.text('target'))}.{table}" if target else table
    name = entry.text("name")
    yield f"[{where}.{_text(name)}]"
    yield f"version = {_text(entry.text('req'))}"
    if entry.content.get("package"):
        yield f"package = {_text(entry.text('package'))}"
    yield f"features = [{_texts(entry.texts('features', ()))}]"
    yield f"optional = {str(entry.content.get('optional') is True).lower()}"
    yield f"default-features = {str(entry.content.get('default_features') is not False).lower()}"
    registry = entry.content.get("registry") and entry.text("registry")
    if registry or crate.source != CRATES_IO:
        yield f"registry-index = {registry_index(str(registry or crate.source))}"


def registry_index(source: str) -> str:
    """Return the URL of a registry that Cargo.lock names, as TOML has it."""
    return _text(source.removeprefix("registry+"))


def _texts(values: Sequence[str]) -> str:
    return ", ".join(map(_text, values))


def _text(value: str) -> str:
    """Return a text of one printable line as TOML has it, which is as JSON has it then."""
    return json.dumps(value, ensure_ascii=False)
