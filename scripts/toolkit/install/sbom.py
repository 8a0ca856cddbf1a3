"""The bill of materials of a service: CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json/."""

from __future__ import annotations

import base64
import gzip
import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from toolkit.core import console, files, os_release
from toolkit.install.system_packages import SystemPackage
from toolkit.model import requirement_texts
from toolkit.model.core_metadata import CoreMetadata
from toolkit.model.interpreter import Interpreter, select
from toolkit.model.lock import TOOL, Crate, Distribution, LocalPackage, Lock, VendoredFile
from toolkit.model.names import normalize
from toolkit.vendored import dependency_graph
from toolkit.vendored import locked as graphs
from toolkit.wheel import metadata

#: The name of the file in the documents of a package (Policy 12.3).
CARRIED = "sbom.cdx.json.gz"
#: The name of the property with what built a component, `name==version` each.
BUILT_WITH = f"{TOOL}:built-with"
_LICENCES = (
    "0BSD AGPL-3.0-only AGPL-3.0-or-later Apache-2.0 Artistic-2.0 BSD-2-Clause BSD-3-Clause BSL-1.0 CC0-1.0 EPL-2.0 "
    "EUPL-1.2 GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later HPND ISC LGPL-2.1-only LGPL-2.1-or-later "
    "LGPL-3.0-only LGPL-3.0-or-later MIT MIT-0 MIT-CMU MPL-2.0 PSF-2.0 Python-2.0 Unlicense Zlib ZPL-2.1"
)
#: Identifiers of SPDX as metadata has them, in any case: https://spdx.org/licenses/
_LICENCE_IDS = {name.lower(): name for name in _LICENCES.split()}
_LICENCE_ID = re.compile(r"[\w.-]+")


@dataclass(frozen=True, kw_only=True)
class OwnPackage:
    """The Debian package of a service, in whose `namespace` it is; `maintainer` is its `name <address>`.

    `timestamp` is when its version was made, in seconds since 1970.
    """

    namespace: str
    name: str
    version: str
    architecture: str
    maintainer: str
    timestamp: int

    @property
    def purl(self) -> str:
        """Return its address: https://github.com/package-url/purl-spec/blob/main/types-doc/deb-definition.md."""
        return _deb(self.namespace, self.name, self.version, self.architecture)


@dataclass(frozen=True, kw_only=True)
class Materials:
    """What a service is made of: its lock, its installed wheels, and the interpreter that the markers are for.

    In `project` are the patches that the lock names; `system` are the Debian packages that it runs with, and `package`
    is the one that it is in.
    """

    service: str
    lock: Lock
    wheels: Sequence[Path]
    interpreter: Interpreter
    project: Path
    system: Sequence[SystemPackage] = ()
    package: OwnPackage | None = None

    @property
    def crates(self) -> tuple[Crate, ...]:
        """Return the crates that are compiled into what is shipped."""
        shipped = (item for item in self.lock.packages if self.interpreter.matches(item.marker))
        return self.lock.crates_of([*shipped, *self.lock.local])


def file_name(service: str) -> str:
    """Return what the bill of a service is called: https://cyclonedx.org/specification/overview/#recognized-file-patterns."""
    return f"{service}.cdx.json"


def document(materials: Materials) -> dict[str, Any]:
    """Return the bill: the service, what it runs with (`required`), what built that (`excluded`), who requires what.

    The same materials give the same document: its serial number follows from its content, and its time is that of the
    package's version.
    """
    found = {normalize(item.name): item for item in map(metadata.read, materials.wheels)}
    locked = {item.name: item for item in materials.lock.packages if materials.interpreter.matches(item.marker)}
    own = materials.lock.local[-1].name if materials.lock.local else materials.service
    tools = _tools(materials.lock, materials.interpreter, locked)
    components = [
        *(
            _component(name, item.version, "required", locked.get(name), materials) | _licences(item)
            for name, item in sorted(found.items())
            if name != own
        ),
        *(_component(item.name, item.version, "excluded", item, materials) for item in tools),
        *_crates(materials.lock, [item for item in _compiled(materials.lock, locked) if item.name in found], tools),
        *map(_system_component, materials.system),
    ]
    version = found[own].version if own in found else ""
    application = {
        "type": "application",
        "bom-ref": f"service:{materials.service}",
        "name": materials.service,
        **({"version": version} if version else {}),
        **({"purl": materials.package.purl} if materials.package else {}),
    }
    tools_used = {"components": [{"type": "application", "name": TOOL}]}
    body = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": application, "tools": tools_used, **_made_by(materials.package)},
        "components": components,
        # An old lock does not have the requirements of each; an empty list would be a wrong answer.
        **({} if materials.lock.direct is None else {"dependencies": _dependencies(materials, found, locked, own)}),
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(body, sort_keys=True))
    return {**body, "serialNumber": f"urn:uuid:{serial}"}


def _made_by(package: OwnPackage | None) -> dict[str, Any]:
    """Return who supplies a package, and when its version was made."""
    if not package:
        return {}
    # Not as in mails, which quote a name with a comma; Policy 5.6.2.
    name, _, address = (part.strip(" >") for part in package.maintainer.rpartition("<"))
    contact = {key: value for key, value in (("name", name), ("email", address)) if value}
    return {
        "timestamp": datetime.fromtimestamp(package.timestamp, UTC).isoformat().replace("+00:00", "Z"),
        "supplier": {"name": name or address, "contact": [contact]},
    }


def _deb(namespace: str, name: str, version: str, architecture: str) -> str:
    system = os_release.read()
    distro = f"&distro={quote(system['VERSION_CODENAME'])}" if system.get("VERSION_CODENAME") else ""
    return f"pkg:deb/{quote(namespace)}/{quote(name)}@{quote(version, safe='')}?arch={quote(architecture)}{distro}"


def _system_reference(package: SystemPackage) -> str:
    return _deb(os_release.read().get("ID", "debian"), package.name, package.version, package.architecture)


def _system_component(package: SystemPackage) -> dict[str, Any]:
    reference = _system_reference(package)
    return {
        "type": "platform" if package.is_interpreter else "library",
        "bom-ref": reference,
        "name": package.name,
        "version": package.version,
        "scope": "required",
        "purl": reference,
    }


def write(path: Path, materials: Materials) -> None:
    """Write the bill, compressed when the name ends in `.gz`, the same bytes for the same materials."""
    if materials.lock.direct is None:
        what = f"vendor/pylock.{materials.service}.toml: {graphs.OUTDATED}, so {path.name} does not either"
        console.warn(f"{what}; {graphs.RENEW}")
    text = json.dumps(document(materials), indent=1, sort_keys=True).encode() + b"\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomic(path, gzip.compress(text, 9, mtime=0) if path.suffix == ".gz" else text, 0o644)


def _component(
    name: str, version: str, scope: str, locked: Distribution | None, materials: Materials
) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": _reference(name, locked),
        "name": name,
        "version": version,
        "scope": scope,
        **(_origin(locked, materials.interpreter) | _pedigree(locked, materials.project) if locked else {}),
    }


def _crates(
    lock: Lock, shipped: Sequence[Distribution | LocalPackage], tools: Sequence[Distribution]
) -> Iterator[dict[str, Any]]:
    """Yield the crates of what is shipped, whose code is compiled into it, and those of tools alone."""
    required = lock.crates_of(shipped)
    for crate in lock.crates_of([*shipped, *tools]):
        yield {
            "type": "library",
            "bom-ref": _crate_reference(crate),
            "name": crate.name,
            "version": crate.version,
            "scope": "required" if crate in required else "excluded",
            "purl": _crate_reference(crate),
            "hashes": [{"alg": "SHA-256", "content": crate.sha256}],
            **_addresses([crate.file] if crate.file else []),
        }


def _compiled(lock: Lock, locked: Mapping[str, Distribution]) -> Iterator[Distribution | LocalPackage]:
    """Yield what is shipped that may have crates: locked distributions, and local packages."""
    yield from locked.values()
    yield from lock.local


def _crate_reference(crate: Crate) -> str:
    # A plus sign stands for itself in no purl: https://github.com/package-url/purl-spec
    return f"pkg:cargo/{crate.name}@{crate.version.replace('+', '%2B')}"


def _addresses(files: Iterable[VendoredFile]) -> dict[str, Any]:
    found = [{"type": "source-distribution", "url": file.url} for file in files if file.url]
    return {"externalReferences": found} if found else {}


def _origin(item: Distribution, interpreter: Interpreter) -> dict[str, Any]:
    """Return where a locked distribution comes from and what built it."""
    built_with = select(item.build_requires, interpreter)
    return {
        "purl": f"pkg:pypi/{item.name}@{item.version}",
        "hashes": [{"alg": "SHA-256", "content": file.sha256} for file in item.files],
        **(_addresses(item.files) if item.kind != "wheels" else {}),
        **({"properties": [{"name": BUILT_WITH, "value": key} for key in built_with]} if built_with else {}),
    }


def _pedigree(item: Distribution, project: Path) -> dict[str, Any]:
    """Return the patches of a distribution: https://cyclonedx.org/docs/1.6/json/#components_items_pedigree_patches."""
    found = []
    for patch in item.patches:
        content = base64.b64encode((project / patch.path).read_bytes()).decode()
        text = {"contentType": "text/x-diff", "encoding": "base64", "content": content}
        found.append({"type": "unofficial", "diff": {"text": text, "url": quote(patch.path)}})
    return {"pedigree": {"patches": found}} if found else {}


def _reference(name: str, locked: Distribution | None) -> str:
    return f"pkg:pypi/{name}@{locked.version}" if locked else f"local:{name}"


def _licences(item: CoreMetadata) -> dict[str, Any]:
    if item.licence_expression and not _LICENCE_ID.fullmatch(item.licence_expression):
        return {"licenses": [{"expression": item.licence_expression}]}
    if named := item.licence_expression or item.licence:
        identifier = _LICENCE_IDS.get(named.lower())
        return {"licenses": [{"license": {"id": identifier} if identifier else {"name": named}}]}
    return {}


def _tools(lock: Lock, interpreter: Interpreter, shipped: Mapping[str, Distribution]) -> list[Distribution]:
    """Return what only builds needed, and what builds that; not what only tests do."""
    found: dict[str, Distribution] = {}
    stack = [key for item in shipped.values() for key in select(item.build_requires, interpreter)]
    stack += [key for item in lock.local for key in select(item.build_requires, interpreter)]
    ours = {item.key for item in shipped.values()}
    while stack:
        key = stack.pop()
        if key not in found and key not in ours:
            found[key] = lock.find(key)
            stack += select(found[key].build_requires, interpreter)
    return [found[key] for key in sorted(found)]


def _dependencies(
    materials: Materials, found: Mapping[str, CoreMetadata], locked: Mapping[str, Distribution], own: str
) -> list[dict[str, Any]]:
    """Return what each requires at run time, as the lock has it: the direct requirements, where their markers hold."""
    lock, interpreter = materials.lock, materials.interpreter
    references = {name: _reference(name, locked.get(name)) for name in found if name != own}
    direct = [line for line in lock.direct or () if line.kind == "runtime" and _applies(line.text, interpreter)]
    rows = {f"service:{materials.service}": [line.name for line in direct if line.source == own]}
    for name, reference in sorted(references.items()):
        requires = locked[name].requires if name in locked else ()
        rows[reference] = [line.name for line in direct if line.source == name]
        rows[reference] += [dependency_graph.required_name(text) for text in requires if _applies(text, interpreter)]
    depends = {row: {references[name] for name in names if name in references} - {row} for row, names in rows.items()}
    rows_of = {own: f"service:{materials.service}", **references}
    depends[f"service:{materials.service}"] |= set(map(_system_reference, materials.system))
    for item in _compiled(lock, locked):
        if item.name in rows_of:
            depends[rows_of[item.name]] |= {_crate_reference(crate) for crate in lock.crates_of([item])}
    return [{"ref": row, "dependsOn": sorted(others)} for row, others in depends.items()]


def _applies(text: str, interpreter: Interpreter) -> bool:
    """Tell whether a direct requirement applies to an interpreter; the lock has only those whose extra is asked for.

    One that is a path of the project does: its marker was evaluated when the lock was made.
    """
    from toolkit.model import markers

    found = requirement_texts.parse(text)
    marker = found.marker if found else None
    extras = {"", *re.findall(r"""extra == ['"]([^'"]+)['"]""", str(marker))}
    return any(markers.holds(marker, interpreter.marker_environment, extra) for extra in extras)
