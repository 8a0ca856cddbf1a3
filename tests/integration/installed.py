"""Real build backends on the local index: what the tests' own environment has of them, packed as wheels again."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from importlib import metadata

from packaging.requirements import Requirement

from tests.integration.local_index import LocalIndex
from toolkit.model.names import normalize

_OF_THE_INSTALLATION = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")


def publish(index: LocalIndex, name: str) -> set[str]:
    """Publish a distribution that is installed beside pytest, and what it needs; returns the names of all."""
    found: set[str] = set()
    stack = [name]
    while stack:
        distribution = metadata.distribution(stack.pop())
        name = normalize(distribution.metadata["Name"])
        if name not in found:
            found.add(name)
            stem = f"{name.replace('-', '_')}-{distribution.version}"
            index.add(f"{stem}-py3-none-any.whl", _wheel(distribution, f"{stem}.dist-info"), name=name)
            requires = map(Requirement, distribution.requires or ())
            stack += [item.name for item in requires if not item.marker or item.marker.evaluate({"extra": ""})]
    return found


def _wheel(distribution: metadata.Distribution, folder: str) -> bytes:
    members: dict[str, bytes] = {}
    for path in distribution.files or ():
        inside = ".dist-info" not in path.parts[0] or path.name not in _OF_THE_INSTALLATION
        # What pip added, such as byte code, it records without a hash, and not always where it is.
        if inside and path.hash and {"..", "tests"}.isdisjoint(path.parts):
            name = path.as_posix()
            if ".dist-info/" in name:
                name = f"{folder}/{name.split('/', 1)[1]}"
            members[name] = path.read_binary()
    record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in members.items())
    members[f"{folder}/RECORD"] = f"{record}{folder}/RECORD,,\n".encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return stream.getvalue()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
