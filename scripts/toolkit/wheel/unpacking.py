"""A wheel's members -> files of an environment, by the installation schemes; what leads out of it is refused.

https://packaging.python.org/en/latest/specifications/binary-distribution-format/#installing-a-wheel-distribution-1-0-py32-none-any-whl
"""

from __future__ import annotations

import configparser
import os
import re
import stat
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from toolkit.core.errors import UserError
from toolkit.wheel import record, scripts
from toolkit.wheel.record import Row


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """A file that was written: its row of the RECORD, and whether it is a script of the interpreter."""

    row: Row
    is_script: bool


def unpack(wheel: Path, root: Path, version: str, python: Path) -> dict[str, Unpacked]:
    """Write a wheel's files below `root`, an environment of this minor version, and return them by name.

    Scripts start `python`. Raises `UserError` for what is no wheel, and before anything is written for one with
    members that lead out of the environment, replace its interpreter, or stand in each other's place.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            information = _information(archive, wheel)
            site = f"lib/python{version}/site-packages"
            headers = f"include/site/python{version}/{wheel.name.partition('-')[0]}"
            places = {"purelib": site, "platlib": site, "scripts": "bin", "data": "", "headers": headers}
            members = _members(archive, wheel, information.removesuffix(".dist-info"), site, places)
            own = {f"bin/{name}": target for name, target in _entry_points(archive, information)}
            if bad := next((name for name in own if name.count("/") != 1 or name in ("bin/.", "bin/..")), None):
                raise _refusal(wheel, f"the entry point {bad.removeprefix('bin/')} leads out of the environment")
            made = f"{site}/{information}/INSTALLER"
            _check(wheel, [*members, *(name for name in own if name not in members), made], version)
            written = {}
            for name, member in members.items():
                content = archive.read(member)
                is_script = member.filename.split("/")[1:2] == ["scripts"] and content.startswith(b"#!python")
                if is_script and name.startswith("bin/"):
                    content = scripts.aim(content, python)
                # Programs and shared objects are what zip files call executable; scripts are in any case.
                executable = name.startswith("bin/") or member.external_attr >> 16 & 0o111
                written[name] = _write(root, site, name, content, 0o755 if executable else 0o644, is_script)
            for name, target in own.items():
                written[name] = _write(root, site, name, scripts.entry_point(python, target), 0o755, True)
            written[made] = _write(root, site, made, b"python-common\n", 0o644, False)
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        EOFError,
        OSError,
        configparser.Error,
        UnicodeDecodeError,
    ) as error:
        raise UserError(f"{wheel.name}: not a wheel: {error}", "remove it from the wheel store") from None
    own_row = f"{information}/RECORD"
    rows = [*(item.row for name, item in sorted(written.items()) if name != f"{site}/{own_row}"), Row(own_row)]
    written[f"{site}/{own_row}"] = _write(root, site, f"{site}/{own_row}", record.text(rows).encode(), 0o644, False)
    return written


def _information(archive: zipfile.ZipFile, wheel: Path) -> str:
    """Return the name of the metadata's directory."""
    names = archive.namelist()
    found = {name.partition("/")[0] for name in names if name.partition("/")[0].endswith(".dist-info")}
    if len(found) != 1 or any(f"{next(iter(found))}/{name}" not in names for name in ("WHEEL", "RECORD", "METADATA")):
        raise zipfile.BadZipFile("it has no metadata directory with METADATA, WHEEL and RECORD, or several")
    [information] = found
    version = re.search(rb"(?mi)^Wheel-Version: *(\d+)", archive.read(f"{information}/WHEEL"))
    if not version or version[1] != b"1":
        raise zipfile.BadZipFile("it is not of Wheel-Version 1")
    return information


def _members(
    archive: zipfile.ZipFile, wheel: Path, stem: str, site: str, places: Mapping[str, str]
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
        place = site
        if name.startswith(f"{stem}.data/"):
            scheme, _, name = name.removeprefix(f"{stem}.data/").partition("/")
            if scheme not in places or not name:
                raise _refusal(wheel, f"{member.filename}: there is no installation scheme {scheme}")
            place = places[scheme]
        target = PurePosixPath(place, name).as_posix()
        if target in found and archive.read(found[target]) != archive.read(member):
            raise _refusal(wheel, f"{name} stands in it twice, with different content")
        found[target] = member
    return found


def _entry_points(archive: zipfile.ZipFile, information: str) -> Iterator[tuple[str, str]]:
    """Yield the scripts of a wheel's entry points, with their targets."""
    try:
        text = archive.read(f"{information}/entry_points.txt").decode()
    except KeyError:
        return
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    for section in ("console_scripts", "gui_scripts"):
        yield from parser[section].items() if parser.has_section(section) else ()


def _check(wheel: Path, names: list[str], version: str) -> None:
    """Refuse files in the place of the environment's own, and files where others need a directory."""
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


def _write(root: Path, site: str, name: str, content: bytes, mode: int, is_script: bool) -> Unpacked:
    path = f"{root}/{name}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        os.fchmod(descriptor, mode)
    return Unpacked(row=record.row(os.path.relpath(name, site), content), is_script=is_script)
