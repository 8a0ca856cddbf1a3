"""Writing a lock: TOML, by tomli-w, the same bytes for the same lock.

https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tomli_w

from toolkit.core import files
from toolkit.core.secrets import address
from toolkit.model import crates, markers, requirement_texts
from toolkit.model.build_settings import BuildSettings
from toolkit.model.lock import TOOL, Crate, Distribution, Kind, LocalPackage, Lock, VendoredFile
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
                **_filled({"build-dependencies": list(item.build_dependencies)}),
                **_rust_to(item),
                **_settings_to(item.settings),
            }
            for item in lock.local
        ],
        "build-packages": [_distribution_to(item) for item in _sorted(lock.build_packages)],
        **({} if lock.direct is None else {"direct": [asdict(item) for item in lock.direct]}),
        **_filled({"crates": [_crate_to(item) for item in sorted(lock.crates, key=lambda item: item.key)]}),
    }
    return {
        "lock-version": "1.0",
        "environments": markers.of_targets(lock.pythons, lock.platforms),
        "created-by": TOOL,
        "packages": [_distribution_to(item, _dependencies(item, lock.packages)) for item in _sorted(lock.packages)],
        "tool": {TOOL: tool},
    }


def _sorted(distributions: tuple[Distribution, ...]) -> list[Distribution]:
    return sorted(distributions, key=lambda item: (item.name, item.version))


def _dependencies(item: Distribution, packages: Iterable[Distribution]) -> list[dict[str, str]]:
    """Return the packages that an item requires, named as far as that tells them apart (PEP 751, `dependencies`)."""
    names = {normalize(parsed.name) for text in item.requires if (parsed := requirement_texts.parse(text))}
    found = sorted((other.name, other.version) for other in packages if other.name in names)
    count = Counter(name for name, _ in found)
    return [{"name": name} if count[name] == 1 else {"name": name, "version": version} for name, version in found]


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return those values that are not empty."""
    return {key: value for key, value in values.items() if value}


def _distribution_to(item: Distribution, dependencies: Sequence[dict[str, str]] = ()) -> dict[str, Any]:
    optional = {
        "marker": item.marker,
        "requires-python": item.requires_python,
        "index": item.index,
        "dependencies": list(dependencies),
    }
    entries = [_file_to(file, item.kind) for file in item.files]
    own = _filled(
        {
            "metadata": item.metadata,
            "requires-sha256": item.requires_sha256,
            "build-dependencies": list(item.build_dependencies),
            "requires": list(item.requires),
            "offered": [
                {"name": wheel.name, "size": wheel.size, "sha256": wheel.sha256, "url": address(wheel.url)}
                for wheel in item.offered
            ],
            **_rust_to(item),
            "rust-version": item.rust_version,
            "rust-version-of": item.rust_version_of,
            **_settings_to(item.settings),
            "patches": [asdict(patch) for patch in item.patches],
            "system-files": list(item.system_files),
        }
    )
    if item.kind != "wheels":
        own = {"build-requires": list(map(str, item.build_requires)), **own}
    return {
        "name": item.name,
        "version": item.version,
        **_filled(optional),
        item.kind: entries if item.kind == "wheels" else entries[0],
        **_filled({"tool": {TOOL: own} if own else {}}),
    }


def _rust_to(item: Distribution | LocalPackage) -> dict[str, Any]:
    # What has crates is Rust.
    return _filled({"crates": list(item.crates), "rust": item.rust and not item.crates})


def _settings_to(settings: BuildSettings) -> dict[str, Any]:
    return _filled({"config-settings": settings.config_settings, "env": dict(settings.environment)})


def _crate_to(item: Crate) -> dict[str, Any]:
    file = item.file
    found = (
        {"path": file.name, "size": file.size, "url": address(file.url)} if file else {"index-line": item.index_line}
    )
    source = "" if item.source == crates.CRATES_IO else item.source
    own = {"name": item.name, "version": item.version}
    return own | _filled({"sha256": item.sha256, "source": source}) | found


def _file_to(file: VendoredFile, kind: Kind) -> dict[str, Any]:
    data = {
        "path": file.name,
        "size": file.size,
        "hashes": {"sha256": file.sha256},
        **_filled({"url": address(file.url)}),
    }
    # An archive (PEP 751: packages.archive) has no `name`.
    return data if kind == "archive" else {"name": file.name, **data}
