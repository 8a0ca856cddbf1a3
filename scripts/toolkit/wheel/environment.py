"""Build environments: exactly the locked build requirements, and nothing else."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

from toolkit.core.errors import UserError
from toolkit.model.interpreter import Interpreter


def create(prefix: Path, interpreter: Interpreter, wheels: Sequence[Path]) -> Path:
    """Make a virtual environment without pip at `prefix`, install `wheels` there, and return its interpreter's path."""
    (prefix / "bin").mkdir(parents=True)
    site_packages(prefix, interpreter).mkdir(parents=True)
    for name in ("python", "python3", f"python{interpreter.version}"):
        (prefix / "bin" / name).symlink_to(interpreter.path)
    configuration = (
        f"home = {interpreter.path.parent}\ninclude-system-site-packages = false\nversion = {interpreter.version}\n"
    )
    (prefix / "pyvenv.cfg").write_text(configuration, encoding="utf-8")
    for wheel in wheels:
        install(wheel, prefix, interpreter)
    return prefix / "bin" / "python"


def site_packages(prefix: Path, interpreter: Interpreter) -> Path:
    """Return the directory of an environment's modules."""
    return prefix / "lib" / f"python{interpreter.version}" / "site-packages"


def install(wheel: Path, prefix: Path, interpreter: Interpreter, destdir: Path | None = None) -> None:
    """Install one wheel at `prefix`, its final path; with `destdir`, below that directory instead of the root.

    Raises `UserError` when Debian's python3-installer is missing or the file is not a sound wheel.
    """
    try:
        from installer import install as install_wheel
        from installer.destinations import SchemeDictionaryDestination
        from installer.exceptions import InstallerError
        from installer.sources import WheelFile
    except ImportError:
        raise UserError(
            "the Python module `installer` is missing", "`make setup`, or `apt install python3-installer`"
        ) from None
    purelib = str(site_packages(prefix, interpreter))
    schemes = {
        "purelib": purelib,
        "platlib": purelib,
        "scripts": str(prefix / "bin"),
        "data": str(prefix),
        "headers": str(prefix / "include" / "site" / f"python{interpreter.version}" / wheel.name.split("-")[0]),
    }
    destination = SchemeDictionaryDestination(
        schemes,
        interpreter=str(prefix / "bin" / "python"),
        script_kind="posix",
        destdir=os.fspath(destdir) if destdir else None,
    )
    try:
        with WheelFile.open(wheel) as source:
            install_wheel(source=source, destination=destination, additional_metadata={"INSTALLER": b"python-common\n"})
    except (ValueError, KeyError, AssertionError, FileExistsError, InstallerError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{wheel.name}: cannot be installed: {error}", "two distributions may own one file; see the message"
        ) from error
