"""entry_points.txt: the commands that a wheel installs, each of which becomes a line of Python that we write.

https://packaging.python.org/en/latest/specifications/entry-points/
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping

from toolkit.archives import archive_limits
from toolkit.core.foreign_text import quoted

FILE = "entry_points.txt"
_GROUPS = ("console_scripts", "gui_scripts")
#: What a shell takes for one word and a file system for one file.
_NAME = re.compile(r"[\w.][\w.+@-]*")
_TARGET = re.compile(r"(?P<module>\w+(\.\w+)*) *: *(?P<object>\w+(\.\w+)*) *(\[[\w.,\s-]*\])?")


def commands(content: bytes) -> Mapping[str, str]:
    """Return the targets (`module:object`) of the commands in a file by their names. Raises `ValueError`."""
    found: dict[str, str] = {}
    for group, name, target in _entries(content.decode("utf-8")):
        if group not in _GROUPS:
            continue
        if not is_name(name):
            raise ValueError(f"the command {quoted(name)} is no file name")
        parts = _TARGET.fullmatch(target)
        words = f"{parts['module']}.{parts['object']}".split(".") if parts else [""]
        if not all(word.isidentifier() and not keyword.iskeyword(word) for word in words):
            raise ValueError(f"the command {quoted(name)} is to run {quoted(target)}, which is no `module:object`")
        run = f"{parts['module']}:{parts['object']}" if parts else target
        if found.setdefault(name, run) != run:
            raise ValueError(
                f"the command {quoted(name)} is to run two things, {quoted(found[name])} and {quoted(run)}"
            )
    return found


def plugins(content: bytes) -> set[str]:
    """Return the modules in a file that are for programs of others to load. Raises `ValueError`."""
    targets = (target for group, _, target in _entries(content.decode("utf-8")) if group not in _GROUPS)
    return {target.partition(":")[0].partition("[")[0].strip() for target in targets}


def is_name(name: str) -> bool:
    """Tell whether a command can have this name."""
    return bool(_NAME.fullmatch(name) and name.strip(".")) and len(name.encode()) <= archive_limits.LONGEST_INSTALLED


def _entries(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield the group, name and value of each entry, as importlib.metadata reads them."""
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1].strip()
        elif line and not line.startswith(("#", ";")):
            name, equals, value = line.partition("=")
            if not equals:
                raise ValueError(f"its {FILE} has the line {quoted(line)}")
            yield group, name.strip(), value.strip()
