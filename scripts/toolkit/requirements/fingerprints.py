"""Fingerprints of the files a lock was resolved from, so that a change of one of them is noticed without a network.

A fingerprint is the SHA-256 of what the file says, not of its bytes: comments, blank lines and line continuations do
not count. Of a pyproject.toml, setup.py or setup.cfg only `[build-system]` and the requirements that it declares do; of
Cargo.toml and Cargo.lock not the versions of the project's own packages; of debian/control which of the programs builds
find that they may take from an index instead. It is empty where a file is missing or says nothing, so that its later
appearance is noticed too. What variables stand for in files of requirements (`${NAME}`) has fingerprints of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from toolkit.core import documents, secrets
from toolkit.core.errors import UserError
from toolkit.model import debian_names
from toolkit.project import build_depends, build_settings, lines, pyproject, python_version
from toolkit.project.discovery import Package, Project
from toolkit.requirements import declared_requirements

#: Settings stand beside the files under keys with this prefix; no file of a project is named so.
_SETTING = "setting:"
_VARIABLE = f"{_SETTING}${{"
# Named here: what reads it needs `packaging`, which is not there where fingerprints are compared first.
_BUILD_REQUIREMENTS = "build-requirements.txt"
_VENDOR_TXT = "vendor.txt"
_CARGO = ("Cargo.toml", "Cargo.lock")


def paths(project: Project, package: Package, local: Iterable[Package], read: Iterable[Path]) -> tuple[Path, ...]:
    """Return every file that decides what the lock of `package` holds, whether it exists or not.

    `local` are the local packages in use and `read` the files of the requirements trees (`Tree.local`, `Tree.files`).
    """
    interpreters = []
    for path in python_version.candidates(project, package):
        interpreters.append(path)
        if path.is_file():
            break
    builds = (_BUILD_REQUIREMENTS, build_settings.FILE)
    names = (_VENDOR_TXT, *declared_requirements.FILES, *builds)
    used = [member.path / name for member in (*local, package) for name in names]
    used += [project.root / name for name in (pyproject.FILE, build_depends.CONTROL, _VENDOR_TXT, *builds)]
    tests = package.path / "test-requirements.txt"
    return tuple(sorted({*read, *used, *interpreters, tests}))


def fingerprint(files: Iterable[Path], project_root: Path) -> dict[str, str]:
    """Return the fingerprint of each file by its path relative to the project.

    Raises `UserError` on a file that is not text, or not TOML.
    """
    return {lines.shown(path, project_root): _of(path, project_root) for path in files}


def of_settings(platforms: Iterable[str]) -> dict[str, str]:
    """Return the settings that decide what a lock holds, as they stand beside the files."""
    # Others tell locks from those of before there were offered wheels in them, or the files about builds.
    return {
        f"{_SETTING}PLATFORMS": " ".join(platforms),
        f"{_SETTING}OFFERED": "wheels",
        f"{_SETTING}BUILDS": "constraints requirements settings programs",
    }


def of_variables(read: Iterable[Path], project_root: Path) -> dict[str, str]:
    """Return a fingerprint of the value of each variable in files made of lines, as they stand beside the files.

    Credentials do not count: everybody has others, and a build has none. It is empty for a variable that is not set.
    """
    texts = (text for path in read if path.is_file() for _, text in lines.read(path, project_root))
    names = {name for text in texts for name in lines.variables(secrets.without_secrets(text))}
    return {f"{_VARIABLE}{name}}}": _of_variable(name) for name in sorted(names) if not secrets.is_secret(name)}


def variable_changes(recorded: Mapping[str, str], *, unset: bool) -> dict[str, str]:
    """Return what happened to each recorded variable: `changed`, or, with `unset`, `disappeared` as well."""
    found = {}
    for key, value in recorded.items():
        name = key.removeprefix(_VARIABLE).removesuffix("}")
        if key.startswith(_VARIABLE) and value != (now := _of_variable(name)) and (now or unset):
            found[name] = "changed" if now else "disappeared"
    return found


def _of_variable(name: str) -> str:
    value = os.environ.get(name, "")
    return hashlib.sha256(value.encode(errors="surrogateescape")).hexdigest() if value else ""


def files_in(recorded: Mapping[str, str]) -> list[str]:
    """Return the recorded files that were there and not empty, relative to the project."""
    return [name for name, value in recorded.items() if value and not name.startswith(_SETTING)]


def changes(recorded: Mapping[str, str], project_root: Path) -> dict[str, str]:
    """Return what happened to each recorded file that is not as it was: `changed`, `appeared` or `disappeared`."""
    old = {name: value for name, value in recorded.items() if not name.startswith(_SETTING)}
    new = fingerprint((project_root / name for name in old), project_root)
    return {name: _change(old[name], new[name], project_root / name) for name in old if old[name] != new[name]}


def _change(old: str, new: str, path: Path) -> str:
    if path.parts[-2:] == build_depends.CONTROL.parts:
        return f"Build-Depends names others of {', '.join(debian_names.REPLACEABLE)}"
    if not old:
        return "appeared"
    return "changed" if new or path.is_file() else "disappeared"


def _of(path: Path, root: Path) -> str:
    if not path.is_file():
        return ""
    text = ""
    if path.name == pyproject.FILE:
        table = pyproject.read(path.parent).get("build-system", {})
        text = json.dumps(table, sort_keys=True) if table else ""
    if path.name in declared_requirements.FILES:
        # Nothing is added where nothing is declared: a lock from before declarations were read stays current.
        declared = declared_requirements.fingerprinted(path)
        # An empty requirements.txt says nothing, but what is declared is no more read where there is one.
        beside = sorted(file.name for file in path.parent.glob("*requirements*.txt"))
        text += json.dumps([declared, beside], sort_keys=True) if declared else ""
    elif path == root / build_depends.CONTROL:
        text = " ".join(sorted(build_depends.replaceable(path)))
    elif path.name == build_settings.FILE:
        text = build_settings.fingerprinted(path, root)
    elif path.name in _CARGO or path.parent.name == ".cargo":
        text = _of_cargo(path, root)
    else:
        text = "\n".join(line for _, line in lines.read(path, root))
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def _of_cargo(path: Path, root: Path) -> str:
    """Return what a file of cargo's says, without versions of the project's own: each release of it has another."""
    try:
        content = documents.toml(path.read_bytes())
    except ValueError as error:
        raise UserError(f"{lines.shown(path, root)}: not a TOML file: {error}", "mend the file") from None
    # A newer cargo writes another form of Cargo.lock (`version`) with the same content.
    content.pop("version", None)
    workspace = content.get("workspace")
    for table in (content, workspace if isinstance(workspace, dict) else {}):
        package = table.get("package")
        # In a Cargo.lock, these are all.
        for entry in package if isinstance(package, list) else [package]:
            if isinstance(entry, dict) and "source" not in entry:
                entry.pop("version", None)
    return json.dumps(content, sort_keys=True, default=str)
