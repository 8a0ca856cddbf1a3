"""What a wheel holds, checked: its layout when it is opened, each file against RECORD while that is read.

https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from packaging.tags import Tag, parse_tag
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from toolkit.archives import archive_limits
from toolkit.archives.zip_archive import ZipArchive, ZipMember
from toolkit.core.foreign_text import quoted
from toolkit.model import core_metadata
from toolkit.model.core_metadata import CoreMetadata
from toolkit.model.names import normalize
from toolkit.wheel import entry_points, member_names, record
from toolkit.wheel.member_names import HostileError
from toolkit.wheel.record import Row

#: RECORD has no row with a hash for itself, nor for its signatures.
_UNRECORDED = ("RECORD", "RECORD.jws", "RECORD.p7s")
_ALGORITHMS = frozenset({"sha256", "sha384", "sha512"})
_RECORD_LIMIT = 64 << 20
_INFORMATION = ".dist-info"
#: Real wheels have some dozens.
_MOST_TAGS = 10_000


class BrokenError(Exception):
    """A wheel that is not as the standard has it: what is wrong."""


@dataclass(frozen=True, kw_only=True)
class WheelFile:
    """A file of a wheel: the member that it is, and its row in RECORD."""

    member: ZipMember
    row: Row

    @property
    def name(self) -> str:
        """Return the member's name."""
        return self.member.name

    @property
    def is_executable(self) -> bool:
        """Tell whether the archive has it as a program."""
        return bool(self.member.mode & 0o111)


class Contents:
    """An open wheel: `files`, `commands` (targets by name), `metadata`, the directory of that, and of other schemes.

    Raises `HostileError`, `BrokenError` or `UnreadableError`, here and while files are read.
    """

    def __init__(self, stream: IO[bytes], filename: str) -> None:
        self._archive = ZipArchive(stream)
        members = self._archive.members
        limit = archive_limits.unpacked(stream.seek(0, 2))
        if sum(member.size for member in members) > limit:
            raise HostileError("it unpacks to far more than its size")
        for member in members:
            member_names.check(member.name)
            _check_kind(member)
        found = {member.name: member for member in members if not member.name.endswith("/")}
        for member in members:
            if member.name.endswith("/") and member.name[:-1] in found:
                raise HostileError(f"{quoted(member.name[:-1])} stands in it as a file, and as a directory")
        self.name, self.version, self.tags = _from_file_name(filename)
        self.information = self._information_directory(found)
        self.data = _data_directory(found, self.information)
        self.metadata = self._metadata(found)
        self._check_wheel_file(found)
        content = self._text(found, entry_points.FILE) if f"{self.information}/{entry_points.FILE}" in found else b""
        try:
            self.commands = entry_points.commands(content)
            rows = record.parse(self._text(found, record.FILE, _RECORD_LIMIT), 2 * len(members))
        except UnicodeDecodeError:
            raise BrokenError(f"{entry_points.FILE} is not UTF-8") from None
        except ValueError as error:
            raise BrokenError(str(error)) from None
        if len(self.commands) > archive_limits.members(0):
            raise HostileError(f"it installs {len(self.commands)} commands")
        self.files = tuple(self._recorded(members, rows))
        schemes = ("purelib", "platlib", "scripts", "data", "headers")
        self.layout({scheme: {"data": "", "scripts": "bin"}.get(scheme, "lib") for scheme in schemes})

    @property
    def installer(self) -> str:
        """Return the name of the file that says who installed it, whatever the wheel says."""
        return f"{self.information}/INSTALLER"

    def layout(self, schemes: Mapping[str, str]) -> dict[str, WheelFile]:
        """Return the files by their names in an environment.

        `schemes` are the directories of the installation schemes. Commands are files of `scripts`.
        """
        found: dict[str, WheelFile] = {}
        for file in self.files:
            name = member_names.target(file.name, self.data, schemes)
            if name in found and (found[name].row.digest, found[name].member.size) != (
                file.row.digest,
                file.member.size,
            ):
                raise HostileError(f"{quoted(name)} stands in it twice, with different content")
            found[name] = file
        # Two spellings of one command are one command.
        commands = {
            (member_names.fold(name), run): f"{schemes['scripts']}/{name}" for name, run in self.commands.items()
        }
        for name in commands.values():
            member_names.check(name)
        member_names.check_files([*found, *commands.values(), f"{schemes['purelib']}/{self.installer}"])
        return found

    def chunks(self, file: WheelFile) -> Iterator[bytes]:
        """Yield the content of a file, which is compared with RECORD."""
        algorithm, expected = _digest(file.row)
        seen = hashlib.new(algorithm) if algorithm else None
        for chunk in self._archive.chunks(file.member):
            if seen:
                seen.update(chunk)
            yield chunk
        if seen and seen.digest() != expected:
            raise HostileError(f"{quoted(file.name)} is not what RECORD says: its hash is another")

    def read_all(self) -> None:
        """Read every file, so that each is compared with RECORD."""
        for file in self.files:
            for _ in self.chunks(file):
                pass

    def _information_directory(self, found: Mapping[str, ZipMember]) -> str:
        """Return the directory with the metadata, the only one of its kind, whose name is the wheel's."""
        tops = {name.partition("/")[0] for name in found}
        information = sorted(top for top in tops if member_names.fold(top).endswith(_INFORMATION))
        if len(information) != 1 or not information[0].endswith(_INFORMATION):
            there = f"several: {quoted(', '.join(information))}" if information else "none"
            raise BrokenError(f"it has to have one directory of metadata, and has {there}")
        directory = information[0]
        missing = [name for name in ("METADATA", "WHEEL", record.FILE) if f"{directory}/{name}" not in found]
        if missing:
            raise BrokenError(f"it has no {missing[0]}")
        name, _, version = directory.removesuffix(_INFORMATION).rpartition("-")
        if not _is_same(name, version, self.name, self.version):
            raise BrokenError(f"its name is not that of its directory {quoted(directory)}")
        return directory

    def _metadata(self, found: Mapping[str, ZipMember]) -> CoreMetadata:
        content = self._text(found, "METADATA")
        metadata = core_metadata.parse(content)
        if not metadata.name or not metadata.version:
            raise BrokenError(f"its METADATA has no {'Version' if metadata.name else 'Name'}")
        if metadata.repeated:
            raise BrokenError(f"its METADATA has {metadata.repeated} twice")
        if not _is_same(metadata.name, metadata.version, self.name, self.version):
            raise BrokenError(f"its METADATA says {quoted(f'{metadata.name} {metadata.version}')}")
        return metadata

    def _check_wheel_file(self, found: Mapping[str, ZipMember]) -> None:
        text = self._text(found, "WHEEL").decode("utf-8", "replace")
        version = re.search(r"(?mi)^Wheel-Version:[ \t]*(\d+)", text)
        if not version or version[1] != "1":
            raise BrokenError("it is not of Wheel-Version 1")
        texts = re.findall(r"(?mi)^Tag:[ \t]*(\S+)[ \t]*\r?$", text)
        # `a.b-c.d-e` is four tags: a line of some thousand characters is more than memory holds.
        if sum(math.prod(part.count(".") + 1 for part in text.split("-")) for text in texts) > _MOST_TAGS:
            raise HostileError(f"its WHEEL has more than {_MOST_TAGS} tags")
        tags = frozenset[Tag]().union(*map(_tags, texts))
        if set(map(_reduced, tags)) != set(map(_reduced, self.tags)):
            raise BrokenError(f"its WHEEL has other tags than its name: {quoted(', '.join(sorted(map(str, tags))))}")

    def _text(self, found: Mapping[str, ZipMember], name: str, limit: int = core_metadata.LONGEST) -> bytes:
        return self._archive.read(found[f"{self.information}/{name}"], limit)

    def _recorded(self, members: Iterable[ZipMember], rows: Sequence[Row]) -> Iterator[WheelFile]:
        """Yield the files with their rows of RECORD, which has one for each, and no others."""
        listed: dict[str, Row] = {}
        for row in rows:
            if listed.setdefault(row.path, row) != row:
                raise BrokenError(f"RECORD lists {quoted(row.path)} twice")
        signed = {f"{self.information}/{name}" for name in _UNRECORDED}
        names = set()
        for member in members:
            names.add(member.name)
            if member.name.endswith("/"):
                continue
            if member.name not in listed and member.name not in signed:
                raise HostileError(f"{quoted(member.name)} is hidden: RECORD does not list it")
            row = listed.get(member.name, Row(member.name))
            if not row.digest and member.name not in signed:
                raise BrokenError(f"RECORD has no hash of {quoted(member.name)}")
            if row.size not in (None, member.size) and member.name != f"{self.information}/{record.FILE}":
                raise HostileError(f"{quoted(member.name)} is not what RECORD says: it has {member.size} bytes")
            _digest(row)
            yield WheelFile(member=member, row=row)
        absent = sorted(listed.keys() - names - signed)
        if absent:
            raise BrokenError(f"RECORD lists {quoted(absent[0])}, which is not in it")


def _check_kind(member: ZipMember) -> None:
    kind = stat.S_IFMT(member.mode)
    if kind == stat.S_IFLNK:
        raise HostileError(f"{quoted(member.name)} is a symbolic link, and may lead out of the environment")
    if kind not in (0, stat.S_IFDIR if member.name.endswith("/") else stat.S_IFREG):
        raise HostileError(f"{quoted(member.name)} is neither a file nor a directory")


def _from_file_name(filename: str) -> tuple[str, str, frozenset[Tag]]:
    """Return the name, version and tags that the name of a wheel says."""
    try:
        name, version, _, tags = parse_wheel_filename(filename)
    except (InvalidWheelFilename, InvalidVersion):
        raise BrokenError("its name is not that of a wheel") from None
    return name, str(version), tags


def _tags(text: str) -> frozenset[Tag]:
    try:
        return parse_tag(text)
    except ValueError:
        raise BrokenError(f"its WHEEL has the tag {quoted(text)}") from None


def _reduced(tag: Tag) -> tuple[str, str, str]:
    """Return a tag without what may be said later, when a finished wheel is renamed: for which releases of a system."""
    platform = re.sub(r"^(?:many|musl)linux(?:[0-9]+|_[0-9]+_[0-9]+)_", "linux_", tag.platform)
    return tag.interpreter, tag.abi, re.sub(r"^macosx_.*", "macosx", platform)


def _is_same(name: str, version: str, other: str, other_version: str) -> bool:
    try:
        same = Version(version.replace("_", "-")) == Version(other_version)
    except InvalidVersion:
        same = version == other_version
    return same and normalize(name) == normalize(other)


def _data_directory(found: Iterable[str], information: str) -> str:
    """Return the directory of the other installation schemes; refuse what looks like that of somebody else."""
    own = information.removesuffix(_INFORMATION) + ".data"
    for top in {name.partition("/")[0] for name in found if "/" in name}:
        if top != own and member_names.fold(top).endswith(".data"):
            raise HostileError(f"{quoted(top)} looks like {quoted(own)}, and tools differ in what they make of it")
    return own


def _digest(row: Row) -> tuple[str, bytes]:
    """Return the algorithm and the digest of a row, both empty where it has none."""
    if not row.digest:
        return "", b""
    algorithm, _, text = row.digest.partition("=")
    if algorithm not in _ALGORITHMS:
        raise BrokenError(f"RECORD has no sha256 of {quoted(row.path)}, but {quoted(row.digest)}")
    try:
        return algorithm, base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BrokenError(f"RECORD has {quoted(row.digest)} as a hash of {quoted(row.path)}") from None
