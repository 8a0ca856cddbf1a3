"""What the code of a service opens by name, which dh_shlibdeps does not see, so that its package has to say it.

That is libraries (ctypes, cffi, PKCS#11, what ELF files say of themselves), typelibs, and a few programs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from pathlib import Path

from toolkit.core import files
from toolkit.core.foreign_text import one_line
from toolkit.install import imported, opened_names, system_libraries
from toolkit.install.loadable import Installed
from toolkit.install.system_libraries import Depends
from toolkit.model import requirement_texts
from toolkit.model.names import normalize
from toolkit.wheel import elf, entry_points

#: By distribution: a program without which it does nothing, and the package of that.
_PROGRAMS = {
    "ffmpeg-python": ("ffmpeg", "ffmpeg"),
    "gitpython": ("git", "git"),
    "graphviz": ("dot", "graphviz"),
    "pdf2image": ("pdftoppm", "poppler-utils"),
    "pydub": ("ffmpeg", "ffmpeg"),
    "pypandoc": ("pandoc", "pandoc"),
    "pytesseract": ("tesseract", "tesseract-ocr"),
    "python-gnupg": ("gpg", "gnupg"),
    "xvfbwrapper": ("Xvfb", "xvfb"),
}
#: What is for another platform, and what no service runs.
_NOT_RUN = re.compile(
    r"(^|[/_])(win(dows|32|64)?|darwin|mac(os)?x?|osx|cocoa(py)?|ios|android)[/_.]"
    r"|(^|/)(tests?|testing|_?examples?|docs?|benchmarks?)/|(^|/)(conftest|test_[^/]*|[^/]*_tests?)\.py$",
    re.IGNORECASE,
)
_SHARED = re.compile(r"(lib)?(?P<stem>[^/]+?)\.so[.0-9]*")
#: The most that is looked at of one distribution.
_MOST = 200
_GI = "gi/__init__.py"


@dataclass(frozen=True, kw_only=True)
class ByName:
    """One of these is opened by a distribution: where its file, from site-packages on, has it (`line`, from 1 on).

    `package` is the one of Debian where no more than that is known.
    """

    owner: Installed
    names: tuple[str, ...]
    file: str = ""
    line: int = 0
    package: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """Return what an override may call it: its module, those that this is in, its file, and what is opened."""
        parts = self.file.removesuffix(".py").removesuffix("/__init__").split("/")
        return (*(".".join(parts[:end]) for end in range(1, len(parts) + 1)), self.file, *self.names)

    @property
    def shown(self) -> str:
        """Return what is opened, by a name that has a version where there is one."""
        return min(self.names, key=lambda name: name.endswith(".so"))

    @property
    def place(self) -> str:
        """Return where it is opened, for a reader."""
        return one_line(f"{self.file}:{self.line}" if self.line else self.file)


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The environment of a service at `root`, whose modules are at `site`.

    `own` are the names of the distributions that are the project's, the service's last, `direct` those that they name.
    """

    root: Path
    site: str
    found: Sequence[Installed]
    own: Sequence[str]
    direct: Collection[str]

    @cached_property
    def opened(self) -> list[ByName]:
        """Return all that is opened by name."""
        parts = (chain(_of_program(item), self._of_libraries(item), self._of_code(item)) for item in self.found)
        return [each for part in parts for each in islice(part, _MOST)]

    def missing(self, opened: Iterable[ByName], depends: Depends) -> dict[str, list[ByName]]:
        """Return what is neither in the environment nor brought by `depends`, by the package to add.

        It is what the project's own code leads to, as far as imports tell.
        """
        found: dict[str, list[ByName]] = {}
        for group in _joined(opened):
            names = tuple(dict.fromkeys(name for each in group for name in each.names))
            if any(self._is_shipped(name, group[0].owner) for name in names):
                continue
            package = group[0].package or system_libraries.package_of(names)
            if package and not any(depends.bring(name, package) for name in names):
                # What the package is for comes first, what it stands in for later.
                group.sort(key=lambda each: system_libraries.package_of(each.names) != package)
                found.setdefault(package, []).extend(filter(self._is_reached, group))
        return {package: group for package, group in found.items() if group}

    def _is_shipped(self, name: str, item: Installed) -> bool:
        """Tell whether a distribution has a library, or one that it requires: with a digest, a version or a machine.

        Typelibs are for gi, without which nothing opens them.
        """
        if name.endswith(opened_names.TYPELIB):
            return f"{self.site}/{_GI}" not in self._names
        wanted = _SHARED.fullmatch(name)
        required = {
            normalize(found.name) for text in item.metadata.requires if (found := requirement_texts.parse(text))
        }
        near = [item, *(other for other in self.found if other.name in required)]
        shipped = (path.rpartition("/")[2] for each in near for path in each.names if ".so" in path)
        stems = (match["stem"] for path in shipped if (match := _SHARED.fullmatch(path)))
        return wanted is not None and any(re.match(rf"{re.escape(wanted['stem'])}([-_.]|$)", stem) for stem in stems)

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(name for item in self.found for name in item.names)

    def _of_code(self, item: Installed) -> Iterator[ByName]:
        scripts = self._scripts if item.name in self.own[-1:] else []
        for name in sorted(item.names):
            file = name.removeprefix(f"{self.site}/")
            if name.startswith(f"{self.site}/") and name.endswith(".py") and not _NOT_RUN.search(file):
                for found in opened_names.read(self._read(name)):
                    yield ByName(owner=item, names=found.names, file=file, line=found.line)
        for name in scripts:
            for found in opened_names.read(self._read(name)):
                yield ByName(owner=item, names=found.names, file=name, line=found.line)

    def _of_libraries(self, item: Installed) -> Iterator[ByName]:
        for name in item.libraries:
            library = elf.read(self.root / name)
            for told in library.opened if library else ():
                if names := tuple(filter(opened_names.is_file, told)):
                    yield ByName(owner=item, names=names, file=name.removeprefix(f"{self.site}/"))

    @cached_property
    def _scripts(self) -> list[str]:
        """Return the project's programs, and those of what it requires, that are Python."""
        theirs = {name for item in self.found if item.name not in {*self.own, *self.direct} for name in item.names}
        found = (f"bin/{path.name}" for path in sorted((self.root / "bin").glob("*")))
        return [name for name in found if name not in theirs and re.match(rb"#![^\n]*python", self._read(name))]

    def _read(self, name: str) -> bytes:
        """Return the content of a file; nothing of one that is too long, or none."""
        try:
            return files.read_foreign(self.root / name, opened_names.LONGEST)
        except (OSError, ValueError):
            return b""

    def _is_reached(self, opened: ByName) -> bool:
        if opened.file.endswith(".py") and opened.file not in self._scripts:
            return f"{self.site}/{opened.file}" in self._reached
        # Libraries are loaded by any of the distribution's code; the project's own programs are run.
        return opened.file != "" or not self._reached.isdisjoint(opened.owner.names)

    @cached_property
    def _reached(self) -> set[str]:
        """Return the files that imports lead to, from the project's code, what it requires, and plugins."""
        modules = {}
        for name in self._names:
            if name.startswith(f"{self.site}/") and name.endswith(".py"):
                module = name.removeprefix(f"{self.site}/").removesuffix(".py").removesuffix("/__init__")
                modules[module.replace("/", ".")] = name
        return imported.reached(modules, self._roots(), self._read)

    def _roots(self) -> Iterator[str]:
        for script in self._scripts:
            yield from imported.named(self._read(script), "")
        for item in self.found:
            if item.name in self.own:
                inside = (name.removeprefix(f"{self.site}/") for name in item.names)
                yield from (name.removesuffix(".py").replace("/", ".") for name in inside if name.endswith(".py"))
            elif item.name in self.direct:
                yield from item.modules
            yield from self._plugins(item)

    def _plugins(self, item: Installed) -> Iterator[str]:
        for name in item.names:
            if name.endswith(f".dist-info/{entry_points.FILE}"):
                with suppress(ValueError):
                    yield from entry_points.plugins(self._read(name))


def _of_program(item: Installed) -> Iterator[ByName]:
    if item.name in _PROGRAMS:
        program, package = _PROGRAMS[item.name]
        yield ByName(owner=item, names=(program,), package=package)


def _joined(opened: Iterable[ByName]) -> list[list[ByName]]:
    """Return what a distribution opens together with what it tries instead: under other names, or elsewhere."""
    joined: list[list[ByName]] = []
    for each in opened:
        same = (
            group
            for group in joined
            if group[0].owner is each.owner and any({*other.names} & {*each.names} for other in group)
        )
        if group := next(same, None):
            group.append(each)
        else:
            joined.append([each])
    return joined
