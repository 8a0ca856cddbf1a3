"""What vendored files say of their direct requirements, read offline and without running anything.

A lock holds closures: all that a build needs, not who needs what. That stands in the files themselves: in PKG-INFO, in
requires.txt of sdists from before metadata 2.2, in pyproject.toml, in the METADATA of wheels.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from toolkit.core import console, files
from toolkit.model import core_metadata
from toolkit.model.lock import Distribution, VendoredFile
from toolkit.model.names import normalize
from toolkit.project.pyproject import LEGACY_REQUIRES
from toolkit.vendored import archive

#: Part of every entry's name: a change in what is read makes new entries instead of wrong hits.
_RECIPE = 1
_SECTION = re.compile(r"\[(?P<extra>[^:\]]*):?(?P<marker>[^\]]*)\]")


@dataclass(frozen=True, kw_only=True)
class Said:
    """Direct requirements (PEP 508): at run time, and of the build; a backend may ask for more when it is run."""

    requires: tuple[str, ...] = ()
    build: tuple[str, ...] = ()


def read_all(distributions: Iterable[Distribution], vendor: Path) -> dict[str, Said]:
    """Return what each distribution says, by `name==version`; nothing of those whose file is missing.

    Opening archives takes seconds, so what was read is kept by the file's sha256. Raises `UserError` on a damaged one.
    """
    wanted = {item.key: item for item in distributions if (vendor / item.files[0].name).is_file()}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda item: _kept(item, vendor), wanted.values())
        return dict(zip(wanted, found, strict=True))


def _kept(item: Distribution, vendor: Path) -> Said:
    file = item.files[0]
    entry = files.cache_root() / "metadata" / f"{file.sha256}-{_RECIPE}.json"
    try:
        known = json.loads(entry.read_text(encoding="utf-8"))
        return Said(requires=tuple(known["requires"]), build=tuple(known["build"]))
    except (OSError, ValueError, KeyError, TypeError):
        said = _from_wheel(file, vendor) if item.kind == "wheels" else _from_source(file, vendor)
        _keep(entry, said)
        return said


def _keep(entry: Path, said: Said) -> None:
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        files.write_atomic(entry, json.dumps(asdict(said)))
    except OSError as error:
        console.debug(f"{entry}: not kept: {error}")


def _from_wheel(file: VendoredFile, vendor: Path) -> Said:
    stem = "-".join(file.name.split("-")[:2])
    content = archive.read_member(vendor / file.name, f"{stem}.dist-info/METADATA") or b""
    return Said(requires=_headers(content))


def _from_source(file: VendoredFile, vendor: Path) -> Said:
    path = vendor / file.name
    # The older an sdist, the more likely its name is not normalised: both spellings are looked for, in one pass.
    name = file.name.rpartition("-")[0]
    lists = [f"{base}{stem}.egg-info/requires.txt" for stem in {name, name.replace("-", "_")} for base in ("", "src/")]
    found = archive.read_members(path, ("PKG-INFO", "pyproject.toml", *lists))
    pyproject = _toml(found.get("pyproject.toml", b""))
    requires = _headers(found.get("PKG-INFO", b"")) or next(
        (tuple(_from_requires_txt(found[name])) for name in lists if name in found), ()
    )
    declared = _texts(pyproject.get("project", {}).get("dependencies"))
    return Said(requires=requires or declared, build=build_requires(pyproject))


def build_requires(pyproject: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a pyproject.toml names to build with."""
    return _texts(pyproject["build-system"].get("requires")) if "build-system" in pyproject else LEGACY_REQUIRES


def _headers(content: bytes) -> tuple[str, ...]:
    return core_metadata.parse(content).requires


def _toml(content: bytes) -> Mapping[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {}


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _from_requires_txt(content: bytes) -> Iterator[str]:
    """Yield setuptools' list as PEP 508: sections `[extra]`, `[:marker]` and `[extra:marker]` become conditions."""
    condition = ""
    for line in map(str.strip, content.decode("utf-8", "replace").splitlines()):
        if section := _SECTION.fullmatch(line):
            extra = f"extra == '{normalize(section['extra'])}'" if section["extra"] else ""
            marker = f"({section['marker']})" if section["marker"] and extra else section["marker"]
            condition = " and ".join(part for part in (marker, extra) if part)
        elif line:
            yield f"{line} ; {condition}" if condition else line
