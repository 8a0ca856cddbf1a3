"""Packages of which a build looks at no module: what is written in them changes nothing but the module itself.

So says what declares a package, as far as it is written literally. Where a build could run code of the package, compile
something or read a version from a module, it is not one of these.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from toolkit.core import documents
from toolkit.core.errors import UserError
from toolkit.model import requirement_texts
from toolkit.model.names import normalize
from toolkit.project import pyproject, source_files

#: Backends, and what may be among their build requirements: others may be plug-ins of theirs.
_BACKENDS = {
    "setuptools.build_meta": {"setuptools", "wheel"},
    pyproject.LEGACY_BACKEND: {"setuptools", "wheel"},
    "flit_core.buildapi": {"flit-core"},
    "hatchling.build": {"hatchling"},
    "poetry.core.masonry.api": {"poetry-core"},
}
#: Keywords of setup() that run nothing and compile nothing, if what is passed is written literally.
_KEYWORDS = frozenset(
    {
        *("name", "version", "description", "long_description", "long_description_content_type", "license", "url"),
        *("author", "author_email", "maintainer", "maintainer_email", "classifiers", "download_url", "keywords"),
        *("platforms", "project_urls", "packages", "package_dir", "py_modules", "namespace_packages", "scripts"),
        *("entry_points", "package_data", "include_package_data", "data_files", "install_requires", "extras_require"),
        *("python_requires", "zip_safe"),
    }
)
_FINDERS = frozenset({"find_packages", "find_namespace_packages"})
#: Of the settings of backends, those by which one would run code, compile, or read a module.
_ACTIVE = {"setuptools": {"cmdclass", "ext-modules"}, "hatch": {"version", "metadata"}, "poetry": {"build"}}


def is_plain(directory: Path) -> bool:
    """Tell whether a package is one of these; what cannot be read is none."""
    try:
        data = pyproject.read(directory)
        system = pyproject.build_system(data, str(directory / pyproject.FILE))
        return _is_plain_pyproject(data, system) and _is_plain_setup(directory)
    except (OSError, ValueError, UserError):
        return False


def fingerprint(directory: Path) -> str:
    """Return a sha256 over all that the build of such a package depends on.

    That is its files, but not what stands in modules and in the scripts of bin/.
    """
    digest = hashlib.sha256()
    for path in source_files.source_files(directory):
        is_read = (path.suffix != ".py" and path.parts[0] != "bin") or path.name == "setup.py"
        content = (directory / path).read_bytes() if is_read else b""
        digest.update(f"{path.as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _is_plain_pyproject(data: Mapping[str, Any], system: pyproject.BuildSystem) -> bool:
    known = _BACKENDS.get(system.backend)
    required = {normalize(item.name) for text in system.requires if (item := requirement_texts.parse(text))}
    if known is None or not required <= known or system.backend_path:
        return False
    project, tool = pyproject.table(data, "project"), pyproject.table(data, "tool")
    if project.get("dynamic") and not system.backend.startswith("setuptools"):
        return False
    if any("attr" in found for found in _tables(pyproject.table(tool, "setuptools", "dynamic").values())):
        return False
    # Without a `[project]`, flit reads the module; the other tables of hatch may name hooks.
    if system.backend == "flit_core.buildapi" and not project:
        return False
    hooks = "hooks" in str(pyproject.table(tool, "hatch", "build"))
    return not hooks and not any(active & pyproject.table(tool, name).keys() for name, active in _ACTIVE.items())


def _tables(values: Iterable[object]) -> Iterable[dict[str, Any]]:
    return (value for value in values if isinstance(value, dict))


def _is_plain_setup(directory: Path) -> bool:
    configured = directory / "setup.cfg"
    if configured.is_file() and any(word in configured.read_bytes() for word in (b"attr:", b"cmdclass")):
        return False
    if (directory / "hatch.toml").exists():
        return False
    setup = directory / "setup.py"
    return not setup.is_file() or all(map(_is_plain_statement, documents.python(setup.read_bytes()).body))


def _is_plain_statement(statement: ast.stmt) -> bool:
    """Tell whether a statement of a setup.py imports setuptools, names a literal, or calls setup() with literals."""
    match statement:
        case ast.ImportFrom(module="setuptools", level=0):
            return True
        case ast.Import(names=[ast.alias(name="setuptools")]):
            return True
        case ast.Assign(value=value):
            return _is_literal(value)
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Call(args=[], keywords=keywords) as call) if _name(call) == "setup":
            return all(keyword.arg in _KEYWORDS and _is_passed_literally(keyword.value) for keyword in keywords)
    return False


def _is_passed_literally(value: ast.expr) -> bool:
    if isinstance(value, ast.Call) and _name(value) in _FINDERS:
        return all(map(_is_literal, (*value.args, *(keyword.value for keyword in value.keywords))))
    return isinstance(value, ast.Name) or _is_literal(value)


def _name(call: ast.Call) -> str:
    return getattr(call.func, "attr", "") or getattr(call.func, "id", "")


def _is_literal(value: ast.expr) -> bool:
    try:
        documents.literal(value)
    except ValueError:
        return False
    return True
