"""Empty environments, made by virtualenv: Debian's, which is there without a network, or any on PATH."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from toolkit.core import debian_packages, process
from toolkit.core.errors import UserError
from toolkit.model.interpreter import Interpreter

#: Of the user: virtualenvwrapper runs them when an environment is entered and left.
HOOKS = ("preactivate", "postactivate", "predeactivate", "postdeactivate")


def make(prefix: Path, interpreter: Interpreter, *, system_site_packages: bool = False) -> None:
    """Make an environment without any distribution at `prefix`. Raises `UserError`."""
    options = ["--quiet", "--no-seed", "--no-periodic-update", "--python", str(interpreter.path)]
    if system_site_packages:
        options.append("--system-site-packages")
    options.append(str(prefix))
    for command in _commands():
        try:
            _run([*command, *options])
        except process.CommandError as error:
            if "No module named virtualenv" not in error.output:
                raise _failure(prefix, interpreter, error) from None
        else:
            return
    raise debian_packages.lacking("makes development environments", ["python3-virtualenv"])


def _commands() -> Iterator[list[str]]:
    pythons = (getattr(sys, "_base_executable", "") or sys.executable, "/usr/bin/python3")
    yield from ([python, "-m", "virtualenv"] for python in dict.fromkeys(pythons) if os.path.exists(python))
    program = shutil.which("virtualenv")
    if program:
        yield [program]


def _run(words: list[str]) -> None:
    # Settings of the user's own environments: this one is to be the same for everybody.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUALENV_", "PYTHON"))}
    process.run(words, env={**kept, "VIRTUALENV_CONFIG_FILE": os.devnull})


def _failure(prefix: Path, interpreter: Interpreter, error: process.CommandError) -> UserError:
    return UserError(
        f"{prefix}: virtualenv makes no environment of Python {interpreter.full_version} there",
        "see its message above; `-V 2` shows the command",
        error.output,
    )


def bundled_pip(interpreter: Interpreter) -> Path | None:
    """Return the wheel of pip that an interpreter brings along (ensurepip), or Debian's for it; None without one."""
    own = interpreter.path.resolve().parent.parent / "lib" / f"python{interpreter.version}" / "ensurepip" / "_bundled"
    places = (own, Path("/usr/share/python-wheels"))
    return next((wheel for place in places for wheel in sorted(place.glob("pip-*.whl"), reverse=True)), None)
