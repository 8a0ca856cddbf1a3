"""The files of a repository that is adopted: those that git has or would take, read as data and within limits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from toolkit.core import git
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import quoted
from toolkit.project import package_search

#: No file that says how a program is started is as large.
_LONGEST = 1 << 20


@dataclass(frozen=True, kw_only=True)
class ForeignFiles:
    """The files of the repository at `root`; `unread` gathers why those that are passed over are not read."""

    root: Path
    unread: list[str] = field(default_factory=list)

    @cached_property
    def paths(self) -> tuple[PurePosixPath, ...]:
        """Return the files, sorted, but for those of submodules and of directories that hold no source."""
        own = git.own_paths(self.root) or frozenset()
        found = [PurePosixPath(path) for path in sorted(own)]
        directories = {parent for path in found for parent in path.parents if parent.parts}
        foreign = {directory for directory in directories if package_search.is_foreign(self.root / directory)}
        return tuple(path for path in found if foreign.isdisjoint(path.parents) and (self.root / path).is_file())

    @property
    def directories(self) -> Collection[PurePosixPath]:
        """Return the directories that hold files, at any depth."""
        return self._below.keys()

    def below(self, directory: PurePosixPath) -> Sequence[PurePosixPath]:
        """Return the files in and below a directory, relative to it."""
        return self._below.get(directory, ())

    def has(self, path: PurePosixPath) -> bool:
        """Tell whether there is such a file."""
        return path in self._known

    def leads_out(self, path: PurePosixPath) -> bool:
        """Tell whether a path is, or is behind, a link that leads out of the repository."""
        return not (self.root / path).resolve().is_relative_to(self.root.resolve())

    def text(self, path: PurePosixPath) -> str:
        """Return the text of a file, an empty one where there is none, or none that can be one: that is noted."""
        if not self.has(path):
            return ""
        try:
            if self.leads_out(path):
                raise ValueError("a link that leads out of the repository")
            return self._text(self.root / path)
        except (OSError, ValueError) as error:
            reason = f"{quoted(str(path))}: {error}, so it is not read"
            if reason not in self.unread:
                self.unread.append(reason)
            return ""

    @cached_property
    def _below(self) -> dict[PurePosixPath, list[PurePosixPath]]:
        found: dict[PurePosixPath, list[PurePosixPath]] = {}
        for path in self.paths:
            for parent in path.parents:
                found.setdefault(parent, []).append(path.relative_to(parent))
        return found

    @cached_property
    def _known(self) -> frozenset[PurePosixPath]:
        return frozenset(self.paths)

    def _text(self, path: Path) -> str:
        with path.open("rb") as stream:
            content = stream.read(_LONGEST + 1)
        if len(content) > _LONGEST:
            raise ValueError(f"larger than {_LONGEST >> 20} MiB")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ValueError("no text in UTF-8") from None
        if "\0" in text:
            raise ValueError("no text")
        return text


def require_printable(files: ForeignFiles) -> None:
    """Raise `UserError` for a name with a control character: names are written into files, and shown."""
    for path in files.paths:
        if not str(path).isprintable():
            raise UserError(f"{quoted(str(path))}: a control character in its name", "rename it: `git mv`")
