"""Wheels that tests make, without building them from anything."""

from __future__ import annotations

import base64
import hashlib
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


def make_wheel(
    directory: Path,
    name: str,
    files: Mapping[str, str | bytes],
    *,
    tag: str = "py3-none-any",
    version: str = "1.0",
    entry_points: str = "",
    metadata: str = "",
    raw: Sequence[tuple[str | zipfile.ZipInfo, bytes]] = (),
    inside: Mapping[str, bytes] | None = None,
    record: Callable[[str], str] = str,
) -> Path:
    """Write a wheel with these files; a `scripts/x` goes where pip puts scripts, `dist-info/x` beside METADATA.

    `raw` members are taken as they are, and recorded. `inside` replaces files of the metadata, `record` the RECORD.
    """
    stem = f"{name.replace('-', '_')}-{version}"
    members = {_member(path, stem): _bytes(content) for path, content in files.items()}
    folder = f"{stem}.dist-info"
    members[f"{folder}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}".encode()
    members[f"{folder}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()
    if entry_points:
        members[f"{folder}/entry_points.txt"] = entry_points.encode()
    members |= {f"{folder}/{path}": content for path, content in (inside or {}).items()}
    every = [
        *members.items(),
        *((member if isinstance(member, str) else member.filename, data) for member, data in raw),
    ]
    rows = "".join(f"{_quoted(path)},sha256={_digest(content)},{len(content)}\n" for path, content in every)
    members[f"{folder}/RECORD"] = record(f"{rows}{folder}/RECORD,,\n").encode("utf-8", "surrogateescape")
    directory.mkdir(parents=True, exist_ok=True)
    wheel = directory / f"{stem}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in members.items():
            info = zipfile.ZipInfo(path)
            info.external_attr = (0o100755 if "/scripts/" in path else 0o100644) << 16
            archive.writestr(info, content)
        with warnings.catch_warnings():
            # Of names that come twice.
            warnings.simplefilter("ignore")
            for member, content in raw:
                archive.writestr(member, content)
    return wheel


def _quoted(path: str) -> str:
    return f'"{path}"' if {",", "\n", "\r"} & set(path) else path


def _member(path: str, stem: str) -> str:
    if path.startswith("dist-info/"):
        return f"{stem}.{path}"
    return f"{stem}.data/{path}" if path.startswith("scripts/") else path


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
