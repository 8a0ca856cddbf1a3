"""The Debian packages with libraries and typelibs that are opened by name, and what comes with what is depended on.

Files are as `opened_names` has them. What is known is what this system's dpkg and apt know: of its suite.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from toolkit.core import process
from toolkit.core.errors import UserError
from toolkit.install import library_packages, opened_names, system_packages
from toolkit.model import debian_names

#: By library: what its package is called after, where that is something else.
_CALLED = {
    **{f"lib{name}-2.0": "libglib2.0" for name in ("gio", "glib", "gmodule", "gobject", "gthread")},
    "libcrypto": "libssl",
}
#: PKCS#11 modules.
_MODULES = {
    "libsofthsm2.so": "libsofthsm2",
    "libykcs11.so": "ykcs11",
    "onepin-opensc-pkcs11.so": "opensc-pkcs11",
    "opensc-pkcs11.so": "opensc-pkcs11",
    "p11-kit-proxy.so": "p11-kit-modules",
}
_PARTS = re.compile(r"(?P<stem>.+?)(?P<version>\.so[.0-9]*)")
#: `  Depends: libc6`, ` |Depends: libdb5.3` where another one would do as well, apt-cache(8).
_DEPENDS = re.compile(r"^ (?P<or>[ |])(?:Pre)?Depends: <?(?P<name>[^<>\s]+)")


@dataclass(frozen=True)
class Depends:
    """The relations of a package, as its field `Depends` has them: all that is named counts, alternatives too."""

    relations: str

    @cached_property
    def names(self) -> frozenset[str]:
        """Return the packages that are named."""
        return frozenset(name for names in choices(self.relations) for name in names)

    def bring(self, file: str, package: str) -> bool:
        """Tell whether a file, for which this package has been found, comes along: any version of a library will do."""
        found = _PARTS.fullmatch(file)
        development = debian_names.package(f"{found['stem']}.so") if found else ""
        return (
            package in self.names
            or package in self._closure
            or bool(library_packages.package(_called(file), self._closure))
            or any(debian_names.brings(name, development) for name in self.names)
        )

    @cached_property
    def _closure(self) -> frozenset[str]:
        """Return what these packages bring, each with what it depends on in its turn, and what every system has."""
        installed = _installed_packages()
        left = [*self.names, *(name for name, package in installed.items() if package.is_essential)]
        others = _of_suite(self.names - installed.keys())
        found = set[str]()
        while left:
            if (name := left.pop()) not in found:
                found.add(name)
                left += installed[name].depends if name in installed else others.get(name, ())
        return frozenset(found)


@dataclass(frozen=True)
class _Package:
    """An installed package, and what it depends on: of alternatives what is installed."""

    is_essential: bool
    depends: tuple[str, ...]


def choices(relations: str) -> list[list[str]]:
    """Return the packages that a field's relations name, each with its alternatives; no variables of substitution."""
    bare = re.sub(r"\$\{[^}]*\}|\([^)]*\)|\[[^]]*\]|<[^>]*>|:\w+", "", relations).split(",")
    return [names for relation in bare if (names := relation.replace("|", " ").split())]


def package_of(files: Iterable[str]) -> str:
    """Return the package to depend on for one of several files; nothing where none is known.

    What this machine has installed counts first, then versions that are named; of several of one library the newest.
    """
    names = sorted(files, key=lambda name: name.endswith(".so"))
    if found := next(filter(None, map(_installed, names)), ""):
        return found
    by_rule = list(filter(None, map(_by_rule, names)))
    # Several generations of one library: libusb-0.1-4, libusb-1.0-0.
    starts = [library_packages.unversioned(package) for package in by_rule]
    same = (package for package, start in zip(by_rule, starts, strict=True) if start == starts[0])
    return max(same, key=library_packages.version, default="")


def _installed(file: str) -> str:
    """Return the installed package with a file, without those that only builds need."""
    paths = [Path(file)] if file.startswith("/") else []
    if file.endswith(opened_names.TYPELIB):
        paths += sorted(Path("/usr/lib").glob(f"*/girepository-1.0/{file}"))
    else:
        paths += [path for name, path in _linked() if name == file or name.startswith(f"{file}.")]
    owners = (system_packages.owner(path) for path in paths if path.exists())
    return next((owner for owner in owners if owner and not owner.endswith("-dev")), "")


def _by_rule(file: str) -> str:
    """Return the package of the suite that is called as that of a file is to be.

    For typelibs: https://wiki.debian.org/Teams/DebianGnomeTeam/gobject-introspection
    """
    name = file.rpartition("/")[2]
    if name.endswith(opened_names.TYPELIB):
        package = f"gir1.2-{name.removesuffix(opened_names.TYPELIB).lower()}"
        return package if package in _names() else ""
    return _MODULES.get(name) or library_packages.package(_called(name), _names())


def _called(file: str) -> str:
    found = _PARTS.fullmatch(file)
    return f"{_CALLED.get(found['stem'], found['stem'])}{found['version']}" if found else file


@cache
def _linked() -> tuple[tuple[str, Path], ...]:
    return tuple(system_packages.known_to_linker())


@cache
def _names() -> frozenset[str]:
    """Return the names of the suite's packages."""
    return frozenset(_output("apt-cache", "pkgnames").split())


@cache
def _installed_packages() -> dict[str, _Package]:
    form = "${Package}\t${Essential}\t${Pre-Depends}, ${Depends}\n"
    rows = [line.split("\t") for line in _output("dpkg-query", "--show", f"--showformat={form}").splitlines()]
    names = {row[0] for row in rows}
    return {
        name: _Package(
            is_essential=essential == "yes",
            depends=tuple(next((each for each in several if each in names), "") for several in choices(relations)),
        )
        for name, essential, relations in rows
    }


def _of_suite(names: Collection[str]) -> dict[str, list[str]]:
    """Return what each of these packages, and of those they bring, depends on: of alternatives the first."""
    found: dict[str, list[str]] = {}
    here, is_chosen = "", False
    words = ("apt-cache", "depends", "--recurse", "--important", *sorted(names))
    for line in _output(*words).splitlines() if names else ():
        if relation := _DEPENDS.match(line):
            found[here] += [] if is_chosen else [relation["name"]]
            is_chosen = relation["or"] == "|"
        elif not line.startswith(" "):
            here, is_chosen = line.partition(":")[0], False
            found.setdefault(here, [])
    return found


def _output(*words: str) -> str:
    """Return what a program prints, also where it does not know all that it was asked for; nothing without it."""
    try:
        return process.read(words)
    except process.CommandError as error:
        return error.output
    except UserError:
        return ""
