"""The Debian packages that a service runs with: the interpreter, and the libraries that its wheels are linked to."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import process
from toolkit.core.errors import UserError
from toolkit.model.interpreter import Interpreter
from toolkit.wheel import check, elf

#: `	libyaml-0.so.2 (libc6,x86-64) => /lib/x86_64-linux-gnu/libyaml-0.so.2`, ldconfig(8).
_CACHED = re.compile(r"^\t(?P<name>\S+) \([^)]*\) => (?P<path>/\S+)$", re.MULTILINE)
#: `libc6:amd64: /lib/x86_64-linux-gnu/libc.so.6`, dpkg-query(1).
_OWNER = re.compile(r"^(?P<package>[a-z0-9][a-z0-9.+-]*(?::[a-z0-9-]+)?): (?P<path>/.*)$", re.MULTILINE)
_FORMAT = r"${Package}\t${Version}\t${Architecture}\n"


@dataclass(frozen=True, kw_only=True, order=True)
class SystemPackage:
    """An installed Debian package; `is_interpreter`, or one with libraries."""

    name: str
    version: str
    architecture: str
    is_interpreter: bool = False


def of(wheels: Iterable[Path], interpreter: Interpreter) -> tuple[SystemPackage, ...]:
    """Return the packages by name; none where dpkg has none of this system."""
    python = interpreter.path.resolve()
    native = elf.read(python)
    libraries = _libraries(_needed(wheels), native) if native else []
    return tuple(sorted((*_installed([python], is_interpreter=True), *_installed(libraries))))


def _needed(wheels: Iterable[Path]) -> set[str]:
    """Return the names of the libraries that those in wheels are linked to, and that do not come in the same wheel."""
    found: set[str] = set()
    for wheel in wheels:
        needed, own = set[str](), set[str]()
        with check.opened(wheel) as contents, tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch, "library")
            for file in contents.files:
                if ".so" in (name := file.name.rpartition("/")[2]):
                    own.add(name)
                    path.write_bytes(b"".join(contents.chunks(file)))
                    library = elf.read(path)
                    needed |= {*library.needed} if library else set()
        found |= needed - own
    return found


def _libraries(names: Iterable[str], native: elf.Elf) -> list[Path]:
    """Return where the linker of this machine finds these libraries."""
    wanted = set(names)
    paths = (path for name, path in known_to_linker() if name in wanted)
    return [path for path in paths if (library := elf.read(path)) and library.machine == native.machine]


def known_to_linker() -> list[tuple[str, Path]]:
    """Return the name and the path of each library that the linker of this machine finds."""
    try:
        found = _CACHED.finditer(process.read(["/sbin/ldconfig", "-p"]))
    except UserError:
        return []
    return [(match["name"], Path(match["path"])) for match in found]


def owner(path: Path) -> str:
    """Return the name of the package with the file that a path leads to; nothing where dpkg knows none."""
    found = _OWNER.search(_output("--search", *_spellings(path.resolve())))
    return found["package"].partition(":")[0] if found else ""


def _installed(paths: Sequence[Path], *, is_interpreter: bool = False) -> Iterator[SystemPackage]:
    """Yield the packages that these files belong to."""
    # dpkg knows a file by the path in its package, which may lead through what is a link now: /lib to /usr/lib.
    spelled = dict.fromkeys(spelling for path in paths for spelling in _spellings(path))
    owners = dict.fromkeys(match["package"] for match in _OWNER.finditer(_output("--search", *spelled)))
    for line in _output("--show", f"--showformat={_FORMAT}", *owners).splitlines() if owners else ():
        name, version, architecture = line.split("\t")
        yield SystemPackage(name=name, version=version, architecture=architecture, is_interpreter=is_interpreter)


def _spellings(path: Path) -> Iterator[str]:
    real = os.path.realpath(path)
    for each in (str(path), real):
        yield each
        yield each.removeprefix("/usr") if each.startswith("/usr/") else f"/usr{each}"


def _output(*words: str) -> str:
    """Return what dpkg-query prints; it fails where it does not know one of several files, too."""
    try:
        return process.read(["dpkg-query", *words])
    except process.CommandError as error:
        return error.output
    except UserError:
        return ""
