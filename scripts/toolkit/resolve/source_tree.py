"""Trees of sources that are built: sdists and local packages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.crates import local_rust
from toolkit.crates.local_rust import LocalRust
from toolkit.model import build_settings
from toolkit.model.build_settings import BuildSettings
from toolkit.model.pins import Pin
from toolkit.project import source_files, vcs_versions
from toolkit.project.pyproject import BuildSystem
from toolkit.project.vcs_versions import GivenVersion
from toolkit.sources import sdist
from toolkit.sources.patching import PatchSource


@dataclass(frozen=True, kw_only=True)
class SourceTree:
    """Something to build: `name` as messages call it, `path` the sdist or a local package's directory.

    `settings` are what the project's people have it built with, and `patches` what they change in it. `given` is the
    version for what would ask git for it. `rust` is what a local package compiles of that, None for nothing.
    """

    name: str
    path: Path
    build_system: BuildSystem
    settings: BuildSettings = build_settings.NONE
    patches: tuple[PatchSource, ...] = ()
    given: GivenVersion | None = None
    rust: LocalRust | None = None


#: Trees by key, each with the closure that builds it.
TreesWithClosures = Mapping[str, tuple[SourceTree, Sequence[Pin]]]


def local(directory: Path, shown: str, root: Path) -> SourceTree:
    """Return the tree of a local package of the project at `root`, which messages call `shown`."""
    members = {name: (directory / name).read_bytes() for name in sdist.BUILD_FILES if (directory / name).is_file()}

    def mentions(word: bytes) -> bool:
        sources = (path for path in source_files.source_files(directory) if path.suffix == ".py")
        return any(word in (directory / path).read_bytes() for path in sources)

    system = sdist.build_system(members, shown, mentions)
    rust = local_rust.read(directory, root) if sdist.asks_for_rust(system) else None
    return SourceTree(
        name=shown,
        path=directory,
        build_system=system,
        given=vcs_versions.given(directory, root),
        rust=rust if rust and rust.workspaces else None,
    )
