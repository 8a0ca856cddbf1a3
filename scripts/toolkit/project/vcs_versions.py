"""Versions that a package's build would take from git: given to it, since no build sees a repository.

A project's own packages get the version of `debian/changelog`, else that of the tag which is checked out. The variables
and the file by which the tools take a version are their authors' own ways:
https://setuptools-scm.readthedocs.io/en/latest/overrides/, https://docs.openstack.org/pbr/latest/user/packagers.html,
https://github.com/mtkennerly/poetry-dynamic-versioning, https://backend.pdm-project.org/metadata/ and, of versioneer,
the `_version.py` that it writes into an sdist.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from toolkit.core import documents, files, git
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import quoted
from toolkit.model import requirement_texts
from toolkit.model.names import normalize
from toolkit.project import changelog, declared, pyproject
from toolkit.project.pyproject import table

#: By these each tool takes a version instead of asking git for it; hatch-vcs asks setuptools-scm.
_VARIABLES = (
    "SETUPTOOLS_SCM_PRETEND_VERSION",
    "PBR_VERSION",
    "POETRY_DYNAMIC_VERSIONING_BYPASS",
    "PDM_BUILD_SCM_VERSION",
)
#: What versioneer looks for, before it asks git: versioneer.py, `SHORT_VERSION_PY` and `versions_from_file`.
_VERSION_FILE = """\
import json

version_json = '''
{json}
'''  # END VERSION_JSON


def get_versions():
    return json.loads(version_json)
"""
#: What backends make of a version that nobody tells: setuptools, versioneer.
_NONE = frozenset({"0.0.0", "0+unknown"})
#: `v1.2`, `release-1.2`, `name/1.2`.
_TAG = re.compile(r"(?:.*[-_/])?v?(?P<version>\d[\w.+!-]*)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class GivenVersion:
    """A version (PEP 440) that a build gets, and where it was found: `debian/changelog:1`, `the tag v1.2`."""

    text: str
    origin: str


def variables(version: str) -> dict[str, str]:
    """Return the variables that give a version to the build which has them; nothing for no version."""
    return dict.fromkeys(_VARIABLES, version) if version else {}


def given(directory: Path, root: Path) -> GivenVersion | None:
    """Return the version for a package of the project at `root`; None where it needs none, or there is none.

    Raises `UserError` where the changelog's cannot be one of Python's.
    """
    return find(directory, root) if tool_of(directory) else None


def require(directory: Path, root: Path, shown: str) -> GivenVersion | None:
    """Return what `given` does. Raises `UserError`, too, where the package, called `shown`, needs one and none is."""
    found = given(directory, root)
    if not found and (tool := tool_of(directory)):
        raise UserError(
            f"{shown}: {tool} takes its version from git, and there is neither a debian/changelog nor a tag",
            "tag the commit (`git tag 1.0`), or write a debian/changelog: `dch --create`",
        )
    return found


def find(directory: Path, root: Path) -> GivenVersion | None:
    """Return the version of the project's newest entry in debian/changelog, else of the tag of a package's commit.

    A commit after a tag has the tag's version with `.post` and the number of commits since.
    """
    path = Path("debian", "changelog")
    try:
        entry = changelog.of_source((root / path).read_text(encoding="utf-8", errors="replace"), path)
    except (FileNotFoundError, NotADirectoryError):
        return _of_tags(directory)
    return GivenVersion(text=entry.python_version(), origin=f"{path}:{entry.line}")


def _of_tags(directory: Path) -> GivenVersion | None:
    if not git.is_in_repository(directory):
        return None
    here = {
        tag: version for tag in git.ask(directory, "tag", "--points-at", "HEAD").split() if (version := of_tag(tag))
    }
    if here:
        tag = max(here, key=lambda tag: Version(here[tag]))
        return GivenVersion(text=here[tag], origin=f"the tag {tag}")
    nearest, _, count = (
        git.ask(directory, "describe", "--tags", "--long", "--match=*[0-9]*").rpartition("-g")[0].rpartition("-")
    )
    version = of_tag(nearest)
    if not version:
        return None
    later = version if Version(version).local or Version(version).is_postrelease else f"{version}.post{count}"
    return GivenVersion(text=str(Version(later)), origin=f"{count} commits after the tag {nearest}")


def of_tag(tag: str) -> str:
    """Return the version in the name of a tag; nothing where there is none."""
    found = _TAG.fullmatch(tag)
    try:
        return str(Version(found["version"])) if found else ""
    except InvalidVersion:
        return ""


def tool_of(directory: Path) -> str:
    """Return the name of what takes a package's version from git while it is built; nothing where nothing does."""
    data = pyproject.read(directory)
    tool, project = table(data, "tool"), table(data, "project")
    if isinstance(project.get("version"), str):
        return ""
    hatch = {**table(_toml(directory / "hatch.toml"), "version"), **table(tool, "hatch", "version")}
    found = {
        "hatch-vcs": hatch.get("source") == "vcs",
        "pdm-backend": table(tool, "pdm", "version").get("source") == "scm",
        "poetry-dynamic-versioning": table(tool, "poetry-dynamic-versioning").get("enable") is True,
        "versioningit": "versioningit" in tool or hatch.get("source") == "versioningit",
        "versioneer": bool(_versioneer(directory, data)),
        "setuptools-git-versioning": "setuptools-git-versioning" in tool,
        "setuptools-scm": _has_setuptools_scm(directory, data),
        "pbr": _has_pbr(directory, data),
    }
    return next((name for name, is_used in found.items() if is_used), "")


def _has_setuptools_scm(directory: Path, data: Mapping[str, Any]) -> bool:
    """Tell whether setuptools-scm is switched on, by a table, by its extra (from 9.2 on), or in setup.py."""
    is_dynamic = "version" in pyproject.texts(table(data, "project").get("dynamic"))
    simple = is_dynamic and any(
        normalize(found.name) == "setuptools-scm" and "simple" in found.extras for found in _requires(data)
    )
    imported = {name for node in ast.walk(declared.setup_py(directory)) for name in _imports(node)}
    return (
        not table(data, "tool").keys().isdisjoint({"setuptools_scm", "vcs-versioning"})
        or simple
        or "setuptools_scm" in imported
        or _is_passed(directory, "use_scm_version")
    )


def _imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [name.name for name in node.names] if isinstance(node, ast.Import) else []


def _has_pbr(directory: Path, data: Mapping[str, Any]) -> bool:
    backend = table(data, "build-system").get("build-backend")
    return backend == "pbr.build" or _is_passed(directory, "pbr")


def _is_passed(directory: Path, keyword: str) -> bool:
    """Tell whether a setup.py passes something to setup() under a name, that is not false."""
    values = declared.setup_values(declared.setup_py(directory), keyword)
    return any(not (isinstance(value, ast.Constant) and not value.value) for value in values)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return documents.toml(path.read_bytes())
    except (OSError, ValueError):
        return {}


def _requires(data: Mapping[str, Any]) -> list[Any]:
    return list(
        filter(None, map(requirement_texts.parse, pyproject.texts(table(data, "build-system").get("requires"))))
    )


def _versioneer(directory: Path, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return versioneer's settings, of pyproject.toml or setup.cfg; empty where it is not used."""
    if found := table(data, "tool", "versioneer"):
        return found
    try:
        path = directory / "setup.cfg"
        config = documents.ini(path.read_bytes() if path.is_file() else b"")
    except (OSError, ValueError):
        return {}
    return dict(config["versioneer"]) if "versioneer" in config else {}


def check(directory: Path, version: str, given: GivenVersion | None, shown: str) -> None:
    """Raise `UserError` for a wheel of `version`, built of a directory, that is not the `given` one, or none at all."""
    if given and _differ(version, given.text):
        raise UserError(
            f"{shown}: its build made version {quoted(version)}, not {given.text} of {given.origin}",
            f"{tool_of(directory)} did not take the version that it was given: write it literally, "
            "or let setuptools-scm, hatch-vcs, pbr or versioneer find it",
        )
    if not given and version in _NONE and _is_left_open(directory):
        raise UserError(
            f"{shown}: its build made version {version}, which stands for none",
            "write the version literally, or let setuptools-scm, hatch-vcs, pbr or versioneer find it: "
            "they are given that of debian/changelog",
        )


def _differ(first: str, second: str) -> bool:
    try:
        return Version(first) != Version(second)
    except InvalidVersion:
        return True


def _is_left_open(directory: Path) -> bool:
    """Tell whether a version is declared to be found by the build, and no file is named that has it."""
    data = pyproject.read(directory)
    is_dynamic = "version" in pyproject.texts(table(data, "project").get("dynamic"))
    has_place = table(data, "tool", "setuptools", "dynamic").get("version") or table(data, "tool", "hatch").get(
        "version"
    )
    return is_dynamic and not has_place and not declared.read(directory).version


def write(directory: Path, version: str) -> None:
    """Put a version into a source that nobody else has, where that is what a tool reads: versioneer alone."""
    path = _versioneer(directory, pyproject.read(directory)).get("versionfile_source")
    if not version or not isinstance(path, str):
        return
    target = directory / path
    # The source may be anybody's: nothing is written but into itself.
    if ".." in target.parts or not target.parent.resolve().is_relative_to(directory.resolve()):
        raise UserError(f"versionfile_source of versioneer leads out of the source: {path!r}", pyproject.MEND)
    if target.is_dir() or not target.parent.is_dir():
        return
    told = {"date": None, "dirty": False, "error": None, "full-revisionid": None, "version": version}
    files.write_atomic(target, _VERSION_FILE.format(json=json.dumps(told, indent=1)), 0o644)
