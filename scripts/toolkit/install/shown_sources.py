"""What of the sources of linked packages is seen inside the walls: the modules, and nothing that stands beside them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.project import source_files
from toolkit.sandbox.confined import Sandbox


@dataclass(frozen=True, kw_only=True)
class ShownSources:
    """What is seen, by the paths inside, and directories to be on sys.path which stand for others, by their paths."""

    readable: Mapping[str, Path]
    stand_ins: Mapping[str, str] = field(default_factory=dict)

    def real(self, text: str) -> str:
        """Return a text with the names of the directories that the stand-ins are for."""
        for stand_in, directory in self.stand_ins.items():
            text = text.replace(f"{stand_in}/", f"{directory}/")
        return text


def show(paths: Iterable[Path], target: Path, sandbox: Sandbox) -> ShownSources:
    """Show files and directories of sources at their own paths; `target` is for what has to be made for that."""
    target.mkdir()
    if sandbox.has_own_paths:
        # Others have to be able to read them.
        return ShownSources(readable={str(path): _copy(path, target / str(n)) for n, path in enumerate(paths)})
    # Python finds nothing in a directory that it cannot list, as the one around them is.
    readable, stand_ins = {str(target): target}, dict[str, str]()
    for path in paths:
        readable[str(path)] = path
        stand_in = target / path.parent.relative_to("/")
        stand_in.mkdir(parents=True, exist_ok=True)
        (stand_in / path.name).symlink_to(path)
        stand_ins[str(stand_in)] = str(path.parent)
    return ShownSources(readable=readable, stand_ins=stand_ins)


def _copy(path: Path, target: Path) -> Path:
    if path.is_dir():
        target.mkdir()
        source_files.copy(path, target)
    else:
        shutil.copy(path, target)
    return target
