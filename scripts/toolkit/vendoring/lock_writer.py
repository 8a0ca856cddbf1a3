"""Writing a lock: TOML, by tomli-w, the same bytes for the same lock."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import tomli_w

from toolkit.core import files
from toolkit.model.lock import TOOL, Distribution, Kind, Lock, VendoredFile


def write(path: Path, lock: Lock) -> None:
    """Write a lock, whole or not at all."""
    files.write_atomic(path, tomli_w.dumps(_to_data(lock)))


def _to_data(lock: Lock) -> dict[str, Any]:
    tool: dict[str, Any] = {
        "pythons": list(lock.pythons),
        "platforms": list(lock.platforms),
        "test-requires": list(map(str, lock.test_requires)),
        "dev-requires": list(map(str, lock.dev_requires)),
        "inputs": dict(sorted(lock.inputs.items())),
        "local": [
            {"name": item.name, "path": item.path, "build-requires": list(map(str, item.build_requires))}
            for item in lock.local
        ],
        "build-packages": [_distribution_to(item) for item in _sorted(lock.build_packages)],
    }
    return {
        "lock-version": "1.0",
        "environments": [
            f"python_version == '{python}' and sys_platform == '{platform}'"
            for python in lock.pythons
            for platform in lock.platforms
        ],
        "created-by": TOOL,
        "packages": [_distribution_to(item) for item in _sorted(lock.packages)],
        "tool": {TOOL: tool},
    }


def _sorted(distributions: tuple[Distribution, ...]) -> list[Distribution]:
    return sorted(distributions, key=lambda item: (item.name, item.version))


def _distribution_to(item: Distribution) -> dict[str, Any]:
    optional = {"marker": item.marker, "requires-python": item.requires_python}
    data: dict[str, Any] = {
        "name": item.name,
        "version": item.version,
        **{key: value for key, value in optional.items() if value},
    }
    if item.dependencies:
        data["dependencies"] = [{"name": name} for name in item.dependencies]
    entries = [_file_to(file, item.kind) for file in item.files]
    data[item.kind] = entries if item.kind == "wheels" else entries[0]
    if item.kind != "wheels":
        data["tool"] = {TOOL: {"build-requires": list(map(str, item.build_requires))}}
        if item.offered:
            data["tool"][TOOL]["offered"] = [asdict(wheel) for wheel in item.offered]
    return data


def _file_to(file: VendoredFile, kind: Kind) -> dict[str, Any]:
    data: dict[str, Any] = {"path": file.name, "size": file.size, "hashes": {"sha256": file.sha256}}
    if file.url:
        data["url"] = file.url
    # An archive (PEP 751: packages.archive) has no `name`.
    return data if kind == "archive" else {"name": file.name, **data}
