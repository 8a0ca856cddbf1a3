"""Trees of sources that are built: sdists and local packages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.model import build_settings
from toolkit.model.build_settings import BuildSettings
from toolkit.model.pins import Pin
from toolkit.project import source_files
from toolkit.project.pyproject import BuildSystem
from toolkit.vendored import sdist
from toolkit.vendored.patching import PatchSource


@dataclass(frozen=True, kw_only=True)
class SourceTree:
    """Something to build: `name` as messages call it, `path` the sdist or a local package's directory.

    `settings` are what the project's people have it built with, and `patches` what they change in it.
    """

    name: str
    path: Path
    build_system: BuildSystem
    settings: BuildSettings = build_settings.NONE
    patches: tuple[PatchSource, ...] = ()


#: Trees by key, each with the closure that builds it.
TreesWithClosures = Mapping[str, tuple[SourceTree, Sequence[Pin]]]


def local(directory: Path, shown: str) -> SourceTree:
    """Return the tree of a local package, which messages call `shown`."""
    members = {name: (directory / name).read_bytes() for name in sdist.BUILD_FILES if (directory / name).is_file()}

    def mentions(word: bytes) -> bool:
        sources = (path for path in source_files.source_files(directory) if path.suffix == ".py")
        return any(word in (directory / path).read_bytes() for path in sources)

    return SourceTree(name=shown, path=directory, build_system=sdist.build_system(members, shown, mentions))
