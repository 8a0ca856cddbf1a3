"""`make add` and `make remove`: which file a requirement belongs to, and what that file is to say."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import Requirement

from toolkit.core import files, secrets
from toolkit.core.errors import Gathering, UserError
from toolkit.core.foreign_text import quoted
from toolkit.model import requirement_texts
from toolkit.model.names import NAME, normalize
from toolkit.project import drafts, lines, pyproject
from toolkit.project.discovery import Package, Project
from toolkit.requirements import declared_requirements, requirement_text, requirements, toml_arrays
from toolkit.requirements.requirement_line import NamedRequirement, parse
from toolkit.requirements.requirements import DEVELOPMENT_FILE, FILE, Line
from toolkit.requirements.toml_arrays import UnknownSpellingError


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked for: requirements to `add`, or names to `remove`, separated by blanks; `service` is a package.

    `development` says that they are for developers alone.
    """

    add: str = ""
    remove: str = ""
    service: str = ""
    development: bool = False


@dataclass(frozen=True, kw_only=True)
class Edits:
    """New contents of files, by path, and the old ones; `told` says for people what was done, `kept` what was there."""

    new: dict[Path, bytes] = field(default_factory=dict)
    old: dict[Path, bytes] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    @contextmanager
    def written(self) -> Iterator[None]:
        """Write the files; where the block fails, they are again what they were. Raises `UserError`."""
        for path, content in self.old.items():
            if path.read_bytes() != content:
                raise UserError(f"{path}: it was changed while versions were chosen", "do it again; nothing was done")
        done = []
        try:
            for path, content in self.new.items():
                done.append(path)
                _write(path, content)
            yield
        except BaseException:
            for path in done:
                _write(path, self.old[path])
            raise


NO_EDITS = Edits()


def _write(path: Path, content: bytes) -> None:
    target = path.resolve()
    files.write_atomic(target, content, stat.S_IMODE(target.stat().st_mode))


def plan(project: Project, asked: Asked, platforms: tuple[str, ...]) -> Edits:
    """Find out what to edit, and change nothing. Raises `UserError` for what cannot be done, with `file:line`."""
    added, removed = split(asked.add), _names(asked.remove)
    with lines.relative_errors(project.root):
        package = _package(project, asked, removed, platforms)
        editor = _Editor(project, package, platforms, development=asked.development)
        for name in removed:
            editor.remove(name)
        for text in added:
            editor.add(text)
        return editor.edits()


def split(text: str) -> list[str]:
    """Return the requirements in a text, as they are spelled: each is the longest that makes sense.

    Raises `UserError` for what is none.
    """
    words = list(re.finditer(r"\S+", text))
    found: list[str] = []
    begin = 0
    while begin < len(words):
        end, fault = begin, None
        for number in range(len(words) - 1, begin - 1, -1):
            piece = text[words[begin].start() : words[number].end()]
            try:
                _requirement(piece)
            except UserError as error:
                # A part of a marker makes no sense by itself.
                fault = fault if fault and ";" in piece else error
            else:
                end = number + 1
                break
        if fault and end == begin:
            raise fault
        found.append(text[words[begin].start() : words[end - 1].end()])
        begin = end
    return found


def _names(text: str) -> list[str]:
    for word in text.split():
        if not NAME.fullmatch(word):
            raise UserError(f"NAME: no name of a distribution: `{word}`", 'write names alone: NAME="flask jinja2"')
    return list(dict.fromkeys(map(normalize, text.split())))


def _package(project: Project, asked: Asked, removed: Sequence[str], platforms: tuple[str, ...]) -> Package:
    """Return the package whose file is to be edited."""
    named = {project.lock_name(package): package for package in (*project.libraries, *project.services)}
    if asked.service:
        return project.chosen(asked.service)
    if len(project.locked) == 1 or (asked.development and (project.root / DEVELOPMENT_FILE).is_file()):
        return project.locked[0]
    if not asked.add.strip():
        having = [
            package
            for package in named.values()
            if any(map(_Editor(project, package, platforms, development=asked.development).lines, removed))
        ]
        if len(having) == 1:
            return having[0]
        if not having:
            setting = _setting(development=asked.development)
            raise UserError(
                f"NAME: no line of the {setting} of any package names {' or '.join(removed)}", _why(removed[0])
            )
    names = sorted(map(project.lock_name, project.locked))
    raise UserError(
        f"NAME={asked.add or asked.remove}: of which package? There are {', '.join(names)}",
        f"name one (a library does, too): SERVICE={names[0]}",
    )


class _Editor:
    """The files of one package, with what has been done to them so far."""

    def __init__(self, project: Project, package: Package, platforms: tuple[str, ...], *, development: bool) -> None:
        self._project, self._package, self._platforms = project, package, platforms
        self._development = development
        self._setting = _setting(development=development)
        self._old: dict[Path, bytes] = {}
        self._new: dict[Path, bytes] = {}
        self._told: list[str] = []
        self._kept: list[str] = []
        #: Where something was removed last: the file, the name of the distribution, and the line or place in an array.
        self._gap: tuple[Path, str, int] | None = None

    def edits(self) -> Edits:
        changed = {path: content for path, content in self._new.items() if content != self._old[path]}
        return Edits(
            new=changed, old={path: self._old[path] for path in changed}, told=tuple(self._told), kept=tuple(self._kept)
        )

    def lines(self, name: str) -> list[Line]:
        """Return the lines of the package's own files that name a distribution."""
        # Lines that are refused are told with all else that is wrong, once the files are read to be vendored.
        refused = Gathering()
        with drafts.standing(self._new):
            if self._development:
                tree = requirements.read_development(self._project, self._package, self._platforms, refused)
            else:
                tree = requirements.read_tree(self._project, self._package, self._platforms, errors=refused)
        found = (line for line in (*tree.requirements, *tree.uses) if line.name == name and self._owns(line))
        return sorted(dict.fromkeys(found), key=lambda line: (line.file, line.line))

    def _owns(self, line: Line) -> bool:
        path = self._project.root / line.file
        around = [package for package in self._project.packages if path.is_relative_to(package.path)]
        owner = max(around, key=lambda package: len(package.path.parts), default=self._package)
        is_of_developers = path.name != FILE or path.parent != owner.path
        return owner == self._package and (is_of_developers or not self._development)

    def remove(self, name: str) -> None:
        found = self.lines(name)
        if not found:
            where = self._project.shown(self._package.path)
            raise UserError(f"NAME: no line of the {self._setting} of {where}/ names {name}", _why(name))
        for file in dict.fromkeys(line.file for line in found):
            path = self._project.root / file
            numbers = [line.line for line in found if line.file == file]
            if path.suffix == ".txt" or path.name not in declared_requirements.FILES:
                self._set(path, requirement_text.without_lines(self._content(path), numbers))
                self._gap = path, name, numbers[0]
            else:
                self._edit_array(path, name, f"{file}:{numbers[0]}", None)
        self._told += [f"remove {line.origin}: {line.text}" for line in found]

    def add(self, text: str) -> None:
        requirement = _requirement(text)
        name = normalize(requirement.name)
        if secrets.without_credentials(text) != text and not lines.variables(text):
            raise UserError(
                "NAME: a user name or a password, which would be in the project's history",
                "put variables in its place: `https://${USER}:${TOKEN}@host/...` (in make, $ is written $$)",
            )
        if name == self._package.name:
            raise UserError(f"NAME: {name} is the package itself", "name what it needs")
        found = self.lines(name)
        if found and _is_met(requirement, found):
            self._kept.append(f"{found[0].origin}: {name} is there already: `{found[0].text}`")
            return
        if len(found) > 1 or (found and not (requirement.specifier or requirement.url)):
            raise UserError(
                f"{found[0].origin}: {name} is there already: `{found[0].text}`",
                "edit that line"
                if len(found) > 1
                else f"to replace that line, name the versions, too: `{_with_versions(requirement, found[0])}`",
            )
        comment = ""
        if found:
            old = self._project.root / found[0].file
            comment = requirement_text.comment_of(self._content(old), found[0].line) if old.suffix == ".txt" else ""
            self.remove(name)
        path = self._target()
        shown = self._project.shown(path)
        if path.name == pyproject.FILE:
            number = self._edit_array(path, name, shown, text)
        else:
            content, number = requirement_text.with_line(
                self._content(path), f"{text}{comment}", name, shown, self._place(path, name)
            )
            self._set(path, content)
        self._told.append(f"add {shown}:{number}: {text}")

    def _place(self, path: Path, name: str) -> int | None:
        """Return where in a file a distribution stood that was just removed, None for any other."""
        return self._gap[2] if self._gap and self._gap[:2] == (path, name) else None

    def _target(self) -> Path:
        """Return the file that a new requirement goes into."""
        filename = DEVELOPMENT_FILE if self._development else FILE
        for directory in (self._package.path, *([self._project.root] if self._development else [])):
            if (directory / filename).is_file():
                return directory / filename
        directory = self._package.path
        declares = (
            declared_requirements.group(directory, "dev")
            if self._development
            else declared_requirements.dependencies(directory)
        )
        if not (declares or self._development) and declared_requirements.is_dynamic(directory):
            raise UserError(
                f"{self._project.shown(directory / pyproject.FILE)}: its dependencies stand elsewhere (`dynamic`), "
                "and there are none yet",
                "add the first line by hand",
            )
        if declares is not None and (not declares or declares[0].path.name == pyproject.FILE):
            return directory / pyproject.FILE
        if declares and declares[0].path.name not in declared_requirements.FILES:
            return declares[0].path
        if declares:
            raise UserError(
                f"{self._project.shown(declares[0].path)}:{declares[0].line}: its {self._setting} stand here, which is "
                "code that is not edited",
                "add the line by hand",
            )
        raise UserError(
            f"{self._project.shown(directory / filename)}: there is no such file", "create it, empty, and add again"
        )

    def _edit_array(self, path: Path, name: str, origin: str, text: str | None) -> int:
        """Add `text` to the array of requirements in a pyproject.toml, or without one remove `name` from it.

        Returns the line.
        """
        table, key = ("dependency-groups", "dev") if self._development else ("project", "dependencies")
        content = self._content(path)
        with drafts.standing(self._new):
            found = pyproject.table(pyproject.read(path.parent), table)
        key = next((spelling for spelling in found if normalize(spelling) == key), key)
        texts = found.get(key, [])
        names = [_name(item) for item in texts]
        try:
            # Poetry's own tables are another spelling.
            if path.name != pyproject.FILE or (text is None and name not in names):
                raise UnknownSpellingError(key)
            if text is None:
                positions = [number for number, known in enumerate(names) if known == name]
                self._set(path, toml_arrays.without_items(content, table, key, positions))
                self._gap = path, name, positions[0]
                return 0
            later = [number for number, known in enumerate(names) if known > name]
            place = self._place(path, name)
            if place is None:
                place = later[0] if later and names == sorted(names) else len(names)
            self._set(path, toml_arrays.with_item(content, table, key, text, place))
        except UnknownSpellingError:
            done = f"remove {name}" if text is None else f"add `{text}`"
            raise UserError(f"{origin}: {key} is written in a way that is not edited here", f"{done} by hand") from None
        old, new = content.decode().splitlines(), self._new[path].decode().splitlines()
        return next((number for number, pair in enumerate(zip(old, new, strict=False), 1) if pair[0] != pair[1]), 1)

    def _content(self, path: Path) -> bytes:
        if path not in self._old:
            self._old[path] = self._new[path] = path.read_bytes()
        return self._new[path]

    def _set(self, path: Path, content: bytes) -> None:
        if not os.access(path, os.W_OK):
            raise UserError(f"{self._project.shown(path)}: it cannot be written", "see its permissions")
        self._new[path] = content


def _requirement(text: str) -> Requirement:
    """Return what a text says. Raises `UserError` for one that is no requirement, or not on one line."""
    item = parse(lines.expand(text), "NAME")
    if not isinstance(item, NamedRequirement) or not text.replace("\t", " ").isprintable():
        raise UserError(f"NAME: no requirement: {quoted(text)}", "write `name`, `name>=1.2` or `name @ URL`")
    return item.requirement


def _with_versions(asked: Requirement, line: Line) -> str:
    """Return what is asked for with the versions that a line allows."""
    found = requirement_texts.parse(line.text)
    name = f"{asked.name}[{','.join(sorted(asked.extras))}]" if asked.extras else asked.name
    return (
        f"{name}{found.specifier if found and found.specifier else '>=0'}{f'; {asked.marker}' if asked.marker else ''}"
    )


def _setting(*, development: bool) -> str:
    return "requirements of developers" if development else "requirements"


def _why(name: str) -> str:
    return f"`make why NAME={name}` shows what brings it in, if anything does"


def _name(item: object) -> str:
    found = requirement_texts.parse(item) if isinstance(item, str) else None
    return normalize(found.name) if found else ""


def _is_met(asked: Requirement, found: Iterable[Line]) -> bool:
    """Tell whether a line says what is asked for, or the name alone is asked for and is there."""
    is_bare = str(asked) == asked.name
    return is_bare or any(requirement_texts.normal(asked) == _normal(line.text) for line in found)


def _normal(text: str) -> str:
    found = requirement_texts.parse(text)
    return requirement_texts.normal(found) if found else text
