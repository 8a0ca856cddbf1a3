"""Source distributions and wheels, good and bad, made with the standard library alone."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

Content = bytes | str
#: A whole PEP 517 backend in one file, which reads `tiny.json`.
TINY = (Path(__file__).parents[1] / "integration" / "backend.py").read_text(encoding="utf-8")
ATTACKS = Path(__file__).with_name("attacks.py").read_text(encoding="utf-8")
HOSTILE = Path(__file__).with_name("hostile_backend.py").read_text(encoding="utf-8")


def build_system(backend: str = "tiny_backend", requires: Sequence[str] = ()) -> str:
    """Return the [build-system] of an sdist that brings its backend along."""
    return (
        f"[build-system]\nrequires = {json.dumps(list(requires))}\nbuild-backend = {json.dumps(backend)}\n"
        'backend-path = ["."]\n'
    )


def metadata(name: str, version: str, *, requires: Iterable[str] = (), complete: bool = True) -> str:
    """Return PKG-INFO or METADATA; not `complete`: of a version that leaves the requirements to the build."""
    lines = [f"Metadata-Version: {'2.2' if complete else '1.2'}", f"Name: {name}", f"Version: {version}"]
    return "\n".join([*lines, *(f"Requires-Dist: {requirement}" for requirement in requires)]) + "\n"


def tree(
    name: str,
    version: str = "1.0",
    *,
    requires: Sequence[str] = (),
    complete: bool = True,
    modules: Mapping[str, str] | None = None,
) -> dict[str, Content]:
    """Return the files of a source that builds itself, by their paths in it."""
    settings = {
        "name": name,
        "version": version,
        "requires": list(requires),
        "requires_python": "",
        "modules": {name.replace("-", "_"): f"VERSION = {version!r}\n"} if modules is None else modules,
        "c_source": "",
        "c_module": "",
        "dynamic": [],
        "needs_at_build": [],
    }
    return {
        "PKG-INFO": metadata(name, version, requires=requires, complete=complete),
        "pyproject.toml": build_system(),
        "tiny.json": json.dumps(settings),
        "tiny_backend.py": TINY,
    }


def hostile_tree(name: str, order: Mapping[str, object], *, complete: bool = True) -> dict[str, Content]:
    """Return the files of a source whose backend carries out an order (see hostile_backend.py)."""
    return tree(name, complete=complete) | {
        "pyproject.toml": build_system("hostile_backend"),
        "hostile_backend.py": HOSTILE,
        "attacks.py": ATTACKS,
        "order.json": json.dumps(order),
    }


def member(name: str, content: Content = b"", **attributes: object) -> tuple[tarfile.TarInfo, bytes]:
    """Return a member of a tar, with attributes of `tarfile.TarInfo`."""
    data = content.encode() if isinstance(content, str) else content
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(data), 1_767_225_600, 0o644
    for key, value in attributes.items():
        setattr(info, key, value)
    return info, data


def tar(members: Iterable[tuple[tarfile.TarInfo, bytes]], format: int = tarfile.PAX_FORMAT) -> bytes:
    """Return a tar, not compressed."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=format) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def sdist(name: str, version: str = "1.0", files: Mapping[str, Content] | None = None) -> bytes:
    """Return a .tar.gz of these files, or of a source that builds itself."""
    top = f"{name.replace('-', '_')}-{version}"
    contents = tree(name, version) if files is None else files
    return gzip.compress(tar(member(f"{top}/{path}", content) for path, content in contents.items()), 1, mtime=0)


def with_members(name: str, *extra: tuple[tarfile.TarInfo, bytes], version: str = "1.0") -> bytes:
    """Return a good sdist with further members, whose names have no top directory put before them."""
    top = f"{name.replace('-', '_')}-{version}"
    good = [member(f"{top}/{path}", content) for path, content in tree(name, version).items()]
    return gzip.compress(tar([*good, *extra]), 1, mtime=0)


def wheel(
    name: str,
    files: Mapping[str, Content] | None = None,
    *,
    version: str = "1.0",
    record: str | None = None,
    replaced: Mapping[str, Content | None] | None = None,
    modes: Mapping[str, int] | None = None,
    compression: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """Return a wheel.

    `replaced` are members of its .dist-info (None: left out), `record` stands in place of the right RECORD, `modes`
    are st_mode of members.
    """
    stem = f"{name.replace('-', '_')}-{version}"
    info = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: torture\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **(replaced or {}),
    }
    own = {f"{name.replace('-', '_')}.py": "VERSION = 1\n"} if files is None else files
    members = {path: _bytes(content) for path, content in own.items()}
    members |= {f"{stem}.dist-info/{path}": _bytes(text) for path, text in info.items() if text is not None}
    lines = "".join(f"{path},sha256={digest(data)},{len(data)}\n" for path, data in members.items())
    listed = f"{lines}{stem}.dist-info/RECORD,,\n" if record is None else record
    members[f"{stem}.dist-info/RECORD"] = listed.encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for path, data in members.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = (modes or {}).get(path, 0o100644) << 16
            entry.compress_type = compression
            archive.writestr(entry, data)
    return stream.getvalue()


def digest(data: bytes) -> str:
    """Return a hash as RECORD has it."""
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _bytes(content: Content) -> bytes:
    return content.encode() if isinstance(content, str) else content
