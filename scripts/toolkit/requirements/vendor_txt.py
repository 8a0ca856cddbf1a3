"""`vendor.txt`: what cannot be had, or not be built, as source."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from toolkit.core.errors import AT_ONCE, Gathering, UserError
from toolkit.model import archive_names
from toolkit.model.names import normalize
from toolkit.project import lines

FILE = "vendor.txt"
_FLAGS = ("--no-deps",)
_OPTIONS = ("--platform", "--python-version", "--abi", "--implementation", "--only-binary")
_USAGE = "write a name, with --platform, --python-version, --abi, --implementation or --no-deps; or an archive's URL"


@dataclass(frozen=True, kw_only=True)
class BinaryRule:
    """One line that takes wheels for a distribution; several lines of one name take several sets of wheels.

    `name` is in its normal form; `specifier` (`==1.2`) may be empty; the tuples are pip's options as given, each of
    which may be repeated; `origin` is `file:line`.
    """

    name: str
    origin: str
    specifier: str = ""
    platforms: tuple[str, ...] = ()
    python_versions: tuple[str, ...] = ()
    abis: tuple[str, ...] = ()
    implementations: tuple[str, ...] = ()
    no_deps: bool = False


@dataclass(frozen=True, kw_only=True)
class ArchiveRule:
    """One line that is the URL of an archive, which ends in `#sha256=...`, `#version=...` or both if the line does."""

    url: str
    origin: str


Rule = BinaryRule | ArchiveRule


def read(path: Path, project_root: Path, errors: Gathering = AT_ONCE) -> tuple[Rule, ...]:
    """Return the rules of a vendor.txt, none when it is missing. Raises `UserError` with `file:line`.

    `errors` gathers lines that are refused.
    """
    return tuple(lines.entries(path, project_root, _rule, errors))


def without_dependencies(path: Path, project_root: Path) -> Iterator[str]:
    """Yield the names whose wheels are taken with `--no-deps`.

    A build may read this where nobody has set the variables of the file.
    """
    for _, text in lines.read(path, project_root) if path.is_file() else ():
        if (name := re.match(r"[\w.-]+", text)) and "--no-deps" in text.split():
            yield normalize(name[0])


def _rule(text: str, origin: str) -> Rule:
    if text.startswith("-"):
        raise UserError(f"{origin}: options without a name: `{text}`", _USAGE)
    return _archive(text, origin) if re.match(r"[A-Za-z][\w.+-]*:", text) else _binary(text, origin)


def _archive(text: str, origin: str) -> ArchiveRule:
    url, _, fragment = text.partition("#")
    parts = lines.split_url(url, origin)
    if parts.scheme not in ("https", "http", "file") or any(character.isspace() for character in text):
        raise UserError(f"{origin}: not the URL of an archive: `{text}`", _USAGE)
    if not parts.path.endswith(archive_names.ENDINGS):
        wheel = "; for a wheel, write the distribution's name" if parts.path.endswith(".whl") else ""
        raise UserError(
            f"{origin}: not an archive: `{url}`", f"it must end in {', '.join(archive_names.ENDINGS)}{wheel}"
        )
    for part in fragment.split("&") if fragment else ():
        if not re.fullmatch(r"sha256=[0-9a-fA-F]{64}|version=\d[\w.+!-]*", part):
            raise UserError(
                f"{origin}: neither a sha256 nor a version: `#{part}`",
                "write `#sha256=` and 64 hexadecimal digits; `#version=1.2` is for what takes its version from git",
            )
    return ArchiveRule(url=text, origin=origin)


def _binary(text: str, origin: str) -> BinaryRule:
    specification, *rest = re.split(r"\s+(?=-)", text, maxsplit=1)
    requirement = _requirement(specification, origin)
    options = _options(rest[0] if rest else "", origin)
    name = normalize(requirement.name)
    for value in options["--only-binary"]:
        if value != ":all:" and name not in map(normalize, value.split(",")):
            raise UserError(f"{origin}: --only-binary {value} does not name {name}", "leave it out: it is implied")
    return BinaryRule(
        name=name,
        origin=origin,
        specifier=str(requirement.specifier),
        platforms=tuple(options["--platform"]),
        python_versions=tuple(_python_version(value, origin) for value in options["--python-version"]),
        abis=tuple(options["--abi"]),
        implementations=tuple(options["--implementation"]),
        no_deps=bool(options["--no-deps"]),
    )


def _requirement(text: str, origin: str) -> Requirement:
    try:
        requirement = Requirement(text)
    except (InvalidRequirement, RecursionError):
        raise UserError(f"{origin}: neither a distribution nor a URL: `{text}`", _USAGE) from None
    if requirement.url or requirement.marker or requirement.extras:
        raise UserError(
            f"{origin}: only a name (and a version) can stand here: `{text}`",
            "markers and extras belong in requirements.txt; a URL stands alone on its line",
        )
    return requirement


def _options(text: str, origin: str) -> dict[str, list[str]]:
    """Return the values of pip's options, `--name value` or `--name=value`, each possibly several times."""
    try:
        words = iter(shlex.split(text))
    except ValueError as error:
        raise UserError(f"{origin}: {error}: `{text}`", _USAGE) from None
    found: dict[str, list[str]] = {option: [] for option in (*_OPTIONS, *_FLAGS)}
    for word in words:
        option, equals, value = word.partition("=")
        if option not in found or (equals and option in _FLAGS):
            raise UserError(f"{origin}: unknown option `{word}`", _USAGE)
        value = value if equals else option if option in _FLAGS else next(words, "")
        if not value or (value.startswith("-") and option not in _FLAGS):
            raise UserError(f"{origin}: {option} needs a value", _USAGE)
        found[option].append(value)
    return found


def _python_version(value: str, origin: str) -> str:
    """Return pip's three spellings (`3`, `311`, `3.11.7`) with dots."""
    if not re.fullmatch(r"\d+(\.\d+){0,2}", value):
        raise UserError(f"{origin}: not a Python version: `{value}`", "write --python-version 3.11")
    return f"{value[0]}.{value[1:]}" if value.isdigit() and len(value) > 1 else value
