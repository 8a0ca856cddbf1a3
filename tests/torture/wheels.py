"""Hostile wheels, taken by vendor.txt: none is installed, none writes outside."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.torture.archives import MARKER
from tests.torture.distributions import wheel

_OUT = "../" * 24 + f"tmp/{MARKER}"
_INFO = "bad-1.0.dist-info"
_DATA = "bad-1.0.data"
MB = 1 << 20


@dataclass(frozen=True)
class Wheel:
    """A wheel of bad 1.0; `harmless` may also be taken, as nothing comes of it."""

    make: Callable[[], bytes]
    harmless: bool = False


def _files(
    files: Mapping[str, str | bytes], *, modes: Mapping[str, int] | None = None, harmless: bool = False
) -> Wheel:
    return Wheel(lambda: wheel("bad", {"bad.py": "", **files}, modes=modes), harmless)


def _info(harmless: bool = False, **replaced: str | bytes | None) -> Wheel:
    return Wheel(
        lambda: wheel("bad", replaced={name.replace("__", "."): to for name, to in replaced.items()}), harmless
    )


def _record(record: str) -> Wheel:
    return Wheel(lambda: wheel("bad", record=record))


def _edited(edit: Callable[[bytes], bytes], harmless: bool = False) -> Wheel:
    return Wheel(lambda: edit(wheel("bad", compression=zipfile.ZIP_STORED)), harmless)


def _twice(data: bytes) -> bytes:
    stream = io.BytesIO(data)
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("bad.py ", "x = 2\n")
    return stream.getvalue().replace(b"bad.py ", b"bad.py\0")


def _overlapping(data: bytes) -> bytes:
    """Let the second entry of the directory point at the first member."""
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 4)
    return data[: second + 42] + struct.pack("<I", 0) + data[second + 46 :]


def _encrypted(data: bytes) -> bytes:
    at = data.index(b"PK\x01\x02")
    return data[: at + 8] + b"\1\0" + data[at + 10 :]


def _unknown_compression(data: bytes) -> bytes:
    at = data.index(b"PK\x01\x02")
    return data[: at + 10] + b"\x63\0" + data[at + 12 :]


def _lying_size(data: bytes) -> bytes:
    at = data.index(b"PK\x01\x02")
    return data[: at + 24] + struct.pack("<I", 5) + data[at + 28 :]


def _two_faced(data: bytes) -> bytes:
    return data.replace(b"bad.py", b"evi.py", 1)


def _many() -> bytes:
    return wheel("bad", {f"many/{number}": "" for number in range(210_000)}, compression=zipfile.ZIP_STORED)


def _entry_points(text: str) -> Wheel:
    return _info(entry_points__txt=text)


WHEELS: Mapping[str, Wheel] = {
    "a member above": _files({_OUT: "x"}),
    "an absolute member": _files({f"/tmp/{MARKER}": "x"}),
    "a datum above": _files({f"{_DATA}/data/{_OUT}": "x"}),
    "a script above": _files({f"{_DATA}/scripts/{_OUT}": "#!python\n"}),
    "a header above": _files({f"{_DATA}/headers/{_OUT}": "x"}),
    "an unknown scheme": _files({f"{_DATA}/bogus/x": "x"}),
    "a backslash": _files({"..\\..\\x": "x"}),
    "a drive": _files({"C:/x": "x"}),
    "a newline in a name": _files({"a\nb.py": "x"}),
    "ESC in a name": _files({"\x1b[2J.py": "x"}),
    "an empty part": _files({"a//b.py": "x"}),
    "a link out": _files({"link": "/tmp", f"link/{MARKER}": "x"}, modes={"link": 0o120777}),
    "a device": _files({"device": ""}, modes={"device": 0o020666}),
    "setuid bits": _files(
        {f"{_DATA}/scripts/tool": "#!python\n"}, modes={f"{_DATA}/scripts/tool": 0o106755}, harmless=True
    ),
    "names that differ in case": _files({"Bad.py": "x"}),
    "a file that is a directory": _files({"bad.py/x": "x"}),
    "the interpreter's name": _files({f"{_DATA}/scripts/python3": "#!python\n"}),
    "a startup file": _files({"x.pth": f"import os; open('/tmp/{MARKER}', 'w')\n"}, harmless=True),
    "another's metadata": _files(
        {"victim-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: victim\nVersion: 1.0\n"}
    ),
    "the installer's own files": _files({f"{_INFO}/INSTALLER": "evil", f"{_INFO}/REQUESTED": ""}, harmless=True),
    "RECORD with another hash": _record(
        f"bad.py,sha256=AAAA,0\n{_INFO}/METADATA,,\n{_INFO}/WHEEL,,\n{_INFO}/RECORD,,\n"
    ),
    "RECORD without a member": _record(f"{_INFO}/RECORD,,\n"),
    "RECORD with a member above": _record(f"../../../etc/passwd,,\nbad.py,,\n{_INFO}/RECORD,,\n"),
    "RECORD is no CSV": _record('"bad.py,,\n"'),
    "RECORD with md5": _record(f"bad.py,md5=1B2M2Y8AsgTpgAmY7PhCfg,0\n{_INFO}/RECORD,,\n"),
    "RECORD with a size that is no number": _record(f"bad.py,,many\n{_INFO}/RECORD,,\n"),
    "no METADATA": _info(METADATA=None),
    "no WHEEL": _info(WHEEL=None),
    "another name": _info(METADATA="Metadata-Version: 2.1\nName: victim\nVersion: 1.0\n"),
    "another version": _info(METADATA="Metadata-Version: 2.1\nName: bad\nVersion: 6.6\n"),
    "another version of wheels": _info(WHEEL="Wheel-Version: 9.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
    "other tags": _info(WHEEL="Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: cp27-cp27m-win32\n"),
    "METADATA is binary": _info(METADATA=bytes(range(256))),
    "METADATA requires an address": _info(
        METADATA="Metadata-Version: 2.1\nName: bad\nVersion: 1.0\nRequires-Dist: victim @ git+file:///tmp/x\n"
    ),
    "an entry point that is a command": _entry_points(f"[console_scripts]\n$(touch /tmp/{MARKER}) = bad:main\n"),
    "an entry point above": _entry_points("[console_scripts]\n../../yc-evil = bad:main\n"),
    "an entry point that is code": _entry_points(f"[console_scripts]\nyc-x = bad:open('/tmp/{MARKER}','w')\n"),
    "an entry point with a newline": _entry_points("[console_scripts]\nyc-x = bad:main\n  import os\n"),
    "entry points that are no INI": _entry_points("[console_scripts\nx"),
    "the same member twice": _edited(_twice),
    "overlapping members": _edited(_overlapping),
    "an encrypted member": _edited(_encrypted),
    "an unknown compression": _edited(_unknown_compression),
    "a size that is a lie": _edited(_lying_size),
    "two faces": _edited(_two_faced),
    "a program before the archive": _edited(lambda data: b"#!/bin/sh\nexit\n" + data),
    "another archive after it": _edited(lambda data: data + wheel("victim")),
    "a truncated archive": _edited(lambda data: data[:-30]),
    "no archive": _edited(lambda data: b"garbage"),
    "700 MB of zeros": Wheel(lambda: wheel("bad", {"zeros.py": bytes(700 * MB)})),
    "210000 members": Wheel(_many),
}
