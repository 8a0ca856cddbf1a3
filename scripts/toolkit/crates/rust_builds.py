"""Which Rust packages the build of an sdist compiles, and with which features, as far as its files tell.

https://www.maturin.rs/config.html and https://setuptools-rust.readthedocs.io/en/latest/reference.html
"""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.core import documents
from toolkit.crates.cargo_manifest import FILE, below
from toolkit.project import declared
from toolkit.project.pyproject import table

#: What setuptools-rust is told of: libraries and programs, with their arguments in the order of its constructors.
_CALLS = {
    "RustExtension": ("target", "path", "args", "cargo_manifest_args", "features"),
    "RustBin": ("target", "path", "args", "cargo_manifest_args", "features"),
}
_TABLES = ("ext-modules", "bins")


@dataclass(frozen=True, kw_only=True)
class RustBuild:
    """One package to compile: the path of its Cargo.toml in the source tree, and the features that are asked for."""

    manifest: str = FILE
    features: tuple[str, ...] = ()
    default_features: bool = True
    all_features: bool = False


def named(pyproject: Mapping[str, Any], setup: bytes) -> tuple[RustBuild, ...]:
    """Return the packages that pyproject.toml and setup.py name, none where they name none.

    What is computed there is taken for the default: more is compiled then, never less.
    """
    tool = table(pyproject, "tool")
    found = [_maturin(table(tool, "maturin"))] if "maturin" in tool else []
    settings = table(tool, "setuptools-rust")
    for title in _TABLES:
        entries = settings.get(title, [])
        found += [_build(entry) for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return tuple(dict.fromkeys((*found, *_in_setup(setup))))


def _maturin(settings: Mapping[str, Any]) -> RustBuild:
    arguments = [*_words(settings.get("cargo-extra-args")), *_words(settings.get("features"), prefix="--features=")]
    arguments += [f"--{flag}" for flag in ("all-features", "no-default-features") if settings.get(flag) is True]
    return _with_arguments(_path(settings.get("manifest-path")), arguments)


def _build(entry: Mapping[str, Any]) -> RustBuild:
    """Return the package that an entry of setuptools-rust names."""
    arguments = [*_words(entry.get("args")), *_words(entry.get("features"), prefix="--features=")]
    return _with_arguments(_path(entry.get("path")), arguments)


def _in_setup(content: bytes) -> Iterator[RustBuild]:
    try:
        tree = documents.python(content)
    except ValueError:
        return
    constants = declared.constants(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            order = _CALLS.get(getattr(node.func, "attr", "") or getattr(node.func, "id", ""))
            if order:
                given = dict(zip(order, node.args, strict=False))
                given |= {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
                yield _build({name: _literal(value, constants) for name, value in given.items()})


def _literal(node: ast.expr, constants: Mapping[str, ast.expr]) -> object:
    try:
        return documents.literal(constants.get(node.id, node) if isinstance(node, ast.Name) else node)
    except ValueError:
        return None


def _path(value: object) -> str:
    return below("", value) if isinstance(value, str) and value else FILE


def _words(value: object, prefix: str = "") -> list[str]:
    """Return arguments that stand in a list or in one text."""
    if isinstance(value, str) and not prefix:
        try:
            return shlex.split(value)
        except ValueError:
            return []
    several = value if isinstance(value, (list, tuple)) else ()
    # maturin: a feature may be a table that says for which Pythons it is asked.
    texts = (item.get("feature") if isinstance(item, dict) else item for item in several)
    return [f"{prefix}{text}" for text in texts if isinstance(text, str)]


def _with_arguments(manifest: str, arguments: Sequence[str]) -> RustBuild:
    """Return the package that `cargo build` would compile with these arguments."""
    features: list[str] = []
    left = list(reversed(arguments))
    while left:
        argument = left.pop()
        name, equals, value = argument.partition("=")
        if name in ("--features", "-F"):
            features += (value if equals else left.pop() if left else "").replace(",", " ").split()
        elif argument.startswith("-F"):
            features += argument[2:].replace(",", " ").split()
    return RustBuild(
        manifest=manifest,
        features=tuple(dict.fromkeys(features)),
        default_features="--no-default-features" not in arguments,
        all_features="--all-features" in arguments,
    )
