"""A registry of crates on the loopback interface, and sdists that are built from them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import http_server
from tests.integration import sdists
from tests.integration.local_index import LocalIndex
from toolkit.model.crates import CRATES_IO

#: Does what maturin does as far as cargo sees it: asks for all metadata, compiles, and packs what came of it.
_MATURIN = """
import base64, hashlib, json, pathlib, subprocess, tomllib, zipfile

WHEEL = "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    asked = subprocess.run(["cargo", "metadata", "--format-version", "1"], check=True, stdout=subprocess.PIPE)
    target = pathlib.Path(json.loads(asked.stdout)["target_directory"])
    subprocess.run(["cargo", "build", "--release"], check=True)
    project = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]
    stem = f"{project['name']}-{project['version']}"
    (library,) = (target / "release").glob("*.so")
    members = {
        f"{project['name']}.so": library.read_bytes(),
        # As maturin's SBOM has it.
        f"{project['name']}.place": str(pathlib.Path.cwd()).encode(),
        f"{stem}.dist-info/METADATA": pathlib.Path("PKG-INFO").read_bytes(),
        f"{stem}.dist-info/WHEEL": WHEEL.encode(),
    }
    with zipfile.ZipFile(pathlib.Path(wheel_directory, f"{stem}-py3-none-any.whl"), "w") as wheel:
        rows = []
        for name, data in members.items():
            wheel.writestr(zipfile.ZipInfo(name), data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
            rows.append(f"{name},sha256={digest},{len(data)}\\n")
        wheel.writestr(zipfile.ZipInfo(f"{stem}.dist-info/RECORD"), "".join(rows) + f"{stem}.dist-info/RECORD,,\\n")
    return f"{stem}-py3-none-any.whl"
"""
_SYSTEM = '[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"\n'


class _Handler(http_server.Handler):
    registry: Registry

    def get(self) -> None:
        self.registry.asked.append(self.path)
        body = self.registry.pages.get(self.path)
        self.answer(404 if body is None else 200, {}, body or b"")


@dataclass
class Registry:
    """Crates by the paths of their pages and files; `asked` are the paths that were asked for."""

    url: str = ""
    pages: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    _checksums: dict[str, str] = field(default_factory=dict)

    def add(
        self,
        name: str,
        version: str,
        source: str = "",
        *,
        needs: Sequence[Mapping[str, Any]] = (),
        features: Mapping[str, list[str]] | None = None,
        rust: str = "",
        yanked: bool = False,
        content: bytes = b"",
    ) -> None:
        """Publish a crate: the text of its library, its dependencies as an index has them, and its rust-version.

        `content` is another archive than what follows from that.
        """
        manifest = [f'[package]\nname = "{name}"\nversion = "{version}"\nedition = "2021"']
        for need in needs:
            table = f"target.'{need['target']}'.dependencies" if need.get("target") else "dependencies"
            manifest.append(f'[{table}.{need["name"]}]\nversion = "{need["req"]}"')
            manifest.append(f"features = {json.dumps(need.get('features', []))}")
            manifest += [f'package = "{need["package"]}"'] if need.get("package") else []
        manifest.append("[features]")
        manifest += [f"{feature} = {json.dumps(values)}" for feature, values in (features or {}).items()]
        files = {"Cargo.toml": "\n".join(manifest) + "\n", "src/lib.rs": source}
        content = content or archive({f"{name}-{version}/{path}": text for path, text in files.items()})
        self._checksums[f"{name} {version}"] = checksum = hashlib.sha256(content).hexdigest()
        line = {
            "name": name,
            "vers": version,
            "deps": [{"optional": False, "default_features": True, "kind": "normal", **need} for need in needs],
            "cksum": checksum,
            "features": features or {},
            "yanked": yanked,
            **({"rust_version": rust} if rust else {}),
        }
        path = f"/index/{name[:2]}/{name[2:4]}/{name}"
        others = [other for other in self.pages.get(path, b"").splitlines() if json.loads(other)["vers"] != version]
        self.pages[path] = b"\n".join((*others, json.dumps(line).encode())) + b"\n"
        self.pages[f"/files/{name}/{version}/download"] = content

    def checksum(self, name: str, version: str) -> str:
        """Return the SHA-256 of a crate."""
        return self._checksums[f"{name} {version}"]

    def lock(self, root: str, packages: Mapping[str, Sequence[str]]) -> str:
        """Return a Cargo.lock: `packages` are those of the registry, `name version` each, and what each needs."""
        blocks = ["version = 3", root]
        for package, needs in sorted(packages.items()):
            name, version = package.split()
            blocks.append(
                f'[[package]]\nname = "{name}"\nversion = "{version}"\nsource = "{CRATES_IO}"\n'
                f'checksum = "{self._checksums[package]}"\ndependencies = {json.dumps(list(needs))}'
            )
        return "\n\n".join(blocks) + "\n"

    def configure(self, home: Path) -> None:
        """Write cargo's settings, by which this registry stands in the place of its own, to a CARGO_HOME."""
        home.mkdir(parents=True, exist_ok=True)
        text = '[source.crates-io]\nreplace-with = "test"\n[source.test]\n'
        (home / "config.toml").write_text(f'{text}registry = "sparse+{self.url}/index/"\n')


@contextmanager
def serving() -> Iterator[Registry]:
    """Run a registry for the block."""
    registry = Registry()
    with http_server.serving(_Handler, registry=registry) as server:
        registry.url = f"http://127.0.0.1:{server.server_port}"
        registry.pages["/index/config.json"] = json.dumps({"dl": f"{registry.url}/files"}).encode()
        yield registry


def publish(index: LocalIndex, name: str, files: Mapping[str, str]) -> None:
    """Publish an sdist that the tests' maturin builds, and that as a wheel."""
    publish_maturin(index)
    sdists.publish(index, name, "1.0", modules={}, files={"pyproject.toml": _project(name), **files})


def publish_maturin(index: LocalIndex) -> None:
    """Publish the tests' maturin as a wheel."""
    sdists.publish_wheel(index, "maturin", "1.0", modules={"maturin": _MATURIN})


def package(name: str, files: Mapping[str, str]) -> dict[str, str]:
    """Return the files of a package of a project that the tests' maturin builds, by path."""
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    members = {"pyproject.toml": _project(name), "PKG-INFO": metadata, **files}
    return {f"{name}/{path}": text for path, text in members.items()}


def _project(name: str) -> str:
    return f'{_SYSTEM}[project]\nname = "{name}"\nversion = "1.0"\n'


def archive(members: Mapping[str, str]) -> bytes:
    """Return an archive of these members, the same bytes each time."""
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as output:
        for name, text in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            output.addfile(member, io.BytesIO(text.encode()))
    return stream.getvalue()
