"""Empty environments, made by virtualenv: Debian's, which needs no network, or any on PATH."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from toolkit.core import debian_packages, process
from toolkit.core.errors import UserError
from toolkit.model.interpreter import Interpreter


def make(root: Path, prefix: Path, interpreter: Interpreter, *, system_site_packages: bool) -> None:
    """Make an environment without any distribution for `prefix`, at `root`: in a directory beside it, by the same name.

    Raises `UserError`.
    """
    options = ["--quiet", "--no-seed", "--no-periodic-update", "--python", str(interpreter.path)]
    options += [*(["--system-site-packages"] if system_site_packages else []), str(root)]
    # Without the user's settings of virtualenv and Python: environments are to be the same for everybody.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUALENV_", "PYTHON"))}
    for command in _commands():
        try:
            process.run([*command, *options], env={**kept, "VIRTUALENV_CONFIG_FILE": os.devnull})
            _settle(root)
            return
        except process.CommandError as error:
            if "No module named virtualenv" not in error.output:
                raise UserError(
                    f"{prefix}: virtualenv makes no environment of Python {interpreter.full_version} there",
                    "see its message above; `-V 2` shows the command",
                    error.output,
                ) from None
    debian_packages.require("makes development environments", missing=["python3-virtualenv"])


def _settle(root: Path) -> None:
    """Have the scripts that activate an environment name its final path.

    They have it in the quotes of five shells, which the name of a temporary directory needs in none of them.
    """
    for path in (root / "bin").iterdir():
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            settled = content.replace(os.fsencode(f"{root.parent.name}/"), b"")
            if settled != content:
                path.write_bytes(settled)


def _commands() -> Iterator[list[str]]:
    pythons = (getattr(sys, "_base_executable", "") or sys.executable, "/usr/bin/python3")
    yield from ([python, "-m", "virtualenv"] for python in dict.fromkeys(pythons) if os.path.exists(python))
    program = shutil.which("virtualenv")
    if program:
        yield [program]


def bundled_pip(interpreter: Interpreter) -> Path | None:
    """Return the wheel of pip in an interpreter's ensurepip, else Debian's; None where there is neither."""
    own = interpreter.path.resolve().parent.parent / "lib" / f"python{interpreter.version}" / "ensurepip" / "_bundled"
    directories = (own, Path("/usr/share/python-wheels"))
    return next((wheel for path in directories for wheel in sorted(path.glob("pip-*.whl"), reverse=True)), None)
