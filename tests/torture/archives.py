"""Hostile source archives: none writes outside, none is believed, none costs more than a moment."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.torture.distributions import build_system, member, metadata, sdist, tar, tree, with_members

MARKER = "torture-marker-0-0"
_TOP = "bad-1.0"
_OUT = "../" * 24 + f"tmp/{MARKER}"
MB = 1 << 20


@dataclass(frozen=True)
class Archive:
    """An archive of bad 1.0: made when it is its turn.

    One that is `harmless` is odd and no attack: it may also be taken, or a way to take it be told.
    """

    make: Callable[[], bytes]
    harmless: bool = False
    suffix: str = ".tar.gz"


def _with(name: str, content: bytes | str = b"", **attributes: object) -> Archive:
    return Archive(lambda: with_members("bad", member(name, content, **attributes)))


def _linked(kind: bytes, target: str) -> Archive:
    """Return an archive with a link to somewhere, and a member written through it."""
    return Archive(
        lambda: with_members(
            "bad", member(f"{_TOP}/link", type=kind, linkname=target), member(f"{_TOP}/link/{MARKER}", "x")
        )
    )


def _replaced(**files: str | bytes) -> Archive:
    """Return an archive with other files; a name's `__` stands for a dot."""
    return Archive(
        lambda: sdist("bad", files=tree("bad") | {name.replace("__", "."): to for name, to in files.items()})
    )


def _bomb() -> bytes:
    """Return 4 GB of zeros, in 4 MB."""
    info = tarfile.TarInfo(f"{_TOP}/zeros")
    info.size = 4096 * MB
    good = tar(member(f"{_TOP}/{path}", content) for path, content in tree("bad").items())
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=1) as packed:
        packed.write(good[: -(len(good) % tarfile.RECORDSIZE) or None].rstrip(b"\0") + b"\0" * 512)
        packed.write(info.tobuf())
        for _ in range(256):
            packed.write(bytes(16 * MB))
        packed.write(bytes(1024))
    return stream.getvalue()


def _million() -> bytes:
    """Return more members than anybody has."""
    stream = io.BytesIO()
    block = tarfile.TarInfo(f"{_TOP}/x").tobuf()
    with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=1) as packed:
        for path, content in tree("bad").items():
            info, data = member(f"{_TOP}/{path}", content)
            packed.write(info.tobuf() + data + bytes(-len(data) % 512))
        for number in range(600):
            packed.write(block.replace(b"/x\0", b"/y\0") * 1000 if number else block)
        packed.write(bytes(1024))
    return stream.getvalue()


def _zip(members: Mapping[str, bytes | str], modes: Mapping[str, int] | None = None) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, (modes or {}).get(name, 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return stream.getvalue()


def _zip_tree(**extra: bytes | str) -> dict[str, bytes | str]:
    return {f"{_TOP}/{path}": content for path, content in tree("bad").items()} | extra


def _two_faced_zip() -> bytes:
    """Return a zip whose local headers have other names than its directory."""
    data = _zip(_zip_tree(**{f"{_TOP}/harmless.py": "x = 1\n"}))
    at = data.index(f"{_TOP}/harmless.py".encode())
    return data[:at] + f"{_TOP}/pwned.py".ljust(len(_TOP) + 12, "_").encode() + data[at + len(_TOP) + 12 :]


def _extended(**headers: str) -> Archive:
    return Archive(lambda: with_members("bad", member(f"{_TOP}/x", "x", pax_headers=headers)))


def _good() -> bytes:
    return sdist("bad")


ARCHIVES: Mapping[str, Archive] = {
    "a member above": _with(_OUT, "x"),
    "a member above, below the top": _with(f"{_TOP}/{_OUT}", "x"),
    "an absolute member": _with(f"/tmp/{MARKER}", "x"),
    "two top directories": _with("other-1.0/x", "x"),
    "a symbolic link out, and a member below it": _linked(tarfile.SYMTYPE, "/tmp"),
    "a relative link out, and a member below it": _linked(tarfile.SYMTYPE, "../" * 24 + "tmp"),
    "a hard link out": _with(f"{_TOP}/link", type=tarfile.LNKTYPE, linkname="../../../../etc/passwd"),
    "a hard link to an absolute path": _with(f"{_TOP}/link", type=tarfile.LNKTYPE, linkname="/etc/passwd"),
    "a link to itself": Archive(
        lambda: with_members("bad", member(f"{_TOP}/link", type=tarfile.SYMTYPE, linkname="link")), harmless=True
    ),
    "a link in place of a file": Archive(
        lambda: with_members(
            "bad", member(f"{_TOP}/app", type=tarfile.SYMTYPE, linkname="/tmp"), member(f"{_TOP}/app/{MARKER}", "x")
        )
    ),
    "a link chain out": Archive(
        lambda: with_members(
            "bad",
            member(f"{_TOP}/a", type=tarfile.DIRTYPE, mode=0o755),
            member(f"{_TOP}/a/b", type=tarfile.SYMTYPE, linkname=".."),
            member(f"{_TOP}/c", type=tarfile.SYMTYPE, linkname="a/b/../../../tmp"),
            member(f"{_TOP}/c/{MARKER}", "x"),
        )
    ),
    "a block device": _with(f"{_TOP}/device", type=tarfile.BLKTYPE, devmajor=8),
    "a character device": _with(f"{_TOP}/device", type=tarfile.CHRTYPE, devmajor=1, devminor=5),
    "a pipe": _with(f"{_TOP}/pipe", type=tarfile.FIFOTYPE),
    "an unknown type": _with(f"{_TOP}/what", type=b"Z"),
    "a newline in a name": _with(f"{_TOP}/a\nerror: b", "x"),
    "ESC in a name": _with(f"{_TOP}/\x1b[2J\x1b]0;x\x07", "x"),
    "a direction mark in a name": Archive(lambda: with_members("bad", member(f"{_TOP}/\u202egnp", "x")), harmless=True),
    "a backslash in a name": Archive(lambda: with_members("bad", member(f"{_TOP}/..\\..\\x", "x")), harmless=True),
    "a name that is no UTF-8": Archive(
        lambda: gzip.compress(
            tar(
                [*(member(f"{_TOP}/{p}", c) for p, c in tree("bad").items()), member(f"{_TOP}/\udcff", "x")],
                tarfile.GNU_FORMAT,
            )
        ),
        harmless=True,
    ),
    "a very long name": Archive(lambda: with_members("bad", member(f"{_TOP}/" + "x" * 5000, "x"))),
    "many directories deep": _with(f"{_TOP}/" + "d/" * 1500 + "x", "x"),
    "the same member twice": _with(f"{_TOP}/pyproject.toml", build_system("other")),
    "a file that is a directory": _with(f"{_TOP}/pyproject.toml/x", "x"),
    "names that differ in case": Archive(
        lambda: with_members("bad", member(f"{_TOP}/README", "1"), member(f"{_TOP}/readme", "2")), harmless=True
    ),
    "setuid bits": Archive(lambda: with_members("bad", member(f"{_TOP}/tool", "x", mode=0o6777)), harmless=True),
    "a directory that nobody may enter": Archive(
        lambda: with_members("bad", member(f"{_TOP}/shut", type=tarfile.DIRTYPE, mode=0)), harmless=True
    ),
    "a header that changes the path": _extended(path=_OUT),
    "a header that changes the size": _extended(size="99999999999"),
    "a header with a negative size": _extended(size="-1"),
    "a header with a size that is no number": _extended(size="many"),
    "a time before all times": Archive(
        lambda: with_members("bad", member(f"{_TOP}/x", "x", pax_headers={"mtime": "-1e300"})), harmless=True
    ),
    "a sparse member of 8 EB": _extended(
        **{"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(1 << 63)}
    ),
    "4 GB of zeros": Archive(_bomb),
    "600000 members": Archive(_million),
    "a truncated archive": Archive(lambda: _good()[:-200]),
    "garbage": Archive(lambda: b"\x1f\x8b" + b"garbage" * 100),
    "an empty file": Archive(lambda: b""),
    "an empty archive": Archive(lambda: gzip.compress(tar([]))),
    "garbage after the archive": Archive(lambda: _good() + b"garbage" * 1000, harmless=True),
    "a bad checksum": Archive(lambda: _good()[:-8] + bytes(8)),
    "bzip2 by another name": Archive(lambda: bz2.compress(gzip.decompress(_good())), harmless=True),
    "xz by another name": Archive(lambda: lzma.compress(gzip.decompress(_good())), harmless=True),
    "a zip by another name": Archive(lambda: _zip(_zip_tree()), harmless=True),
    "a zip with a member above": Archive(lambda: _zip(_zip_tree(**{_OUT: "x"})), suffix=".zip"),
    "a zip with an absolute member": Archive(lambda: _zip(_zip_tree(**{f"/tmp/{MARKER}": "x"})), suffix=".zip"),
    "a zip with a link out": Archive(
        lambda: _zip(_zip_tree(**{f"{_TOP}/link": "/tmp", f"{_TOP}/link/{MARKER}": "x"}), {f"{_TOP}/link": 0o120777}),
        suffix=".zip",
    ),
    "a zip bomb": Archive(lambda: _zip(_zip_tree(**{f"{_TOP}/zeros": bytes(700 * MB)})), suffix=".zip"),
    "a zip with two faces": Archive(_two_faced_zip, suffix=".zip"),
    "another distribution's name inside": _replaced(**{"PKG-INFO": metadata("other", "1.0")}),
    "another version inside": _replaced(**{"PKG-INFO": metadata("bad", "2.0")}),
    "a top directory of another": Archive(lambda: sdist("other")),
    "build-system is a number": _replaced(pyproject__toml="build-system = 5\n"),
    "backend-path is a number": _replaced(pyproject__toml="[build-system]\nrequires = []\nbackend-path = 7\n"),
    "backend-path leads out": _replaced(
        pyproject__toml='[build-system]\nrequires = []\nbuild-backend = "x"\nbackend-path = ["../../.."]\n'
    ),
    "requires is a string": _replaced(pyproject__toml='[build-system]\nrequires = "victim"\n'),
    "requires has numbers": _replaced(pyproject__toml="[build-system]\nrequires = [1, 2]\n"),
    "requires has options": _replaced(
        pyproject__toml=build_system(requires=["victim\n--index-url http://127.0.0.1:9/simple"])
    ),
    "requires has an address": _replaced(pyproject__toml=build_system(requires=["victim @ git+file:///tmp/x"])),
    "requires has a path": _replaced(pyproject__toml=build_system(requires=["./vendored"])),
    "build-backend is a command": _replaced(pyproject__toml=build_system("os:system('x')")),
    "pyproject.toml is no TOML": _replaced(pyproject__toml="[build-system\n"),
    "pyproject.toml is deep": _replaced(pyproject__toml="x = " + "[" * 20000),
    "pyproject.toml is binary": _replaced(pyproject__toml=bytes(range(256))),
    "pyproject.toml is huge": _replaced(pyproject__toml="#" * (60 * MB)),
    "PKG-INFO is huge": _replaced(**{"PKG-INFO": metadata("bad", "1.0") + "\n" + "x" * (60 * MB)}),
    "PKG-INFO is binary": Archive(
        lambda: sdist("bad", files=tree("bad") | {"PKG-INFO": bytes(range(256)) * 4}), harmless=True
    ),
    "PKG-INFO requires nonsense": _replaced(**{"PKG-INFO": metadata("bad", "1.0", requires=["!!", "x ==="])}),
    "PKG-INFO requires an address": _replaced(
        **{"PKG-INFO": metadata("bad", "1.0", requires=["victim @ git+file:///tmp/x"])}
    ),
    "PKG-INFO requires a local file": _replaced(
        **{"PKG-INFO": metadata("bad", "1.0", requires=["victim @ file:///etc/passwd"])}
    ),
    "it requires itself to be built": Archive(
        lambda: sdist("bad", files=tree("bad") | {"pyproject.toml": build_system(requires=["bad"])}), harmless=True
    ),
}
