"""The files that a new project or service begins with, filled in from templates of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_PLACEHOLDER = re.compile(r"@([a-z]+)@")
_SUFFIX, _PART = ".in", ".part.in"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file to be: `path` is relative; what has a `link` is a symbolic link to that, and has no text.

    `is_part`: the text is a paragraph of a file that several services share, known by its first line without a `#`.
    """

    path: PurePosixPath
    text: str = ""
    link: str = ""
    is_executable: bool = False
    is_part: bool = False

    @property
    def key(self) -> str:
        """Return the line by which a part is known."""
        return next(line for line in self.text.splitlines() if not line.startswith("#"))


def read(values: Mapping[str, str], *templates: Path) -> list[Entry]:
    """Return the files of one or several templates; one of a later template takes the place of an earlier one's.

    Every `@word@` in a name or in a text stands for `values["word"]`; a word without a value is a mistake of the
    template (`KeyError`). Names of files end in `.in`, or `.part.in` for parts, which is taken off: in a template,
    nothing looks like a package, a test or a script to the tools that search for these. Links are taken as they are.
    """
    found = (entry for template in templates for entry in _read(template, values))
    return list({(entry.path, entry.is_part): entry for entry in found}.values())


def _read(template: Path, values: Mapping[str, str]) -> Iterator[Entry]:
    for file in sorted(template.rglob("*")):
        is_part = file.name.endswith(_PART)
        name = _fill(file.relative_to(template).as_posix(), values)
        path = PurePosixPath(name.removesuffix(_PART if is_part else _SUFFIX))
        if file.is_symlink():
            yield Entry(path=path, link=os.readlink(file))
        elif file.is_file():
            text = _fill(file.read_text(encoding="utf-8"), values)
            yield Entry(path=path, text=text, is_part=is_part, is_executable=os.access(file, os.X_OK))


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)


def python_text(text: str) -> str:
    """Return a printable text as a literal of Python."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def names(service: str, namespace: str) -> dict[str, str]:
    """Return every name that a service goes by, as values for `read`: `example-service` lives in example_service/."""
    directory = service.replace("-", "_")
    return {
        "namespace": namespace,
        "service": service,
        "directory": directory,
        "module": f"{namespace.replace('-', '_')}_{directory}",
        "script": f"{namespace}-{service}",
        "package": f"{namespace}-{service}",
    }
