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

from toolkit.core import directories, files
from toolkit.core.errors import UserError
from toolkit.model.interpreter import Interpreter
from toolkit.project.discovery import Package, Project

_MARKER = ".python-common.json"
_FORMAT = 1
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
    def site(self) -> Path:
        """Return the directory of its modules."""
        return self.prefix / self.interpreter.site_packages


@dataclass(frozen=True, kw_only=True)
class State:
    """What an environment of ours was made for and holds.

    `distributions` has the identity of each distribution by its name, `links` are the files in bin/ that lead into the
    project, relative to the environment, `linked` the names of the packages that it links. `personal` is what was
    resolved for the developer alone.
    """

    project: str
    interpreter: str
    full_version: str
    system_site_packages: bool = False
    distributions: Mapping[str, str] = field(default_factory=dict)
    links: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    personal: Mapping[str, Any] = field(default_factory=dict)


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
    """Return the state of the environment at `prefix`; None where it is not ours, or was not finished."""
    try:
        data = json.loads((prefix / _MARKER).read_bytes())
        if data.pop("format") != _FORMAT:
            return None
        return State(**{**data, "links": tuple(data["links"]), "linked": tuple(data["linked"])})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write(prefix: Path, state: State) -> None:
    """Record the state of an environment, which is finished from then on."""
    files.write_changed(prefix / _MARKER, json.dumps({"format": _FORMAT, **asdict(state)}, indent=1))


def is_ours(prefix: Path) -> bool:
    """Tell whether this toolkit made the environment, finished or not."""
    return (prefix / _MARKER).exists()


def claim(prefix: Path) -> None:
    """Mark an environment that is being made as ours."""
    files.write_atomic(prefix / _MARKER, "{}")


@contextmanager
def replacing(prefix: Path) -> Iterator[None]:
    """Let the block make a new environment at `prefix`; when it fails, the old one comes back.

    An environment knows its own path, so it cannot be made under another and moved. The user's hooks are kept.
    """
    with directories.put_aside(prefix) as old:
        yield
        for name in _HOOKS:
            hook = old / "bin" / name
            if hook.is_file() and not (prefix / "bin" / name).exists():
                files.link_or_copy(hook, prefix / "bin" / name)


def recover(prefix: Path) -> None:
    """Bring back the environment that a killed run has put aside, unless the new one was finished."""
    directories.recover(prefix, read)
