"""What is known of PEP 517 backends: which of them can name build requirements that no file of the tree does."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from toolkit.core import documents
from toolkit.model import requirement_texts
from toolkit.project import declared
from toolkit.project.pyproject import BuildSystem, table

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
    tool, project = table(pyproject, "tool"), table(pyproject, "project")
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
            return _asked_by_hatchling([table(tool, "hatch"), _toml(members.get("hatch.toml", b""))])
        # hatchling/ouroboros.py, with which hatchling builds itself: its own dependencies.
        case "hatchling.ouroboros":
            return _texts(project.get("dependencies", []))
        case "setuptools.build_meta":
            # Its own setup.py asks for nothing, but its sources name the word on many lines.
            if in_tree and project.get("name") == "setuptools":
                return ()
            return _asked_by_setuptools(members, mentions)
        case _:
            return None


def _asked_by_hatchling(settings: Sequence[Mapping[str, Any]]) -> tuple[str, ...] | None:
    """Read hatchling/builders/config.py: dependencies of the build, of its targets and of its hooks."""
    builds = [table(found, "build") for found in settings]
    targets = [table(build, "targets", name) for build in builds for name in table(build, "targets")]
    hooks = {name for found in (*builds, *targets) for name in table(found, "hooks")}
    asks = any(word in str(builds) for word in ("dependencies", "require-runtime"))
    return None if asks or hooks - _QUIET_HOOKS else ()


def _toml(content: bytes) -> dict[str, Any]:
    try:
        return documents.toml(content)
    except ValueError:
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
        tree = documents.python(setup)
    except ValueError:
        return None
    calls = list(declared.setup_calls(tree))
    keywords = [keyword for call in calls for keyword in call.keywords]
    if calls and all(keyword.arg for keyword in keywords):
        return _literal([keyword.value for keyword in keywords if keyword.arg == "setup_requires"])
    # The arguments are put together in other code, but they cannot have a name that stands nowhere in the tree.
    return None if mentions(b"setup_requires") else ()


def _in_setup_cfg(content: bytes) -> bool:
    try:
        return documents.ini(content).has_option("options", "setup_requires")
    except ValueError:
        return b"setup_requires" in content


def _literal(values: list[ast.expr]) -> tuple[str, ...] | None:
    found: list[str] = []
    for value in values:
        try:
            literal = documents.literal(value)
        except ValueError:
            return None
        texts = literal.split("\n") if isinstance(literal, str) else _texts(literal)
        if texts is None:
            return None
        found += texts
    named = tuple(text.strip() for text in found if text.strip())
    # setuptools takes more than requirements here, comments for one: what is not plain, it may explain itself.
    return named if all(map(requirement_texts.parse, named)) else None


def _texts(value: object) -> tuple[str, ...] | None:
    """Return a list of texts; None for what is none, of which only the backend can say what it makes."""
    is_list = isinstance(value, (list, tuple, set)) and all(isinstance(item, str) for item in value)
    return tuple(value) if is_list else None  # type: ignore[arg-type]
