"""The programs of the system that builds find: of those that an index has as well, what Build-Depends names.

A backend that finds no ninja on PATH asks for that of the index. So what it answers, and then the lock, would depend on
what happens to be installed where `make vendor` is run; and a build that finds one by chance would fail in a clean
chroot. Hooks and builds see one of them only where debian/control says that every build has it: nothing of them where
there is no debian/control, so that the lock alone is enough.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from toolkit.core.errors import FinalError
from toolkit.model import debian_names, requirement_texts
from toolkit.project import build_depends

#: Where builds, and what is loaded of them, find the programs of the system.
PATH = "/usr/local/bin:/usr/bin:/bin"
#: A script may look for things of its own beside itself (python3-config), so it is started where it is.
_SCRIPT = """\
#!/bin/sh
exec {path} "$@"
"""


@dataclass(frozen=True)
class SystemPrograms:
    """What builds of a project find: `declared` are the Debian packages of `REPLACEABLE` that Build-Depends names."""

    declared: frozenset[str] = frozenset()

    @cached_property
    def visible(self) -> tuple[str, ...]:
        """Return the replaceable programs that builds find on this machine."""
        return tuple(sorted(name for name in self._of(self.declared) if shutil.which(name, path=PATH)))

    @cached_property
    def hidden(self) -> frozenset[str]:
        """Return the programs that this machine has and builds do not find."""
        others = debian_names.REPLACEABLE.keys() - self.declared
        return frozenset(name for name in self._of(others) if shutil.which(name, path=PATH))

    def require(self, answers: Iterable[tuple[str, Iterable[str]]]) -> None:
        """Raise `FinalError` where a hook asks for what Build-Depends names, and this machine does not have.

        `answers` are of trees, by name. Where it is installed, they are others.
        """
        missing: dict[str, list[str]] = {}
        for tree, answer in answers:
            asked = {found.name.lower() for text in answer if (found := requirement_texts.parse(text))}
            for package in self.declared:
                programs = debian_names.REPLACEABLE[package]
                if asked.intersection(programs) and not any(shutil.which(name, path=PATH) for name in programs):
                    missing.setdefault(package, []).append(tree)
        if missing:
            what = "; ".join(f"{name} (for {', '.join(sorted(trees))})" for name, trees in sorted(missing.items()))
            raise FinalError(
                f"this machine lacks what Build-Depends in debian/control names: {what}",
                f"`apt install {' '.join(sorted(missing))}`: builds ask for other distributions where it is missing; "
                "or remove it from Build-Depends, and these are locked",
            )

    def link(self, directory: Path) -> Path | None:
        """Return a directory to be searched instead of PATH, filled at the first call; None where nothing is hidden.

        No program can be taken out of a directory of the system: what hides it leaves something that cannot be started,
        which is another error than that it is not there. CMake looks in /usr as well, whatever PATH says.
        """
        if not self.hidden:
            return None
        if not directory.exists():
            directory.mkdir()
            for name, path in _programs().items():
                if name not in self.hidden:
                    _stand_in(directory / name, path)
        return directory

    @staticmethod
    def _of(packages: Iterable[str]) -> Iterator[str]:
        return (name for package in packages for name in debian_names.REPLACEABLE[package])


def of_project(project: Path) -> SystemPrograms:
    """Return what builds of a project find. Raises `UserError` where its debian/control is malformed."""
    return SystemPrograms(build_depends.replaceable(project / build_depends.CONTROL))


def _programs() -> dict[str, str]:
    """Return the path of each program on PATH; of several with one name the first counts."""
    found: dict[str, str] = {}
    for folder in PATH.split(":"):
        with suppress(FileNotFoundError), os.scandir(folder) as entries:
            for entry in entries:
                found.setdefault(entry.name, entry.path)
    return found


def _stand_in(link: Path, path: str) -> None:
    is_script = False
    # Some may be started, and not read.
    with suppress(OSError), open(path, "rb") as stream:
        is_script = stream.read(2) == b"#!"
    if is_script:
        link.write_text(_SCRIPT.format(path=shlex.quote(path)))
        link.chmod(0o755)
    else:
        link.symlink_to(path)
