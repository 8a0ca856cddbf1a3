"""Find the packages, services and libraries of a project."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import one_line, quoted
from toolkit.model.names import NAME, normalize
from toolkit.project import declared, lines, package_search, source_files, submodules
from toolkit.project.settings import Settings

#: Files that programs have which nobody has packaged, and what is said of each, where there is no package.
_UNPACKAGED = {
    "requirements.txt": "is beside no setup.py or pyproject.toml",
    "pyproject.toml": "has neither [build-system] nor [project]",
    **dict.fromkeys(("setup.cfg", "manage.py", "app.py", "main.py"), "is beside no setup.py or pyproject.toml"),
}


@dataclass(frozen=True, kw_only=True)
class Package:
    """A directory that makes one distribution.

    `path` is absolute; `name` the distribution's name in its normal form; `is_root` says that it is the project itself,
    which is at `root`.
    """

    path: Path
    name: str
    is_service: bool
    is_root: bool = False
    root: Path | None = None

    @property
    def service_name(self) -> str:
        """Return the directory's name with `_` as `-`; the project's own directory may be called anything: the name."""
        return self.name if self.is_root else self.path.name.replace("_", "-")

    @property
    def version(self) -> str:
        """Return the version where it is written literally, or its build gets it, else an empty string.

        Raises `UserError` where it comes from the changelog, and is none of Python's.
        """
        return self._given or self._declared.version

    @property
    def summary(self) -> str:
        """Return what it is, in a line, where that is written literally."""
        return self._declared.summary

    @property
    def licence(self) -> str:
        """Return its licence where that is written literally."""
        return self._declared.licence

    @property
    def marker_file(self) -> str:
        """Return the name of the file that makes the directory a package."""
        return package_search.marker_file(self.path)

    @property
    def is_of_toolkit(self) -> bool:
        """Tell whether it is the library of the toolkit that a project uses, and no part of the project itself."""
        return not self.is_root and package_search.is_toolkit(self.path)

    @property
    def scripts(self) -> tuple[str, ...]:
        """Return the names of the service's scripts: files of bin/ and declared console scripts."""
        directory = self.path / "bin"
        files = [entry.name for entry in directory.iterdir() if entry.is_file()] if directory.is_dir() else []
        return tuple(sorted({*self._declared.scripts, *(name for name in files if not name.startswith("."))}))

    @property
    def commands(self) -> Mapping[str, str]:
        """Return the declared console scripts whose `module:function` is known."""
        known = re.compile(r"[\w.]+:[\w.]+")
        return {name: target for name, target in self._declared.scripts.items() if known.fullmatch(target)}

    @cached_property
    def _given(self) -> str:
        # Most packages write their version, and most verbs ask for none.
        from toolkit.project import vcs_versions

        found = vcs_versions.given(self.path, self.root) if self.root else None
        return found.text if found else ""

    @cached_property
    def _declared(self) -> declared.Declared:
        return declared.read(self.path)


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project (`root` is absolute) and its packages, in the order of their paths; `is_searched`: none was named."""

    root: Path
    packages: tuple[Package, ...]
    is_searched: bool = False

    @property
    def services(self) -> tuple[Package, ...]:
        """Return the packages that become Debian packages."""
        return tuple(package for package in self.packages if package.is_service)

    @property
    def libraries(self) -> tuple[Package, ...]:
        """Return the packages that are not services."""
        return tuple(package for package in self.packages if not package.is_service)

    @property
    def locked(self) -> tuple[Package, ...]:
        """Return the packages that have a lock: services, or libraries where there are none.

        The toolkit's own library, where the toolkit is a submodule, is not this project's to lock.
        """
        return self.services or tuple(package for package in self.libraries if not package.is_of_toolkit)

    def find(self, name: str) -> Package | None:
        """Return the package with this distribution name, in whatever form it is spelled."""
        return self._by_name.get(normalize(name))

    def chosen(self, given: str) -> Package:
        """Return the package that SERVICE= names: as a service, a distribution or a directory.

        Raises `UserError` where there is none.
        """
        named = {self.lock_name(package): package for package in (*self.libraries, *self.services)}
        given = given.rstrip("/")
        for package in named.values():
            spellings = (package.service_name, package.name, self.shown(package.path))
            if given in spellings or normalize(given) in (package.service_name, package.name):
                return package
        raise UserError(f"SERVICE={given}: there is no such package", f"there are {', '.join(sorted(named))}")

    def sample(self, name: str) -> Path | None:
        """Return the directory of a package of this name below tests/ or the like, which is none of the project's."""
        return self._samples.get(normalize(name)) if self.is_searched else None

    def lock_name(self, package: Package) -> str:
        """Return the name of a package's lock: the service's name, or the library's distribution name."""
        return package.service_name if package.is_service else package.name

    def shown(self, path: Path) -> str:
        """Return a path as messages and the lock spell it: relative to the project."""
        return lines.shown(path, self.root)

    @cached_property
    def _by_name(self) -> dict[str, Package]:
        return {package.name: package for package in self.packages}

    @cached_property
    def _samples(self) -> dict[str, Path]:
        found = {}
        for path in package_search.samples(self.root):
            with suppress(UserError):
                found[normalize(declared.read(path).name or path.name)] = path
        return found


def discover(settings: Settings) -> Project:
    """Return the project with its packages, found by their files or named by `PACKAGES=` and `SERVICES=`.

    Nothing of the packages is run. Raises `UserError` on submodules that are not initialised, on two packages of one
    name, two services with one script, and where there is no package at all but the toolkit's own.
    """
    found = discover_any(settings)
    if all(package.is_of_toolkit for package in found.packages):
        adopt = lines.shown(settings.toolkit / "scripts" / "adopt", found.root)
        raise UserError(
            f"{found.root}: no package here{_unpackaged(found.root)}",
            f"`{adopt}` makes one of what is there; a package is a directory with a setup.py, or with a pyproject.toml "
            "that has [build-system] or [project]",
        )
    return found


def _unpackaged(root: Path) -> str:
    """Return what there is of a program that is no package, to continue a sentence with; empty where there is none."""
    with os.scandir(root) as found:
        below = sorted(Path(entry.path) for entry in found if entry.is_dir(follow_symlinks=False))
    for directory in (root, *(path for path in below if not package_search.is_foreign(path))):
        for name, what in _UNPACKAGED.items():
            if (directory / name).is_file():
                return f": {one_line(lines.shown(directory / name, root))} {what}"
    return ""


def discover_any(settings: Settings) -> Project:
    """Return what `discover` does, of a project that need not have a package yet."""
    root = settings.project
    for path in submodules.uninitialised(root):
        if path == settings.vendor or _is_searched(path, root):
            raise submodules.error(path, root)
    services = [_named(root, name, "SERVICES") for name in settings.services]
    packages_named = [_named(root, name, "PACKAGES") for name in settings.packages]
    packages = packages_named or _searched(root)
    found = Project(
        root=root,
        is_searched=not packages_named,
        packages=tuple(
            _package(path, root, path in services if services else (path / "bin").is_dir())
            for path in sorted({*packages, *services})
        ),
    )
    _refuse_doubles(found)
    return found


def _searched(root: Path) -> list[Path]:
    """Return the packages that a search finds, of checkouts of one toolkit the outermost alone."""
    with lines.relative_errors(root):
        found = list(package_search.search(root))
    toolkits = sorted(filter(package_search.is_toolkit, found), key=lambda path: (len(path.parts), path))
    kept: dict[str, Path] = {}
    for path in toolkits:
        first = kept.setdefault(source_files.fingerprint(path) if len(toolkits) > 1 else "", path)
        if first is not path:
            _say_dropped(lines.shown(path, root), lines.shown(first, root))
            found.remove(path)
    return found


@cache
def _say_dropped(path: str, first: str) -> None:
    console.note(f"{path}/: the same toolkit as {first}/, which is taken")


def _is_searched(path: Path, root: Path) -> bool:
    below = [path, *(parent for parent in path.parents if parent != root and parent.is_relative_to(root))]
    parents = below[1:]
    return not (
        any(map(package_search.is_ignored, below))
        or any(map(package_search.is_toolkit, (root, *parents)))
        or any(map(package_search.holds_samples, parents))
    )


def directory_of(root: Path, name: str) -> Path:
    """Return the directory that is meant by its path, or by the name of a service, which has `-` for `_`."""
    path = Path(os.path.normpath(root / name))
    other = path.with_name(path.name.replace("-", "_"))
    return other if not path.is_dir() and other.is_dir() else path


def _named(root: Path, name: str, variable: str) -> Path:
    path = directory_of(root, name)
    if not path.is_relative_to(root):
        raise UserError(f"{variable}={name}: not inside the project {root}", "name directories of the project")
    if not package_search.is_package(path):
        reason = "no such directory"
        if path.is_dir():
            reason = "no setup.py or pyproject.toml (with [build-system] or [project]) in it"
        raise UserError(f"{variable}={name}: {reason}", "name directories of packages, relative to the project")
    return path


def _package(path: Path, root: Path, is_service: bool) -> Package:
    if not (shown := lines.shown(path, root)).isprintable():
        raise UserError(
            f"{quoted(shown)}/: a directory of a package with a control character in its name", "rename the directory"
        )
    with lines.relative_errors(root):
        name = declared.read(path).name
    file = lines.shown(path / package_search.marker_file(path), root)
    if name and not NAME.fullmatch(name):
        raise UserError(f"{file}: {quoted(name)} is no name of a distribution", "use letters, digits, `-`, `_` and `.`")
    if not name:
        console.warn(
            f"{file}: the distribution's name is not written literally, so the directory's, {path.name}, is taken"
        )
    return Package(path=path, name=normalize(name or path.name), is_service=is_service, is_root=path == root, root=root)


def _refuse_doubles(project: Project) -> None:
    names = ((package, package.name) for package in project.packages)
    services = ((service, service.service_name) for service in project.services)
    scripts = ((service, script) for service in project.services for script in service.scripts)
    shadow = "rename one of them, or name the packages to use with PACKAGES="
    _refuse_double(project, names, "two packages of the name", shadow)
    _refuse_double(project, services, "two services of the name", "rename one of the directories")
    _refuse_double(project, scripts, "two services with the script", "rename one of the scripts")


def _refuse_double(project: Project, named: Iterable[tuple[Package, str]], what: str, hint: str) -> None:
    owners: dict[str, Package] = {}
    for package, name in named:
        first = owners.setdefault(name, package)
        if first is not package:
            paths = f"{project.shown(first.path)}/ and {project.shown(package.path)}/"
            raise UserError(f"{paths}: {what} {name}", hint)
