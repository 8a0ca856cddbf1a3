"""Unpack a wheel that has nothing but modules and entry points, as nearly all do: three times faster than `installer`.

What installs elsewhere than beside the modules (`*.data/`) is left to it.
"""

from __future__ import annotations

import configparser
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

from toolkit.core.errors import UserError
from toolkit.model.interpreter import Interpreter
from toolkit.wheel import environment, record, scripts
from toolkit.wheel.record import Row


def unpack(wheel: Path, root: Path, prefix: Path, interpreter: Interpreter) -> bool:
    """Unpack a plain wheel into `root`, as it is in an environment at `prefix`; return whether it is one.

    The wheel itself has been checked, so its RECORD is taken as it is. Raises `UserError` for what is no wheel.
    """
    site = environment.site_packages(root, interpreter)
    try:
        with zipfile.ZipFile(wheel) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if any(".data/" in member.filename for member in members):
                return False
            _write_all(archive, members, site)
        information = next(site.glob("*.dist-info"))
        recorded = record.read(information / "RECORD")
        if not recorded:
            raise FileNotFoundError("its RECORD is missing or damaged")
    except (zipfile.BadZipFile, StopIteration, FileNotFoundError) as error:
        raise UserError(f"{wheel.name}: not a wheel: {error}", "remove it from the wheel store") from None
    rows = [_write(information / "INSTALLER", b"python-common\n", site)]
    rows += [
        _write(root / "bin" / name, content, site, 0o755)
        for name, content in _scripts(information, prefix / "bin" / "python")
    ]
    (information / "RECORD").write_text(record.text([*recorded, *rows]), encoding="utf-8")
    return True


def _write_all(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], site: Path) -> None:
    made: set[str] = set()
    for member in members:
        name = member.filename
        if name.startswith("/") or ".." in name.split("/"):
            raise UserError(f"{archive.filename}: {name} leads out of the environment", "do not use this wheel")
        directory = f"{site}/{name.rpartition('/')[0]}"
        if directory not in made:
            os.makedirs(directory, exist_ok=True)
            made.add(directory)
        # Programs and shared objects are what zip files call executable.
        mode = 0o755 if member.external_attr >> 16 & 0o111 else 0o644
        _save(f"{site}/{name}", archive.read(member), mode)


def _save(path: str, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb", buffering=0, closefd=False) as stream:
            stream.write(content)
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def _write(path: Path, content: bytes, site: Path, mode: int = 0o644) -> Row:
    """Write a file that the wheel has not, and return its row of the RECORD."""
    path.parent.mkdir(exist_ok=True)
    _save(str(path), content, mode)
    return record.row(os.path.relpath(path, site), content)


def _scripts(information: Path, python: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the scripts of a wheel's entry points."""
    path = information / "entry_points.txt"
    if not path.is_file():
        return
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text(encoding="utf-8"))
    for section in ("console_scripts", "gui_scripts"):
        for name, target in parser[section].items() if parser.has_section(section) else ():
            yield name, scripts.entry_point(python, target)
