"""Poetry's own tables of pyproject.toml, which projects from before its version 2 have instead of `[project]`.

https://python-poetry.org/docs/dependency-specification/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.core.errors import UserError
from toolkit.core.foreign_text import quoted
from toolkit.model.names import normalize
from toolkit.project import pyproject

_VERSION = re.compile(r"(?P<operator>\^|~(?!=))?\s*v?(?P<version>[0-9]+(?:\.[0-9]+)*)(?P<rest>[.\w+-]*)")
#: Groups that poetry itself has had by other tables.
_OLD_DEVELOPMENT = "dev"


def table(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return `[tool.poetry]` of a pyproject.toml, an empty table where it is not what says the dependencies."""
    if "dependencies" in pyproject.table(data, "project"):
        return {}
    return pyproject.table(pyproject.table(data, "tool"), "poetry")


def dependencies(poetry: Mapping[str, Any], shown: str) -> dict[str, list[str]]:
    """Return what is required to run, as requirements (PEP 508) or paths, by the key that says so; no extras.

    `shown` is the file, in errors. Raises `UserError` for what cannot be said so.
    """
    found = pyproject.table(poetry, "dependencies")
    return {name: texts for name in found if (texts := list(_requirements(name, found[name], shown, optional=False)))}


def extra(poetry: Mapping[str, Any], name: str, shown: str) -> dict[str, list[str]] | None:
    """Return what an extra requires, None where there is none of that name; raises as `dependencies` does."""
    extras = pyproject.table(poetry, "extras")
    spelling = next((key for key in extras if normalize(key) == normalize(name)), None)
    if spelling is None:
        return None
    names = {normalize(item) for item in extras[spelling] if isinstance(item, str)}
    found = pyproject.table(poetry, "dependencies")
    return {key: list(_requirements(key, found[key], shown, optional=True)) for key in found if normalize(key) in names}


def group(poetry: Mapping[str, Any], name: str, shown: str) -> dict[str, list[str]] | None:
    """Return what a group requires, None where there is none of that name; raises as `dependencies` does."""
    groups = pyproject.table(poetry, "group")
    found = dict(pyproject.table(pyproject.table(groups, name), "dependencies")) if name in groups else {}
    if name == _OLD_DEVELOPMENT:
        found |= pyproject.table(poetry, "dev-dependencies")
    return {key: list(_requirements(key, found[key], shown, optional=None)) for key in found} or None


def requires_python(poetry: Mapping[str, Any], shown: str) -> str:
    """Return the interpreters as a specifier (PEP 440), an empty text where it says none."""
    value = pyproject.table(poetry, "dependencies").get("python")
    return _specifier(value, "python", shown) if isinstance(value, str) else ""


def _requirements(name: str, value: object, shown: str, *, optional: bool | None) -> Iterator[str]:
    """Yield the requirements of one key; `optional` chooses those that only extras bring, or the others (None: all)."""
    if normalize(name) == "python":
        return
    for item in value if isinstance(value, list) else [value]:
        entry = {"version": item} if isinstance(item, str) else item
        if not isinstance(entry, dict):
            raise UserError(f"{shown}: {name} is neither a version nor a table", 'write `name = "^1.2"`')
        if optional is None or bool(entry.get("optional")) is optional:
            yield _requirement(name, entry, shown)


def _requirement(name: str, entry: Mapping[str, Any], shown: str) -> str:
    extras = entry.get("extras") or []
    words = f"[{','.join(map(str, extras))}]" if isinstance(extras, list) and extras else ""
    marker = " and ".join(f"({item})" for item in _markers(name, entry, shown))
    end = f" ; {marker}" if marker else ""
    if "path" in entry:
        return f"./{str(entry['path']).removeprefix('./')}{words}{end}"
    if "url" in entry:
        return f"{name}{words} @ {entry['url']}{end}"
    if "git" in entry:
        return f"{name}{words} @ git+{entry['git']}{end}"
    return f"{name}{words}{_specifier(str(entry.get('version', '*')), name, shown)}{end}"


def _markers(name: str, entry: Mapping[str, Any], shown: str) -> Iterator[str]:
    if isinstance(python := entry.get("python"), str):
        parts = filter(None, _specifier(python, name, shown).split(","))
        found = (re.fullmatch(r"([<>=!~]+)(.*)", part) for part in parts)
        yield " and ".join(f"python_full_version {match[1]} '{match[2]}'" for match in found if match)
    if isinstance(marker := entry.get("markers"), str):
        yield marker
    if isinstance(platform := entry.get("platform"), str):
        yield f"sys_platform == {platform!r}"


def _specifier(text: str, name: str, shown: str) -> str:
    """Return a constraint of poetry's as a specifier: `^1.2` is `>=1.2,<2`."""
    if "||" in text or re.search(r"\d\s*\|\s*\d", text):
        raise UserError(
            f"{shown}: {name}: {quoted(text)}: no requirement has alternatives (PEP 440)",
            "write one range, with `!=` for what is not to be in it",
        )
    parts = re.split(r"\s*,\s*|(?<=[\w*])\s+(?=[<>=!~^])", text.strip())
    return ",".join(word for part in parts if (word := _clause(part.strip(), text, name, shown)))


def _clause(part: str, text: str, name: str, shown: str) -> str:
    if part in ("", "*"):
        return ""
    if re.match(r"[<>=!]|~=", part):
        return "".join(part.split()) if "*" not in part or part[:2] in ("==", "!=") else f"=={part.lstrip('=')}"
    if part.endswith(".*"):
        return f"=={part}"
    found = _VERSION.fullmatch(part)
    if not found:
        raise UserError(f"{shown}: {name}: {quoted(text)} is no constraint", "write `^1.2`, `~1.2` or `>=1.2,<2`")
    if not found["operator"]:
        return f"=={part}"
    numbers = [int(number) for number in found["version"].split(".")]
    # The caret keeps the first number that is not zero, the tilde the second one, where there is one.
    first = next((place for place, number in enumerate(numbers) if number), len(numbers) - 1)
    kept = first if found["operator"] == "^" else min(1, len(numbers) - 1)
    above = [*numbers[:kept], numbers[kept] + 1]
    return f">={found['version']}{found['rest']},<{'.'.join(map(str, above))}"
