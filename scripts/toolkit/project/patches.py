"""`patches/<name>/`: what the project's people change in the sources of a distribution, in the order of quilt.

A directory is called as the distribution, or `name==version` where it is for one version. Its `series` names the
patches in their order; without one all `*.patch` are applied, sorted. https://manpages.debian.org/quilt
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import quoted
from toolkit.model.lock import Lock, Patch
from toolkit.model.names import NAME, normalize
from toolkit.project import lines

DIRECTORY, SERIES = "patches", "series"
_SUFFIX = ".patch"
_KEY = re.compile(rf"(?P<name>{NAME.pattern})(==(?P<version>[0-9A-Za-z.!+_-]+))?")
_HINT = "write patches/<name>/<what it does>.patch, and nothing else there but `series` and README"
UNUSED = "correct the name of the directory, or remove it: a patch that is applied to nothing is no patch"
#: Of one patch, in bytes: more than any that people read.
_LARGEST = 8 << 20


@dataclass(frozen=True, kw_only=True)
class Patches:
    """The patches of the project at `root`, by `name` or `name==version`, each in its order."""

    root: Path = Path()
    of: Mapping[str, tuple[Patch, ...]] = field(default_factory=dict)

    def of_key(self, key: str) -> tuple[Patch, ...]:
        """Return the patches of a `name==version`: those for it alone, if there are any."""
        return self.of.get(key) or self.of.get(key.partition("==")[0], ())


def read(project_root: Path) -> Patches:
    """Return the patches of a project. Raises `UserError` for what is neither a patch nor applied."""
    top = project_root / DIRECTORY
    if not top.is_dir():
        return Patches(root=project_root)
    found: dict[str, tuple[Patch, ...]] = {}
    for path in sorted(top.iterdir()):
        if not path.is_dir():
            if path.suffix == _SUFFIX:
                console.warn(f"{DIRECTORY}/{path.name}: in no directory of a distribution, so it is applied to nothing")
            continue
        if not any(entry.name == SERIES or entry.suffix in (_SUFFIX, ".diff") for entry in path.iterdir()):
            # Of something else that a project keeps under this name.
            continue
        match = _KEY.fullmatch(path.name)
        shown = f"{DIRECTORY}/{path.name}"
        if not match:
            raise UserError(f"{quoted(shown)}/: not called as a distribution", f"{_HINT}, or <name>==<version> for one")
        key = normalize(match["name"]) + (f"=={match['version']}" if match["version"] else "")
        if key in found:
            raise UserError(f"{shown}/: there is another directory for {key}", "put all patches into one of them")
        found[key] = tuple(_patch(path / name, project_root) for name in _names(path, project_root))
    return Patches(root=project_root, of=found)


def unused(patches: Patches, locks: Iterable[Lock]) -> dict[str, str]:
    """Return the directories whose patches are applied to nothing that any lock has, each with the reason."""
    locks = tuple(locks)
    everything = [item for lock in locks for item in lock.distributions()]
    built = {item.key if item.key in patches.of else item.name for item in everything if item.kind != "wheels"}
    wheels = {key for item in everything if item.kind == "wheels" for key in (item.key, item.name)}
    local = {package.name for lock in locks for package in lock.local}
    found = {}
    for key, own in patches.of.items():
        if key not in built:
            name = key.partition("==")[0]
            reason = (
                f"{name} is a package of this project" if name in local else f"nothing that is built is called {key}"
            )
            reason = f"{key} is taken as a wheel, which nothing patches" if key in wheels else reason
            found[own[0].path.rpartition("/")[0]] = reason
    return found


def refuse_unused(patches: Patches, locks: Iterable[Lock]) -> None:
    """Raise `UserError` for patches that are applied to nothing."""
    for directory, reason in unused(patches, locks).items():
        raise UserError(f"{directory}/: {reason}", UNUSED)


def _names(directory: Path, root: Path) -> list[str]:
    """Return the names of the patches in a directory, in the order in which they are applied."""
    shown = lines.shown(directory, root)
    there = sorted(path.name for path in directory.iterdir() if not path.name.startswith((".", "README")))
    series = directory / SERIES
    if series.is_file():
        named = [_named(text, f"{shown}/{SERIES}:{number}") for number, text in lines.read(series, root)]
    else:
        named = [name for name in there if name.endswith(_SUFFIX)]
    for name in (name for name in there if name not in (SERIES, *named)):
        raise UserError(
            f"{shown}/{name}: {f'{SERIES} does not name it' if SERIES in there else 'no patch'}",
            f"add the line {name} to {shown}/{SERIES}, or remove the file" if SERIES in there else _HINT,
        )
    if not named:
        raise UserError(f"{shown}/: there is no patch in it", "remove the directory, or put one into it")
    if twice := next((name for name in named if named.count(name) > 1), ""):
        raise UserError(f"{shown}/{SERIES}: {twice} is in it twice", "remove one of the lines")
    return named


def _named(text: str, origin: str) -> str:
    name, *options = text.split()
    if "/" in name or any(option != "-p1" for option in options):
        raise UserError(
            f"{origin}: {quoted(text)}: only the name of a file beside it, which is applied as by -p1",
            "make the patch anew by `quilt refresh -p ab`, or by `git diff`",
        )
    return name


def _patch(path: Path, root: Path) -> Patch:
    shown = lines.shown(path, root)
    if path.is_symlink() or not path.is_file():
        raise UserError(f"{shown}: no regular file", f"put the patch there, or remove its name from {SERIES}")
    if path.stat().st_size > _LARGEST:
        raise UserError(f"{shown}: it has more than {_LARGEST >> 20} MiB", "leave out what nobody can review")
    return Patch(path=shown, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
