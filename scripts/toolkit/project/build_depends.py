"""Build-Depends of debian/control: which Debian packages that builds need it lacks, and how to add them.

https://www.debian.org/doc/debian-policy/ch-relationships.html
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from toolkit.core import deb822, files
from toolkit.core.deb822 import Paragraph
from toolkit.core.errors import UserError
from toolkit.model import debian_names
from toolkit.model.lock import Distribution, Lock

FIELDS = ("Build-Depends", "Build-Depends-Arch", "Build-Depends-Indep")
CONTROL = Path("debian/control")
_FIELD = FIELDS[0]
_NEXT = re.compile(r"\S+:")


def source(path: Path) -> Paragraph:
    """Return the source's paragraph of a control file. Raises `UserError` where there is none."""
    found = next(deb822.parse(path.read_text(encoding="utf-8", errors="replace"), path), None)
    if not found:
        raise UserError(f"{path}:1: the first paragraph has no field `Source`", "begin it with `Source: <name>`")
    return found


def packages(control: Paragraph) -> set[str]:
    """Return the names of all packages in Build-Depends and its variants, alternatives included."""
    words = re.split(r"[,|]", ",".join(map(control.get, FIELDS)))
    return {re.split(r"[\s:(\[<]", word.strip())[0] for word in words if word.strip()}


def replaceable(path: Path) -> frozenset[str]:
    """Return which packages of `debian_names.REPLACEABLE` a control file names; none where there is no such file."""
    declared = packages(source(path)) if path.is_file() else set()
    return frozenset(
        relation
        for relation in debian_names.REPLACEABLE
        if any(debian_names.brings(package, relation) for package in declared)
    )


def lacking(locks: Iterable[Lock], declared: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the relations that builds need and the packages in `declared` do not bring, each with what needs it."""
    found: dict[str, dict[str, None]] = {}
    for lock, item in ((each, item) for each in locks for item in each.built()):
        names = item.system_files if isinstance(item, Distribution) else ()
        compiled = {crate.name for crate in lock.crates if crate.file and crate.key in item.crates}
        for name in (*names, *debian_names.of_crates(compiled), *(["cargo"] if item.rust else [])):
            relation = debian_names.package(name)
            if relation and not any(debian_names.brings(package, relation) for package in declared):
                found.setdefault(relation, {})[item.label] = None
    return {relation: tuple(found[relation]) for relation in sorted(found)}


def line(control: Paragraph, more: Iterable[str]) -> str:
    """Return the field with more relations, on one line."""
    relations = control.get(_FIELD).strip().rstrip(",").split()
    return f"{_FIELD}: {', '.join([' '.join(relations), *more] if relations else more)}"


def add(path: Path, more: Sequence[str]) -> None:
    """Add relations to the field; all else stays as it is, comments and folding too. Raises `UserError`."""
    real = path.resolve()
    text = real.read_bytes().decode("utf-8")
    changed = _with(text, more)
    if _told(changed, path) != _expected(_told(text, path), more):
        raise UserError(f"{path}: {_FIELD} is not as it can be added to", f"write there: {', '.join(more)}")
    files.write_atomic(real, changed, real.stat().st_mode & 0o7777)


def _with(text: str, more: Sequence[str]) -> str:
    lines = text.splitlines(keepends=True)
    first = next((number for number, each in enumerate(lines) if _is_content(each)), 0)
    end = next((number for number in range(first, len(lines)) if not lines[number].strip()), len(lines))
    start = next((n for n in range(first, end) if lines[n].lower().startswith(f"{_FIELD.lower()}:")), None)
    if start is None:
        break_ = "\r\n" if lines[first].endswith("\r\n") else "\n"
        return "".join([*lines[: first + 1], f"{_FIELD}: {', '.join(more)}{break_}", *lines[first + 1 :]])
    after = next((n for n in range(start + 1, end) if _NEXT.match(lines[n])), end)
    last = max(n for n in range(start, after) if _is_content(lines[n]))
    return "".join([*lines[:last], _longer(lines[last], more, is_first=last == start), *lines[last + 1 :]])


def _is_content(text: str) -> bool:
    return bool(text.strip()) and not text.startswith("#")


def _longer(text: str, more: Sequence[str], *, is_first: bool) -> str:
    """Return the last line of the field with more relations, in the style that it has."""
    value = text.rstrip()
    break_ = text[len(value) :] or ""
    bare = value.rstrip(",").rstrip()
    end = "," if value.endswith(",") else ""
    if is_first:
        return f"{bare}{' ' if bare.endswith(':') else ', '}{', '.join(more)}{end}{break_}"
    indent = bare[: len(bare) - len(bare.lstrip())]
    new = break_ if break_.strip(" \t") else "\n"
    if bare.lstrip().startswith(","):
        return new.join([bare, *(f"{indent}, {each}" for each in more)]) + break_
    return f",{new}".join([bare, *(f"{indent}{each}" for each in more)]) + f"{end}{break_}"


def _told(text: str, path: Path) -> list[Mapping[str, Sequence[str]]]:
    """Return the fields of each paragraph, Build-Depends as its relations."""
    return [
        {
            name: [" ".join(each.split()) for each in value.split(",") if each.strip()]
            if name == _FIELD.lower()
            else [value]
            for name, value in paragraph.fields.items()
        }
        for paragraph in deb822.parse(text, path)
    ]


def _expected(paragraphs: list[Mapping[str, Sequence[str]]], more: Sequence[str]) -> list[Mapping[str, Sequence[str]]]:
    first, *others = paragraphs
    name = _FIELD.lower()
    return [{**first, name: [*first.get(name, ()), *more]}, *others]
