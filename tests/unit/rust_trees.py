"""Source trees of Rust, Cargo.lock files and a registry's index, as tests write them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.crates import cargo_workspace
from toolkit.crates.cargo_workspace import Workspace
from toolkit.model.crates import CrateDependency, CrateId, LockedCrate

SOURCE = "registry+https://index.example/"
SHA256 = "ab" * 32


def tree(files: Mapping[str, str]) -> tuple[Workspace, ...]:
    """Return the workspaces of a source tree."""
    names = [*files, "README.md"]
    contents = {name: text.encode() for name, text in files.items()}
    wanted = cargo_workspace.wanted(names, "some-1.tar.gz")
    return cargo_workspace.of_files({name: contents[name] for name in wanted}, names, "some-1.tar.gz")


def manifest(name: str = "app", more: str = "", edition: str = "2021") -> str:
    """Return a Cargo.toml; `more` begins with its dependencies."""
    return f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "{edition}"\n[dependencies]\n{more}\n'


def locked(name: str, version: str, *needs: str, source: str = SOURCE) -> LockedCrate:
    """Return an entry of a lock, whose dependencies are written as `name version`, with a `.` after those by path."""
    ids = [item.split(" ") for item in needs]
    return LockedCrate(
        name=name,
        version=version,
        source=source,
        checksum=SHA256 if source else "",
        dependencies=tuple(CrateId(pair[0], pair[1], "" if len(pair) > 2 else SOURCE) for pair in ids),
    )


def line(name: str, version: str, *deps: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return a line of the index."""
    return {"name": name, "vers": version, "deps": list(deps), "cksum": SHA256, "features": {}, "yanked": False, **more}


def dep(name: str, req: str = "*", **more: Any) -> dict[str, Any]:
    """Return a dependency of a line of the index."""
    return {
        "name": name,
        "req": req,
        "features": [],
        "optional": False,
        "default_features": True,
        "target": None,
    } | more


class Registry:
    """The index of a registry; what is asked of it is in `asked`."""

    def __init__(self, *lines: Mapping[str, Any]) -> None:
        self.asked: list[str] = []
        self._lines: Sequence[Mapping[str, Any]] = lines

    def __call__(self, name: str) -> bytes:
        self.asked.append(name)
        return b"".join(json.dumps(item).encode() + b"\n" for item in self._lines if item["name"] == name)


def dependency(name: str, **more: Any) -> CrateDependency:
    """Return a dependency as a manifest has it."""
    return CrateDependency(name=name, key=more.pop("key", name), **more)
