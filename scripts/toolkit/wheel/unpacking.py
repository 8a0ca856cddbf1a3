"""A wheel's members -> files of an environment, by the installation schemes; what leads out of it is refused.

https://packaging.python.org/en/latest/specifications/binary-distribution-format/#installing-a-wheel-distribution-1-0-py32-none-any-whl
"""

from __future__ import annotations

import configparser
import os
import re
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from toolkit.core.errors import UserError
from toolkit.model.interpreter import Interpreter
from toolkit.wheel import record, scripts
from toolkit.wheel.record import Row


def unpack(wheel: Path, root: Path, interpreter: Interpreter, python: Path) -> dict[str, bool]:
    """Write a wheel's files below `root`, an environment of this interpreter.

    Returns their names, and whether each is a script that starts `python`. Raises `UserError` for what is no wheel, and
    before anything is written for one with members that lead out of the environment, replace its interpreter, or stand
    in each other's place.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            information = _information(archive)
            site = interpreter.site_packages
            headers = f"include/site/python{interpreter.version}/{wheel.name.partition('-')[0]}"
            schemes = {"purelib": site, "platlib": site, "scripts": "bin", "data": "", "headers": headers}
            members = _members(archive, wheel, information.removesuffix(".dist-info"), schemes)
            commands = _entry_points(archive, wheel, information)
            installer = f"{site}/{information}/INSTALLER"
            _check(wheel, [*members, *commands, installer], interpreter.version)
            written, rows = dict[str, bool](), dict[str, Row]()

            def write(name: str, content: bytes, mode: int, *, is_script: bool = False) -> None:
                _write(f"{root}/{name}", content, mode)
                written[name], rows[name] = is_script, record.row(os.path.relpath(name, site), content)

            for name, member in members.items():
                content = archive.read(member)
                in_bin = name.startswith("bin/")
                is_script = in_bin and member.filename.split("/")[1] == "scripts" and content.startswith(b"#!python")
                # Programs and shared objects are what zip files call executable; scripts are in any case.
                mode = 0o755 if in_bin or member.external_attr >> 16 & 0o111 else 0o644
                write(
                    name, scripts.with_interpreter(content, python) if is_script else content, mode, is_script=is_script
                )
            for name, target in commands.items():
                write(name, scripts.entry_point(python, target), 0o755, is_script=True)
            write(installer, b"python-common\n", 0o644)
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        EOFError,
        OSError,
        configparser.Error,
        UnicodeDecodeError,
    ) as error:
        raise UserError(f"{wheel.name}: not a wheel: {error}", "remove it from the wheel store") from None
    # Its own row comes last, instead of one with the hash of the wheel's RECORD.
    name = f"{site}/{information}/RECORD"
    rows.pop(name)
    listed = record.text([*(row for _, row in sorted(rows.items())), Row(f"{information}/RECORD")])
    _write(f"{root}/{name}", listed.encode(), 0o644)
    return written


def _information(archive: zipfile.ZipFile) -> str:
    """Return the name of the metadata's directory."""
    names = archive.namelist()
    found = {top for top, _, _ in (name.partition("/") for name in names) if top.endswith(".dist-info")}
    if len(found) != 1 or any(f"{next(iter(found))}/{name}" not in names for name in ("WHEEL", "RECORD", "METADATA")):
        raise zipfile.BadZipFile("it has no metadata directory with METADATA, WHEEL and RECORD, or several")
    [information] = found
    version = re.search(rb"(?mi)^Wheel-Version: *(\d+)", archive.read(f"{information}/WHEEL"))
    if not version or version[1] != b"1":
        raise zipfile.BadZipFile("it is not of Wheel-Version 1")
    return information


def _members(
    archive: zipfile.ZipFile, wheel: Path, stem: str, schemes: Mapping[str, str]
) -> dict[str, zipfile.ZipInfo]:
    """Return the members by the names of their files in an environment."""
    found: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        name = member.filename
        if name.startswith("/") or ".." in name.split("/"):
            raise _refusal(wheel, f"{name} leads out of the environment")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise _refusal(wheel, f"{name} is a symbolic link, and may lead out of the environment")
        if member.is_dir():
            continue
        directory = schemes["purelib"]
        if name.startswith(f"{stem}.data/"):
            scheme, _, name = name.removeprefix(f"{stem}.data/").partition("/")
            if scheme not in schemes or not name:
                raise _refusal(wheel, f"{member.filename}: there is no installation scheme {scheme}")
            directory = schemes[scheme]
        target = PurePosixPath(directory, name).as_posix()
        if target in found and archive.read(found[target]) != archive.read(member):
            raise _refusal(wheel, f"{name} stands in it twice, with different content")
        found[target] = member
    return found


def _entry_points(archive: zipfile.ZipFile, wheel: Path, information: str) -> dict[str, str]:
    """Return the targets of a wheel's entry points by the names of their scripts' files."""
    try:
        text = archive.read(f"{information}/entry_points.txt").decode()
    except KeyError:
        return {}
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    found: dict[str, str] = {}
    for section in filter(parser.has_section, ("console_scripts", "gui_scripts")):
        for name, target in parser[section].items():
            if "/" in name or name in (".", ".."):
                raise _refusal(wheel, f"the entry point {name} leads out of the environment")
            found[f"bin/{name}"] = target
    return found


def _check(wheel: Path, names: list[str], version: str) -> None:
    """Refuse files that would replace the environment's own, and files below other files."""
    every = set(names)
    own = {"pyvenv.cfg", "bin/python", "bin/python3", f"bin/python{version}"}
    for name in names:
        parents = {parent.as_posix() for parent in PurePosixPath(name).parents}
        if name in own or parents & own:
            raise _refusal(wheel, f"{name} replaces the environment's own")
        if parents & every:
            raise _refusal(wheel, f"{name} lies below a file")


def _refusal(wheel: Path, what: str) -> UserError:
    return UserError(f"{wheel.name}: {what}", "do not use this wheel: see where it came from")


def _write(path: str, content: bytes, mode: int) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        os.fchmod(descriptor, mode)
