"""What is known of PEP 517 backends: which of them can name build requirements that no file of the tree does."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from toolkit.core import documents
from toolkit.model import requirement_texts
from toolkit.model.names import normalize
from toolkit.project import declared
from toolkit.project.pyproject import BuildSystem, table

_SETUP_REQUIRES = b"setup_requires"
#: What is looked for in the sources of a tree.
WORDS = (_SETUP_REQUIRES,)
#: Build hooks of hatchling that add no requirement of their own: hatchling/builders/hooks/version.py, and hatch-vcs.
_QUIET_HOOKS = frozenset({"version", "vcs"})
#: Backends that build themselves, each in the tree of the distribution that it is of.
_BOOTSTRAPPED = {
    "flit_core.buildapi": "flit-core",
    "poetry.core.masonry.api": "poetry-core",
    "hatchling.ouroboros": "hatchling",
    "setuptools.build_meta": "setuptools",
}


def known_requires(
    system: BuildSystem,
    *,
    pyproject: Mapping[str, Any],
    members: Mapping[str, bytes],
    mentions: Callable[[bytes], bool],
) -> tuple[str, ...] | None:
    """Return what `get_requires_for_build_wheel` will name, or None when only the hook itself can tell.

    That is so of every backend that is part of the tree: it may pass on what another one answers, which depends on that
    one's version.

    `members` are the files of the tree's top directory by name; `mentions` looks for one of `WORDS` in all its sources.
    """
    module = system.backend.partition(":")[0]
    in_tree = bool(system.backend_path)
    tool, project = table(pyproject, "tool"), table(pyproject, "project")
    if in_tree:
        return _asked_by_itself(module, project) if _name(pyproject) == _BOOTSTRAPPED.get(module) else None
    match module:
        # poetry/core/masonry/api.py returns an empty list, always.
        case "poetry.core.masonry.api":
            return ()
        case "flit_core.buildapi":
            return _asked_by_flit(project)
        # pdm/backend/__init__.py: setuptools, when `run-setuptools` is set.
        case "pdm.backend":
            return None if "run-setuptools" in str(tool.get("pdm", {})) else ()
        # maturin/__init__.py: cffi for its bindings; where cargo is missing a program that fetches it, which we refuse.
        case "maturin":
            return ("cffi",) if table(tool, "maturin").get("bindings") == "cffi" else ()
        case "hatchling.build":
            return _asked_by_hatchling([table(tool, "hatch"), _toml(members.get("hatch.toml", b""))])
        case "setuptools.build_meta":
            return _asked_by_setuptools(members, mentions)
        case _:
            return None


def _name(pyproject: Mapping[str, Any]) -> str:
    found = table(pyproject, "project").get("name") or table(pyproject, "tool", "poetry").get("name")
    return normalize(found) if isinstance(found, str) else ""


def _asked_by_itself(module: str, project: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return what a backend asks for to build itself: hatchling/ouroboros.py its own dependencies, others nothing."""
    return _texts(project.get("dependencies", [])) if module == "hatchling.ouroboros" else ()


def _asked_by_flit(project: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Read flit_core/buildapi.py: all that it requires, where its version or summary may need an import of it.

    Metadata in [tool.flit] leave both to the module.
    """
    imports = not project or any(name in str(project.get("dynamic", ())) for name in ("version", "description"))
    requires = any(project.get(name) for name in ("dependencies", "optional-dependencies"))
    return None if imports and (requires or not project) else ()


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
    return None if mentions(_SETUP_REQUIRES) else ()


def _in_setup_cfg(content: bytes) -> bool:
    try:
        return documents.ini(content).has_option("options", "setup_requires")
    except ValueError:
        return _SETUP_REQUIRES in content


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
