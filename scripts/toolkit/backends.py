"""What is known of PEP 517 backends: which of them can name build requirements that no file of the tree does."""

from __future__ import annotations

import ast
import configparser
from collections.abc import Callable, Mapping
from typing import Any

LEGACY = "setuptools.build_meta:__legacy__"
#: Build hooks of hatchling that add no requirement of their own: hatchling/builders/hooks/version.py, and hatch-vcs.
_QUIET_HOOKS = frozenset({"version", "vcs"})
#: Backends whose answer does not depend on where they come from, so that an in-tree copy of them answers the same.
_BOOTSTRAPPED = ("flit_core.buildapi", "poetry.core.masonry.api", "hatchling.build")


def told(
    backend: str, *, in_tree: bool, pyproject: Mapping[str, Any], members: Mapping[str, bytes],
    mentions: Callable[[bytes], bool],
) -> tuple[str, ...] | None:  # fmt: skip
    """Return what `get_requires_for_build_wheel` will name, or None when only the hook itself can tell.

    `members` are the files of the tree's top directory by name; `mentions` looks for a word in all its sources.
    """
    module = backend.partition(":")[0]
    tool = pyproject.get("tool", {})
    if in_tree and module not in _BOOTSTRAPPED:
        return None
    match module:
        # flit_core/buildapi.py and poetry/core/masonry/api.py return an empty list, always.
        case "flit_core.buildapi" | "poetry.core.masonry.api":
            return ()
        # pdm/backend/__init__.py: setuptools, when `run-setuptools` is set.
        case "pdm.backend":
            return None if "run-setuptools" in str(tool.get("pdm", {})) else ()
        case "hatchling.build":
            return _told_by_hatchling(tool.get("hatch", {}), "hatch.toml" in members)
        case "setuptools.build_meta":
            return _told_by_setuptools(members, mentions)
        case _:
            return None


def _told_by_hatchling(settings: Mapping[str, Any], has_own_file: bool) -> tuple[str, ...] | None:
    """Read hatchling/builders/config.py: dependencies of the build, of its targets and of its hooks."""
    build = settings.get("build", {})
    tables = [build, *build.get("targets", {}).values()]
    hooks = {name for table in tables for name in table.get("hooks", {})}
    asks = any(word in str(build) for word in ("dependencies", "require-runtime"))
    return None if has_own_file or asks or hooks - _QUIET_HOOKS else ()


def _told_by_setuptools(members: Mapping[str, bytes], mentions: Callable[[bytes], bool]) -> tuple[str, ...] | None:
    """Read setuptools/build_meta.py: the answer is what setup() gets as `setup_requires`."""
    setup = members.get("setup.py", b"")
    if _in_setup_cfg(members.get("setup.cfg", b"")):
        return None
    if not setup:
        return ()
    try:
        tree = ast.parse(setup)
    except (SyntaxError, ValueError):
        return None
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node.func) == "setup"]
    keywords = [keyword for call in calls for keyword in call.keywords]
    if calls and all(keyword.arg for keyword in keywords):
        return _literal([keyword.value for keyword in keywords if keyword.arg == "setup_requires"])
    # The arguments are put together elsewhere, but they cannot have a name that stands nowhere in the tree.
    return None if mentions(b"setup_requires") else ()


def _in_setup_cfg(content: bytes) -> bool:
    config = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        config.read_string(content.decode("utf-8"))
    except (configparser.Error, UnicodeDecodeError):
        return b"setup_requires" in content
    return config.has_option("options", "setup_requires")


def _literal(values: list[ast.expr]) -> tuple[str, ...] | None:
    found: list[str] = []
    for value in values:
        try:
            literal = ast.literal_eval(value)
        except ValueError:
            return None
        found += literal.split("\n") if isinstance(literal, str) else literal
    return tuple(text for text in found if text.strip())


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
