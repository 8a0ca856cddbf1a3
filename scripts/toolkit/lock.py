"""The lock: `vendor/pylock.<service>.toml`, one per service, as PEP 751 defines it.

What PEP 751 has no word for stands in `[tool.python-common]`: build requirements of each sdist, the distributions that
only builds or tests need, local packages, and the fingerprints of the files the lock was made from. Reading needs
the standard library alone; writing happens above the network line and uses tomli-w.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from toolkit import files, ui

TOOL = "python-common"
#: Not just `make vendor`, which reads the old lock too: it must not give up all its versions unasked.
_RESTORE = "restore it from git, or remove it and run `make vendor`, which then chooses all versions anew"
Kind = Literal["sdist", "wheels", "archive"]


def normalize(name: str) -> str:
    """Return a distribution's name in its normal form (PEP 503): `Foo.Bar_baz` -> `foo-bar-baz`."""
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True, kw_only=True)
class VendoredFile:
    """One file of `vendor/`: its name there, size in bytes, sha256 (hexadecimal) and where it came from."""

    name: str
    size: int
    sha256: str
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """One locked distribution.

    `kind` says which files it has: one sdist, one archive (a direct URL), or wheels (binary by name, one file a
    platform). `marker` (PEP 508) says for which interpreters. `build_requires` is the closure of what builds it, each
    `name==version` with an optional `; marker`; distributions taken as wheels have none. `offered` are the wheels that
    the index has of an sdist for these interpreters and machines: not vendored, for development environments.
    """

    name: str
    version: str
    kind: Kind
    files: tuple[VendoredFile, ...]
    marker: str = ""
    requires_python: str = ""
    dependencies: tuple[str, ...] = ()
    build_requires: tuple[str, ...] = ()
    offered: tuple[VendoredFile, ...] = ()

    @property
    def key(self) -> str:
        """Return `name==version`, which identifies a distribution within a lock."""
        return f"{self.name}=={self.version}"


@dataclass(frozen=True, kw_only=True)
class LocalPackage:
    """A package of the project tree: its name, directory relative to the project, and what builds it."""

    name: str
    path: str
    build_requires: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Lock:
    """All that one service (or, in a project without services, library) needs.

    `packages` is the runtime closure, `build_packages` what only builds and tests need besides, `local` the service
    itself and the libraries of the tree it uses, `test_requires` the closure of its tests (as `build_requires`),
    `dev_requires` what else its developers have, `inputs` the fingerprint of each file (relative to the project) the
    lock was resolved from.
    """

    service: str
    pythons: tuple[str, ...]
    platforms: tuple[str, ...] = ("linux",)
    packages: tuple[Distribution, ...] = ()
    build_packages: tuple[Distribution, ...] = ()
    local: tuple[LocalPackage, ...] = ()
    test_requires: tuple[str, ...] = ()
    dev_requires: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)

    def distributions(self) -> Iterator[Distribution]:
        """Yield every locked distribution, runtime first."""
        yield from self.packages
        yield from self.build_packages

    def vendored_files(self) -> dict[str, VendoredFile]:
        """Return every file the lock names, by its name in `vendor/`."""
        return {file.name: file for distribution in self.distributions() for file in distribution.files}

    def find(self, key: str) -> Distribution:
        """Return the distribution with this `name==version`; raises `KeyError`."""
        return next((d for d in self.distributions() if d.key == key), None) or _no_such(key)


def _no_such(key: str) -> Distribution:
    raise KeyError(key)


def path_of(vendor: Path, service: str) -> Path:
    """Return where the lock of a service stands."""
    return vendor / f"pylock.{service}.toml"


def read(path: Path) -> Lock:
    """Read a lock. Raises `UserError` when the file is missing or is not a lock this toolkit wrote."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ui.UserError(f"{path}: there is no lock", "run `make vendor`") from None
    except UnicodeDecodeError as error:
        raise ui.UserError(f"{path}: not a TOML file: {error}", _RESTORE) from None
    return parse(text, path.name.removeprefix("pylock.").removesuffix(".toml"), str(path))


@cache
def parse(text: str, service: str, shown: str) -> Lock:
    """Return the lock of a service that a text is. Raises `UserError`, which calls it `shown`, when it is none."""
    try:
        return _lock_from(tomllib.loads(text), service)
    except tomllib.TOMLDecodeError as error:
        raise ui.UserError(f"{shown}: not a TOML file: {error}", _RESTORE) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ui.UserError(
            f"{shown}: not a lock of this toolkit ({type(error).__name__}: {error})", _RESTORE
        ) from None


def _lock_from(data: dict[str, Any], service: str) -> Lock:
    if data["lock-version"] != "1.0":
        raise ValueError(f"lock-version {data['lock-version']!r} is not 1.0")
    tool = data["tool"][TOOL]
    return Lock(
        service=service,
        pythons=tuple(tool["pythons"]),
        platforms=tuple(tool["platforms"]),
        packages=tuple(_distribution_from(item) for item in data["packages"]),
        build_packages=tuple(_distribution_from(item) for item in tool.get("build-packages", ())),
        local=tuple(
            LocalPackage(name=item["name"], path=item["path"], build_requires=tuple(item["build-requires"]))
            for item in tool.get("local", ())
        ),
        test_requires=tuple(tool.get("test-requires", ())),
        dev_requires=tuple(tool.get("dev-requires", ())),
        inputs=dict(tool["inputs"]),
    )


def _distribution_from(item: dict[str, Any]) -> Distribution:
    kind: Kind = "sdist" if "sdist" in item else "archive" if "archive" in item else "wheels"
    entries = item["wheels"] if kind == "wheels" else [item[kind]]
    own = item.get("tool", {}).get(TOOL, {})
    return Distribution(
        name=item["name"],
        version=item["version"],
        kind=kind,
        files=tuple(_file_from(entry) for entry in entries),
        marker=item.get("marker", ""),
        requires_python=item.get("requires-python", ""),
        dependencies=tuple(dependency["name"] for dependency in item.get("dependencies", ())),
        build_requires=tuple(own.get("build-requires", ())),
        offered=tuple(
            VendoredFile(name=wheel["name"], size=wheel["size"], sha256=wheel["sha256"], url=wheel["url"])
            for wheel in own.get("offered", ())
        ),
    )


def _file_from(entry: dict[str, Any]) -> VendoredFile:
    name = entry["path"]
    if "/" in name or name.startswith("."):
        raise ValueError(f"path {name!r} leaves vendor/")
    return VendoredFile(name=name, size=entry["size"], sha256=entry["hashes"]["sha256"], url=entry.get("url", ""))


def write(path: Path, lock: Lock) -> None:
    """Write a lock, whole or not at all. Needs tomli-w, so only verbs above the network line call it."""
    import tomli_w

    files.write_atomic(path, tomli_w.dumps(_to_data(lock)))


def _to_data(lock: Lock) -> dict[str, Any]:
    tool: dict[str, Any] = {
        "pythons": list(lock.pythons),
        "platforms": list(lock.platforms),
        "test-requires": list(lock.test_requires),
        "dev-requires": list(lock.dev_requires),
        "inputs": dict(sorted(lock.inputs.items())),
        "local": [
            {"name": item.name, "path": item.path, "build-requires": list(item.build_requires)} for item in lock.local
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
        data["tool"] = {TOOL: {"build-requires": list(item.build_requires)}}
        if item.offered:
            data["tool"][TOOL]["offered"] = [asdict(wheel) for wheel in item.offered]
    return data


def _file_to(file: VendoredFile, kind: Kind) -> dict[str, Any]:
    data: dict[str, Any] = {"path": file.name, "size": file.size, "hashes": {"sha256": file.sha256}}
    if file.url:
        data["url"] = file.url
    # An archive (PEP 751: packages.archive) has no `name`.
    return data if kind == "archive" else {"name": file.name, **data}
