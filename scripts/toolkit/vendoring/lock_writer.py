"""Writing a lock: TOML, by tomli-w, the same bytes for the same lock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tomli_w
from packaging.requirements import Requirement

from toolkit.core import files
from toolkit.model.lock import TOOL, Distribution, Kind, Lock, VendoredFile
from toolkit.model.names import normalize


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
            {
                "name": item.name,
                "path": item.path,
                "build-requires": list(map(str, item.build_requires)),
                **_listed("build-dependencies", item.build_dependencies),
            }
            for item in lock.local
        ],
        "build-packages": [_distribution_to(item) for item in _sorted(lock.build_packages)],
        **({} if lock.direct is None else {"direct": [asdict(item) for item in lock.direct]}),
    }
    return {
        "lock-version": "1.0",
        "environments": [
            f"python_version == '{python}' and sys_platform == '{platform}'"
            for python in lock.pythons
            for platform in lock.platforms
        ],
        "created-by": TOOL,
        "packages": [_distribution_to(item, _dependencies(item, lock.packages)) for item in _sorted(lock.packages)],
        "tool": {TOOL: tool},
    }


def _sorted(distributions: tuple[Distribution, ...]) -> list[Distribution]:
    return sorted(distributions, key=lambda item: (item.name, item.version))


def _dependencies(item: Distribution, packages: Iterable[Distribution]) -> list[dict[str, str]]:
    """Return who of the packages an item needs, named as far as that tells them apart (PEP 751, `dependencies`)."""
    names = {normalize(Requirement(text).name) for text in item.requires}
    found = sorted((other.name, other.version) for other in packages if other.name in names)
    count = Counter(name for name, _ in found)
    return [{"name": name} if count[name] == 1 else {"name": name, "version": version} for name, version in found]


def _listed(key: str, texts: Sequence[str]) -> dict[str, list[str]]:
    return {key: list(texts)} if texts else {}


def _distribution_to(item: Distribution, dependencies: Sequence[dict[str, str]] = ()) -> dict[str, Any]:
    optional = {"marker": item.marker, "requires-python": item.requires_python}
    data: dict[str, Any] = {
        "name": item.name,
        "version": item.version,
        **{key: value for key, value in optional.items() if value},
    }
    if dependencies:
        data["dependencies"] = list(dependencies)
    entries = [_file_to(file, item.kind) for file in item.files]
    data[item.kind] = entries if item.kind == "wheels" else entries[0]
    own: dict[str, Any] = {
        **({} if item.kind == "wheels" else {"build-requires": list(map(str, item.build_requires))}),
        **_listed("build-dependencies", item.build_dependencies),
        **_listed("requires", item.requires),
    }
    if item.offered:
        own["offered"] = [asdict(wheel) for wheel in item.offered]
    return {**data, "tool": {TOOL: own}} if own else data


def _file_to(file: VendoredFile, kind: Kind) -> dict[str, Any]:
    data: dict[str, Any] = {"path": file.name, "size": file.size, "hashes": {"sha256": file.sha256}}
    if file.url:
        data["url"] = file.url
    # An archive (PEP 751: packages.archive) has no `name`.
    return data if kind == "archive" else {"name": file.name, **data}
