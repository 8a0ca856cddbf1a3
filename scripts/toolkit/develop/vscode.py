"""VS Code: where the environment and the tests of a project are, in the settings that the user has for it.

https://code.visualstudio.com/docs/python/settings-reference
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toolkit.core import json_comments
from toolkit.core.foreign_text import one_line
from toolkit.develop import editor_files, workon
from toolkit.develop.workon import Environment

_FILE = ".vscode/settings.json"
_INTERPRETER = "python.defaultInterpreterPath"
_PATHS = "python.analysis.extraPaths"
_ARGUMENTS = "python.testing.pytestArgs"


def write(environment: Environment) -> None:
    """Write what VS Code has to know, beside what is there."""
    editor_files.merge(environment.project.root, _FILE, lambda text: _merged(environment, text))


def _merged(environment: Environment, text: str) -> str:
    text = editor_files.without_mark(text)
    old = json_comments.read(text)
    return json_comments.changed(text, {**_places(environment, old), **_testing(environment, old)})


def _places(environment: Environment, old: Mapping[str, Any]) -> dict[str, Any]:
    """Return where the modules are, and the interpreter, unless another one is named that is there."""
    paths = [str(path) for path in workon.roots(environment)]
    found: dict[str, Any] = {_INTERPRETER: str(environment.python), _PATHS: _joined(_list(old, _PATHS), paths)}
    named = old.get(_INTERPRETER, found[_INTERPRETER])
    if named != found[_INTERPRETER] and _is_there(environment.project.root, named):
        editor_files.keep(_FILE, f"{_INTERPRETER} is {one_line(str(named))}; remove it to have it written")
        del found[_INTERPRETER]
    return found


def _testing(environment: Environment, old: Mapping[str, Any]) -> dict[str, Any]:
    """Return how tests are run: by pytest where it is installed, else by unittest, where there are any."""
    root = environment.project.root
    tests = [os.path.relpath(path, root) for path in editor_files.tests(environment) if path.is_relative_to(root)]
    if (environment.site() / "pytest").is_dir():
        here = [
            text for text in _list(old, _ARGUMENTS) if os.path.basename(str(text)) != "tests" or _is_there(root, text)
        ]
        enabled = "python.testing.pytestEnabled"
        return {enabled: old.get(enabled, True), _ARGUMENTS: _joined(here, tests)}
    if not tests:
        return {}
    found: dict[str, Any] = {
        "python.testing.unittestEnabled": True,
        "python.testing.unittestArgs": ["-v", "-s", tests[0]],
    }
    return {key: old.get(key, value) for key, value in found.items()}


def _list(old: Mapping[str, Any], key: str) -> list[Any]:
    value = old.get(key)
    return value if isinstance(value, list) else []


def _joined(old: list[Any], new: list[str]) -> list[Any]:
    return [*old, *(text for text in new if text not in old)]


def _is_there(root: Path, path: object) -> bool:
    """Tell whether something is at a path; one with variables is understood by VS Code alone."""
    return not isinstance(path, str) or bool({"$", "~"} & set(path)) or os.path.lexists(root / path)
