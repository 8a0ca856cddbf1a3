"""Where development environments stand (`$WORKON_HOME`, as virtualenvwrapper has it), and which of them are ours.

An environment of ours holds `.python-common.json`, written last: what was put there, and on what terms.
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
from toolkit.develop import virtualenv

_MARKER = ".python-common.json"
_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class State:
    """What an environment of ours was made for and holds.

    `distributions` gives for each name what it was made from (an identity, not a version), `links` are the files
    in bin/ that lead into the project, relative to the environment, `linked` the project's own packages.
    """

    project: str
    interpreter: str
    full_version: str
    system_site_packages: bool = False
    distributions: Mapping[str, str] = field(default_factory=dict)
    links: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    personal: Mapping[str, Any] = field(default_factory=dict)


def home() -> Path:
    """Return the directory of all environments. Raises `UserError` when nothing can be written there."""
    path = Path(os.environ.get("WORKON_HOME") or "~/.virtualenvs").expanduser().absolute()
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise UserError(
            f"{path}: environments cannot be kept here: {existing} is not a directory you can write to",
            "set WORKON_HOME to one, also for virtualenvwrapper (in ~/.bashrc)",
        )
    return path


def check_name(name: str) -> str:
    """Return the name of an environment. Raises `UserError` for what no directory or no `workon` can take."""
    if not name or re.search(r"[/\x00-\x1f`$\"'\\]", name) or name.startswith(("-", ".")) or name != name.strip():
        raise UserError(
            f"{name!r} is no name for an environment",
            "use letters, digits, `_`, `-`, `.` and spaces, but no `-` or `.` first: -n NAME",
        )
    return name


def read(prefix: Path) -> State | None:
    """Return the state of the environment at `prefix`; None where there is none of ours, or not a whole one."""
    try:
        data = json.loads((prefix / _MARKER).read_bytes())
        if data.pop("format") != _FORMAT:
            return None
        return State(**{**data, "links": tuple(data["links"]), "linked": tuple(data["linked"])})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write(prefix: Path, state: State) -> None:
    """Record the state of an environment, which is whole from then on."""
    files.write_changed(prefix / _MARKER, json.dumps({"format": _FORMAT, **asdict(state)}, indent=1))


def is_ours(prefix: Path) -> bool:
    """Tell whether this toolkit made the environment, also if only half of it."""
    return (prefix / _MARKER).exists()


def claim(prefix: Path) -> None:
    """Mark an environment as ours while it is only being made."""
    files.write_atomic(prefix / _MARKER, "{}")


@contextmanager
def replacing(prefix: Path) -> Iterator[None]:
    """Clear the way for a new environment at `prefix`; when the block fails, what was there comes back.

    An environment knows its own path, so it cannot be made elsewhere and moved.
    """
    with directories.put_aside(prefix) as old:
        yield
        _keep_hooks(old, prefix)


def recover(prefix: Path) -> None:
    """Bring back what a run that was killed has put aside, unless its new environment was finished."""
    directories.recover(prefix, read)


def _keep_hooks(old: Path, prefix: Path) -> None:
    """Take the user's hooks of virtualenvwrapper over."""
    for name in virtualenv.HOOKS:
        hook = old / "bin" / name
        if hook.is_file() and not (prefix / "bin" / name).exists():
            files.link_or_copy(hook, prefix / "bin" / name)
