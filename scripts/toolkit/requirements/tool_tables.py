"""What the tables of uv, pdm and poetry say in a pyproject.toml beside `[project]`: limits, groups, and sources.

https://docs.astral.sh/uv/reference/settings/, https://python-poetry.org/docs/pyproject/#dependencies-and-dependency-groups
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from toolkit.core.foreign_text import quoted
from toolkit.core.secrets import without_secrets
from toolkit.model.names import normalize
from toolkit.project import pyproject

CONSTRAINTS = "constraint-dependencies"
BUILD_CONSTRAINTS = "build-constraint-dependencies"
#: What is not followed, and what does the same here.
_UNREAD = {
    "override-dependencies": "nothing overrides what a distribution requires but a patch of its own files (patches/)",
    "extra-build-dependencies": "write `name: requirement` into build-requirements.txt",
    "config-settings-package": "write them into build-settings.toml",
    "extra-build-variables": "write them into build-settings.toml",
}
#: The words of a source that is no index.
_ELSEWHERE = ("git", "url", "path", "file")


def uv(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return `[tool.uv]` of a pyproject.toml, an empty table where there is none."""
    return pyproject.table(data, "tool", "uv")


def groups(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the groups of requirements of developers from before `[dependency-groups]`: pdm's, and uv's `dev`."""
    found = dict(pyproject.table(data, "tool", "pdm", "dev-dependencies"))
    return {**found, "dev": uv(data)["dev-dependencies"]} if "dev-dependencies" in uv(data) else found


def elsewhere(data: Mapping[str, Any]) -> dict[str, str]:
    """Return what is taken from no index, by name in its normal form: each with the words that say where from."""
    found: dict[str, str] = {}
    for name, entry in _sources(data):
        texts = {word: entry[word] for word in _ELSEWHERE if isinstance(entry.get(word), str)}
        words = [f"{word} = {quoted(without_secrets(text, '***'))}" for word, text in texts.items()]
        words += ["workspace = true"] if entry.get("workspace") is True else []
        if words:
            found.setdefault(normalize(name), words[0])
    return found


def unread(directory: Path) -> Iterator[tuple[str, str]]:
    """Yield the keys of a directory's pyproject.toml that decide something for others, and not here, with a hint."""
    data = pyproject.read(directory)
    yield from ((key, hint) for key, hint in _UNREAD.items() if uv(data).get(key))
    names = sorted(name for name, entry in _sources(data) if "index" in entry or "source" in entry)
    if names:
        hint = "the indexes of pip.conf, or of INDEX_URL= and EXTRA_INDEX_URL=, are asked for everything"
        yield f"the index of {', '.join(names)}", hint


def fingerprinted(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what of the tables decides what a lock holds."""
    words = {key: value for key in (CONSTRAINTS, BUILD_CONSTRAINTS) if (value := uv(data).get(key))}
    more = {"groups": groups(data), "sources": elsewhere(data)}
    return {**words, **{key: value for key, value in more.items() if value}}


def _sources(data: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield where distributions are taken from; one name may have several, each with a marker."""
    tables = (pyproject.table(uv(data), "sources"), pyproject.table(data, "tool", "poetry", "dependencies"))
    for table in tables:
        for name, value in table.items():
            entries = value if isinstance(value, list) else [value]
            yield from ((name, entry) for entry in entries if isinstance(entry, dict))
