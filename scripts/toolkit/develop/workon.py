"""Where development environments are (`$WORKON_HOME`, as in virtualenvwrapper), and which of them are ours.

An environment of ours holds `.python-common.json`, written last: what it was made for, and what was installed there.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from toolkit.core import directories, documents, files
from toolkit.core.documents import Table
from toolkit.core.errors import UserError
from toolkit.model.interpreter import Interpreter
from toolkit.project import source_files
from toolkit.project.discovery import Package, Project

_MARKER = ".python-common.json"
_FORMAT = 2
_SCRIPT = re.compile(r"bin/(?!\.\.?$)[^/]+")
_INFORMATION = re.compile(r"[^/]+\.dist-info")
#: Of the user: virtualenvwrapper runs them when an environment is entered and left.
_HOOKS = ("preactivate", "postactivate", "predeactivate", "postdeactivate")


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A development environment at `prefix`: what it is for, and the packages that it links."""

    prefix: Path
    project: Project
    interpreter: Interpreter
    packages: tuple[Package, ...]

    @property
    def python(self) -> Path:
        """Return its interpreter's path."""
        return self.prefix / "bin" / "python"

    def site(self, root: Path | None = None) -> Path:
        """Return the directory of its modules, here or as it is prepared at `root`."""
        return (root or self.prefix) / self.interpreter.site_packages


@dataclass(frozen=True, kw_only=True)
class Link:
    """How a package is linked: what from (`identity`), the directory of its metadata, and where its modules are.

    `roots` are on sys.path; `mapped` has the place of each module that is not found from there. It `merges` where a
    package of it stands in several directories. `modules` is all that can be imported, from the top. `commands`
    (`module:object`) and `scripts` (files of the source) are what its wheel has in bin/, by their names.
    """

    identity: str
    information: str
    roots: tuple[str, ...] = ()
    mapped: Mapping[str, str] = field(default_factory=dict)
    merges: bool = False
    modules: tuple[str, ...] = ()
    commands: Mapping[str, str] = field(default_factory=dict)
    scripts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Check:
    """What came of a look at the linked packages: `key` is for all that it depends on, `problems` are for people."""

    key: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class State:
    """What an environment of ours was made for and holds.

    `distributions` has the identity of each distribution by its name, `links` are the files in bin/ that run those of
    the project, relative to the environment, `linked` the packages that it links, by name. `personal` is what was
    resolved for the developer alone. `binary` and `extra` are options that it was made with.
    """

    project: str
    interpreter: str
    full_version: str
    system_site_packages: bool = False
    distributions: Mapping[str, str] = field(default_factory=dict)
    links: tuple[str, ...] = ()
    linked: Mapping[str, Link] = field(default_factory=dict)
    check: Check = field(default_factory=Check)
    personal: Mapping[str, Any] = field(default_factory=dict)
    binary: bool = False
    extra: tuple[str, ...] = ()


#: Of an environment that nothing is known of.
NO_STATE = State(project="", interpreter="", full_version="")


def home() -> Path:
    """Return the directory of all environments. Raises `UserError` where it cannot be written."""
    path = Path(os.environ.get("WORKON_HOME") or "~/.virtualenvs").expanduser().absolute()
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise UserError(
            f"{path}: environments cannot be kept here: {existing} is not a directory you can write to",
            "set WORKON_HOME to one, also for virtualenvwrapper (in ~/.bashrc)",
        )
    return path


def check_name(name: str) -> str:
    """Return the name of an environment. Raises `UserError` where no directory or no `workon` could take it."""
    if not name or re.search(r"[/\x00-\x1f`$\"'\\]", name) or name.startswith(("-", ".")) or name != name.strip():
        raise UserError(
            f"{name!r} is no name for an environment",
            "use letters, digits, `_`, `-`, `.` and spaces, but no `-` or `.` first: -n NAME",
        )
    return name


def read(prefix: Path) -> State | None:
    """Return the state of the environment at `prefix`; None where it is not ours, or its state cannot be read."""
    try:
        data = Table(documents.json_value((prefix / _MARKER).read_bytes()))
        if data.number("format") != _FORMAT:
            return None
        distributions = data.table("distributions")
        return State(
            project=data.text("project"),
            interpreter=data.text("interpreter"),
            full_version=data.text("full_version"),
            system_site_packages=data.flag("system_site_packages"),
            distributions={name: distributions.text(name) for name in distributions.content},
            links=data.texts("links", form=_SCRIPT),
            linked={name: _link(Table(value)) for name, value in data.table("linked").content.items()},
            check=Check(key=data.table("check").text("key"), problems=data.table("check").texts("problems")),
            personal=data.table("personal").content,
            binary=bool(data.content.get("binary")),
            extra=data.texts("extra", ()),
        )
    except (OSError, ValueError):
        return None


def _link(table: Table) -> Link:
    def texts(key: str) -> dict[str, str]:
        found = table.table(key)
        return {name: found.text(name) for name in found.content}

    return Link(
        identity=table.text("identity"),
        information=table.text("information", form=_INFORMATION),
        roots=table.texts("roots"),
        mapped=texts("mapped"),
        merges=table.flag("merges"),
        modules=table.texts("modules"),
        commands=texts("commands"),
        scripts=texts("scripts"),
    )


def owner(prefix: Path) -> Path | None:
    """Return the project that the environment at `prefix` was made for, whatever release of this toolkit made it."""
    try:
        return Path(Table(documents.json_value((prefix / _MARKER).read_bytes())).text("project"))
    except (OSError, ValueError):
        return None


def write(prefix: Path, state: State) -> None:
    """Record the state of an environment."""
    files.write_changed(prefix / _MARKER, json.dumps({"format": _FORMAT, **asdict(state)}, indent=1))


def is_ours(prefix: Path) -> bool:
    """Tell whether this toolkit made the environment."""
    return (prefix / _MARKER).exists()


def roots(environment: Environment) -> list[Path]:
    """Return the directories of sources on the path of an environment: as it is there, or as they usually are."""
    state = read(environment.prefix)
    known = {name: [Path(root) for root in link.roots] for name, link in state.linked.items()} if state else {}
    packages = ((package.path, known.get(package.name)) for package in environment.packages)
    return [root for path, found in packages for root in (found or source_files.import_roots(path))]


@contextmanager
def replacing(prefix: Path, *, anew: bool) -> Iterator[Path]:
    """Give the block the root of what takes the place of the environment at `prefix` in one step, unless it fails.

    It has all that is there now, or (`anew`) is empty; then only the user's hooks are kept.
    """
    with directories.temporary(prefix.parent, _temporary(prefix)) as directory:
        root = directory / prefix.name
        if not anew:
            files.link_tree(prefix, root)
        yield root
        for name in _HOOKS:
            hook = prefix / "bin" / name
            if hook.is_file() and not (root / "bin" / name).exists():
                files.link_or_copy(hook, root / "bin" / name)
        directories.replace(root, prefix)


def recover(prefix: Path) -> None:
    """Remove what killed runs have left beside an environment, and bring back one that they have put aside."""
    directories.sweep(prefix.parent, _temporary(prefix))
    directories.recover(prefix)


def _temporary(prefix: Path) -> str:
    # Hidden from virtualenvwrapper, which lists what is in the directory.
    return f".{prefix.name}-"
