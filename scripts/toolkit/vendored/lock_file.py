"""The lock: `vendor/pylock.<service>.toml`, one per service, as PEP 751 defines it.

What PEP 751 has no word for stands in `[tool.python-common]`: build requirements of each sdist, the distributions that
only builds or tests need, local packages, the texts of direct requirements, and the fingerprints of the files the lock
was made from. Reading needs the standard library alone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from toolkit.core.errors import UserError
from toolkit.model.lock import TOOL, DirectRequirement, Distribution, Kind, LocalPackage, Lock, VendoredFile
from toolkit.model.pins import Pinned
from toolkit.project import submodules
from toolkit.project.discovery import Package, Project

#: Not just `make vendor`, which reads the old lock too: it must not give up all its versions unasked.
_RESTORE = "restore it from git, or remove it and run `make vendor`, which then chooses all versions anew"


def path_of(vendor: Path, service: str) -> Path:
    """Return where the lock of a service stands."""
    return vendor / f"pylock.{service}.toml"


def of_package(project: Project, package: Package, vendor: Path) -> Lock:
    """Return the lock of a package of a project. Raises as `read` does."""
    return read(path_of(vendor, project.lock_name(package)))


def of_project(project: Project, vendor: Path) -> list[Lock]:
    """Return the locks of all packages that have one. Raises as `read` does, and where there is no vendor/ yet."""
    if submodules.is_empty(vendor):
        raise UserError("vendor/: there is nothing in it", "run `make vendor`")
    return [of_package(project, package, vendor) for package in project.locked]


def read(path: Path) -> Lock:
    """Read a lock. Raises `UserError` when the file is missing or is not a lock this toolkit wrote."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path.parent.name}/{path.name}: there is no lock", "run `make vendor`") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path.parent.name}/{path.name}: not a TOML file: {error}", _RESTORE) from None
    return parse(text, path.name.removeprefix("pylock.").removesuffix(".toml"), str(path))


@cache
def parse(text: str, service: str, shown: str) -> Lock:
    """Return the lock of a service that a text is. Raises `UserError`, which calls it `shown`, when it is none."""
    try:
        return _lock_from(tomllib.loads(text), service)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{shown}: not a TOML file: {error}", _RESTORE) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{shown}: not a lock of this toolkit ({type(error).__name__}: {error})", _RESTORE) from None


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
            LocalPackage(
                name=item["name"],
                path=item["path"],
                build_requires=_pinned(item["build-requires"]),
                build_dependencies=tuple(item.get("build-dependencies", ())),
            )
            for item in tool.get("local", ())
        ),
        test_requires=_pinned(tool.get("test-requires", ())),
        dev_requires=_pinned(tool.get("dev-requires", ())),
        inputs=dict(tool["inputs"]),
        direct=tuple(DirectRequirement(**item) for item in tool["direct"]) if "direct" in tool else None,
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
        index=item.get("index", ""),
        metadata=own.get("metadata", ""),
        requires=tuple(own.get("requires", ())),
        build_dependencies=tuple(own.get("build-dependencies", ())),
        build_requires=_pinned(own.get("build-requires", ())),
        offered=tuple(
            VendoredFile(name=wheel["name"], size=wheel["size"], sha256=wheel["sha256"], url=wheel["url"])
            for wheel in own.get("offered", ())
        ),
    )


def _pinned(texts: Iterable[str]) -> tuple[Pinned, ...]:
    return tuple(map(Pinned.parse, texts))


def _file_from(entry: dict[str, Any]) -> VendoredFile:
    name = entry["path"]
    if "/" in name or name.startswith("."):
        raise ValueError(f"path {name!r} leaves vendor/")
    return VendoredFile(name=name, size=entry["size"], sha256=entry["hashes"]["sha256"], url=entry.get("url", ""))
