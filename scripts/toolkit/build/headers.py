"""The Debian packages with the headers, libraries and programs that a failed build did not find."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Iterator

from toolkit.core import process
from toolkit.core.errors import UserError
from toolkit.model import debian_names

#: What ends a build: a header (a source that is not there is the sdist's fault, which no package mends), a library.
_FATAL = {
    "{}": re.compile(r"fatal error: ([\w./+-]+(?<!\.c)(?<!\.cc)(?<!\.cpp)): No such file or directory"),
    "lib{}.so": re.compile(r"ld(?:\.\w+)?: cannot find -l([\w+.-]+)"),
}
#: What others say of what they do not find. Builds go on without some of it, so only what is known counts.
_SAID = {
    "{}": re.compile(
        r"error: command '([\w+.-]+)' failed: No such file|\b([\w+.-]+): (?:command )?not found"
        r"|No such file or directory: '([\w+.-]+)'|\b([\w+.-]+)['`]? (?:executable )?not found"
        r"|[Cc]ould not find `?([\w+.-]+)`? (?:with |executable|version)|Unknown compiler\(s\): \[\['([\w+.-]+)'"
    ),
    "{}.pc": re.compile(
        r"No package '([\w+.-]+)' found|Package ([\w+.-]+) was not found in the pkg-config search path"
        r"|Package '([\w+.-]+)', required by '[^']*', not found|PackageNotFoundError: ([\w+.-]+) not found"
        r"|pkg-config(?: --[\w-]+)* ([\w+.-]+)'? returned non-zero"
        r"|Dependency \"([\w+.-]+)\" not found|Dependency lookup for ([\w+.-]+) with method"
    ),
    "{}.cmake": re.compile(
        r"CMake Error[^\n]{0,200}\n\s{1,20}Could NOT find (\w+)|package configuration file provided by \"(\w+)\""
    ),
}


def suggestion(output: str, hidden: Collection[str] = ()) -> str:
    """Return one line on the Debian packages to install for a build's output, or nothing when it does not tell.

    `hidden` are programs that are installed, and that builds do not find.
    """
    for form, pattern in _FATAL.items():
        if found := pattern.search(output):
            name = form.format(found[1])
            return _missing([name]) or _of_apt_file(name)
    names = _told(output)
    if names[:1] and names[0] in hidden:
        package = debian_names.package(names[0])
        where = f"builds find {names[0]} where Build-Depends in debian/control has {package}"
        return f"{where}: add it, and run `make vendor`"
    return _missing(names)


def instead(output: str) -> str:
    """Return how to install what a build did not find, and would take instead of what it fetches; or nothing."""
    return _install(_told(output))


def _told(output: str) -> list[str]:
    """Return the names of what a build said that it did not find."""
    # Builds may try one after the other: the first that is known is what most people mean by it. That pkg-config
    # itself is missing is seen before anything that it would tell.
    names = [name for form, pattern in _SAID.items() if (name := next(_known(form, pattern, output), ""))]
    return names if names[:1] == ["pkg-config"] else names[:1]


def _known(form: str, pattern: re.Pattern[str], output: str) -> Iterator[str]:
    for match in pattern.finditer(output):
        for name in filter(None, match.groups()):
            likely = (form.format(name), form.format(name.lower()))
            yield from (each for each in likely if debian_names.package(each))


def _missing(names: list[str]) -> str:
    command, verb = _install(names), "is" if len(names) == 1 else "are"
    return command and f"{' and '.join(names)} {verb} missing: {command}"


def _install(names: list[str]) -> str:
    relations = [relation for name in names if (relation := debian_names.package(name))]
    if not relations:
        return ""
    commands = " or ".join(f"`apt install {' '.join(each)}`" for each in _alternatives(relations))
    return f"{commands}, and add {', '.join(relations)} to Build-Depends in debian/control"


def _alternatives(relations: list[str]) -> list[list[str]]:
    """Return the packages to install: those of all relations together, once for each alternative of any."""
    count = max(relation.count("|") for relation in relations) + 1
    words = [relation.split(" | ") for relation in relations]
    return [[each[min(number, len(each) - 1)] for each in words] for number in range(count)]


def _of_apt_file(name: str) -> str:
    package = _apt_file(f"/{name}")
    if not package:
        return f"{name} is missing: find its package with `apt-file search /{name}`"
    return f"{name} is missing: `apt install {package}`, and add {package} to Build-Depends in debian/control"


def _apt_file(path: str) -> str:
    if not shutil.which("apt-file"):
        return ""
    try:
        lines = process.read(["apt-file", "search", "--regexp", f"{re.escape(path)}$"]).splitlines()
    except UserError:
        return ""
    packages = {line.partition(":")[0] for line in lines}
    return min(packages, key=lambda name: (not name.endswith("-dev"), len(name), name), default="")
