"""What is known of PEP 517 backends: which of them can name build requirements that no file of the tree does."""

from __future__ import annotations

import ast
import configparser
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from toolkit.project import declared
from toolkit.project.pyproject import BuildSystem

#: Build hooks of hatchling that add no requirement of their own: hatchling/builders/hooks/version.py, and hatch-vcs.
_QUIET_HOOKS = frozenset({"version", "vcs"})
#: Backends whose answer does not depend on where they come from, so that an in-tree copy of them answers the same.
_BOOTSTRAPPED = frozenset(
    {"flit_core.buildapi", "poetry.core.masonry.api", "hatchling.build", "hatchling.ouroboros", "setuptools.build_meta"}
)


def known_requires(
    system: BuildSystem,
    *,
    pyproject: Mapping[str, Any],
    members: Mapping[str, bytes],
    mentions: Callable[[bytes], bool],
) -> tuple[str, ...] | None:
    """Return what `get_requires_for_build_wheel` will name, or None when only the hook itself can tell.

    `members` are the files of the tree's top directory by name; `mentions` looks for a word in all its sources.
    """
    module = system.backend.partition(":")[0]
    in_tree = bool(system.backend_path)
    tool = pyproject.get("tool", {})
    if in_tree and module not in _BOOTSTRAPPED:
        if "setuptools" not in str(system.requires) or mentions(b"get_requires_for_build_"):
            return None
        # One that nowhere names the hook passes setuptools' own on: `from setuptools.build_meta import *`, or a loop.
        return _asked_by_setuptools(members, mentions)
    match module:
        # flit_core/buildapi.py and poetry/core/masonry/api.py return an empty list, always.
        case "flit_core.buildapi" | "poetry.core.masonry.api":
            return ()
        # pdm/backend/__init__.py: setuptools, when `run-setuptools` is set.
        case "pdm.backend":
            return None if "run-setuptools" in str(tool.get("pdm", {})) else ()
        case "hatchling.build":
            return _asked_by_hatchling([tool.get("hatch", {}), _toml(members.get("hatch.toml", b""))])
        # hatchling/ouroboros.py, with which hatchling builds itself: its own dependencies.
        case "hatchling.ouroboros":
            return tuple(pyproject.get("project", {}).get("dependencies", ()))
        case "setuptools.build_meta":
            # Its own setup.py asks for nothing, but its sources name the word on many lines.
            if in_tree and pyproject.get("project", {}).get("name") == "setuptools":
                return ()
            return _asked_by_setuptools(members, mentions)
        case _:
            return None


def _asked_by_hatchling(settings: Sequence[Mapping[str, Any]]) -> tuple[str, ...] | None:
    """Read hatchling/builders/config.py: dependencies of the build, of its targets and of its hooks."""
    builds = [table.get("build", {}) for table in settings]
    tables = [table for build in builds for table in (build, *build.get("targets", {}).values())]
    hooks = {name for table in tables for name in table.get("hooks", {})}
    asks = any(word in str(builds) for word in ("dependencies", "require-runtime"))
    return None if asks or hooks - _QUIET_HOOKS else ()


def _toml(content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        # Only the backend can say what it makes of it.
        return {"build": {"hooks": {"unreadable": {}}}}


def _asked_by_setuptools(members: Mapping[str, bytes], mentions: Callable[[bytes], bool]) -> tuple[str, ...] | None:
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
    calls = list(declared.setup_calls(tree))
    keywords = [keyword for call in calls for keyword in call.keywords]
    if calls and all(keyword.arg for keyword in keywords):
        return _literal([keyword.value for keyword in keywords if keyword.arg == "setup_requires"])
    # The arguments are put together in other code, but they cannot have a name that stands nowhere in the tree.
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
