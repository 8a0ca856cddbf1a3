"""A package counts as built when everything in it has been loaded once: what that found, judged and told.

A package may lack what a module imports, or hold a library that no longer loads, and be built with every other check
green.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from toolkit.build import completeness
from toolkit.build.building_options import BuildOptions
from toolkit.core import console, deb822
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import one_line
from toolkit.install import load_overrides, loadable, loading, system_libraries
from toolkit.install.load_overrides import Override
from toolkit.install.loadable import Installed
from toolkit.install.loading import Failure
from toolkit.install.opened_by_name import ByName, Environment
from toolkit.install.system_libraries import Depends
from toolkit.model import requirement_texts
from toolkit.model.interpreter import Interpreter
from toolkit.model.lock import Lock
from toolkit.model.names import normalize
from toolkit.project.discovery import Project
from toolkit.requirements import requirement_files
from toolkit.wheel import entry_points

#: Modules of the standard library that Debian has in packages of their own, which no interpreter's package depends on.
_DEBIAN = {
    **dict.fromkeys(("tkinter", "_tkinter", "turtle"), "python3-tk"),
    "distutils": "python3-distutils",
    "lib2to3": "python3-lib2to3",
    "idlelib": "idle3",
    "ensurepip": "python3-venv",
}
#: The Python that no longer has these modules: https://peps.python.org/pep-0594/ and the like.
_REMOVED = {
    **dict.fromkeys(("asynchat", "asyncore", "distutils", "imp", "smtpd"), (3, 12)),
    **dict.fromkeys(("aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "lib2to3", "mailcap"), (3, 13)),
    **dict.fromkeys(("nntplib", "pipes", "sndhdr", "sunau", "telnetlib", "uu", "xdrlib"), (3, 13)),
}
#: Errors of what is missing or does not fit. Others are raised by code that is there, and wants to be set up first.
_INCOMPLETE = frozenset(
    {
        "ImportError",
        "AttributeError",
        "NameError",
        "TypeError",
        "SyntaxError",
        "DistributionNotFound",
        "VersionConflict",
    }
)
#: What a library leads to that is looked for in vain.
_OF_LIBRARIES = frozenset({"ImportError", "AttributeError", "NameError", "TypeError", "RuntimeError"})
_NO_MODULE = "does not define module export function"
_NOT_FOUND = "cannot open shared object file: No such file or directory"
_DPKG = Path("/var/lib/dpkg/info")


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A service in the tree of its package, with its environment at `root`; `depends` are those of the package.

    With `installed` it was loaded in a clean system, which has what the package depends on and nothing else; `packages`
    are then those of Debian with the libraries that were looked for in vain, by the library's name.
    """

    project: Project
    lock: Lock
    interpreter: Interpreter
    root: Path
    package: str
    debian: Path
    depends: str
    installed: bool = False
    packages: Mapping[str, str] = field(default_factory=dict)

    @property
    def substituted(self) -> str:
        """Return the relations of the package as it will have them, where dh_gencontrol has written them already."""
        path = self.debian / self.package / "DEBIAN/control"
        if not path.is_file():
            return self.depends
        [stanza] = deb822.parse(path.read_text(encoding="utf-8"), path)
        return f"{stanza.get('Pre-Depends')}, {stanza.get('Depends')}"


def check(checked: Checked, options: BuildOptions, log: Path) -> None:
    """Load everything in an environment. Raises `UserError` with what does not load and is not overridden."""
    start = time.monotonic()
    overrides = _overrides(checked)
    found = loadable.read(checked.root, checked.interpreter)
    failures = loading.load(checked.root, found, checked.interpreter, options, log, list(_absent(checked)))
    judged = _Judged(checked=checked, found=found, failures=failures, overrides=overrides)
    judged.warn_of_names()
    judged.report()
    console.step("LOADED", f"{checked.lock.service}: {counts(found)} ({time.monotonic() - start:.1f} s)")


def judge(checked: Checked, found: Sequence[Installed], failures: Sequence[Failure]) -> None:
    """Raise `UserError` with what was not loaded of a package where it is installed, and is not overridden."""
    _Judged(checked=checked, found=found, failures=failures, overrides=_overrides(checked)).report()


def counts(found: Sequence[Installed]) -> str:
    """Return how many modules and libraries there are to load, as a person reads it."""
    modules = sum(len(item.modules) for item in found)
    return f"{modules} modules, {sum(len(item.libraries) for item in found)} libraries"


def _overrides(checked: Checked) -> tuple[Override, ...]:
    name = f"{checked.package}.load-overrides"
    return load_overrides.read(checked.debian / name, f"debian/{name}")


def _absent(checked: Checked) -> Iterator[str]:
    """Yield the modules that this system's interpreter may have, and that of a server, by `Depends`, has not."""
    if checked.interpreter.path.parent != Path("/usr/bin"):
        return
    for module, package in _DEBIAN.items():
        if not re.search(rf"\b{package.replace('3', '[0-9.]*', 1)}\b", checked.depends):
            if module == "distutils":
                # Its beginning is in the interpreter's own package.
                directory = Path(f"/usr/lib/python{checked.interpreter.version}/distutils")
                names = {path.stem for path in directory.glob("*")} - {"__init__", "version", "__pycache__"}
                yield from (f"distutils.{name}" for name in names)
            else:
                yield module


@dataclass(frozen=True, kw_only=True)
class _Judged:
    """What does not load in an environment, and what that says of it."""

    checked: Checked
    found: Sequence[Installed]
    failures: Sequence[Failure]
    overrides: Sequence[Override]

    def report(self) -> None:
        """Raise `UserError` with what is missing or broken; warn of what cannot be told."""
        for override in () if self.checked.installed else self.overrides:
            labels = (label for opened in self._environment.opened for label in opened.labels)
            if not any(map(override.matches, (*map(self._shown, self.failures), *labels))):
                console.warn(f"{override.origin}: {override.pattern} loads, or is not there")
        left = [item for item in self.failures if not self._is_overridden([self._shown(item)])]
        kinds: dict[str, list[Failure]] = {"error": [], "unclear": [], "optional": []}
        for failure in left:
            kinds[self._kind(failure)].append(failure)
        for failure in kinds["optional"]:
            console.debug(f"{self._shown(failure)} does not load: {failure.text}")
        for failure in self._roots(kinds["unclear"]):
            reason = "it may want to be set up first"
            if self._denies_itself(failure):
                reason = "it says so of itself: an extension that its build can do without may not have been compiled"
            if _misses_library(failure):
                reason = f"this machine lacks {', '.join(self._lacking)}, which the package depends on"
            console.warn(f"{self._sentence(failure)}: {reason}")
        if errors := self._roots(kinds["error"]):
            raise self._error(errors)

    def warn_of_names(self) -> None:
        """Warn of what is opened by name, if at all, and what the package depends on does not bring."""
        wanted = [each for each in self._environment.opened if not self._is_overridden(each.labels)]
        missing = self._environment.missing(wanted, Depends(self.checked.substituted))
        if missing:
            lines = [f"{package}: {self._opened_by(opened)}" for package, opened in missing.items()]
            console.warn(
                f"{self.checked.package} opens by name what its Depends do not bring:\n"
                + "".join(f"{line}\n" for line in lines)
                + f"add {', '.join(missing)} to Depends of {self.checked.package} in debian/control; if nothing "
                f"uses it, name it in debian/{self.checked.package}.load-overrides, with a reason"
            )

    def _opened_by(self, opened: Sequence[ByName]) -> str:
        first, *others = opened
        what = ", ".join(filter(None, (first.shown, first.place)))
        more = f" and {len(others)} more" if others else ""
        return f"{what} ({' -> '.join(self._chain(first.owner))}){more}"

    @cached_property
    def _environment(self) -> Environment:
        return Environment(
            root=self.checked.root,
            site=self.checked.interpreter.site_packages,
            found=self.found,
            own=[package.name for package in self.checked.lock.local],
            direct=self._direct,
        )

    def _is_overridden(self, labels: Sequence[str]) -> bool:
        return any(override.matches(label) for override in self.overrides for label in labels)

    def _kind(self, failure: Failure) -> str:
        if not failure.is_module:
            # One that is for a program or a machine that is not here, or finds its neighbours by who loads it.
            return "optional" if _NOT_FOUND in failure.text and not self._packages(failure) else "error"
        if failure.error == "Crash":
            return "error"
        if _NO_MODULE in failure.text or self._is_optional(failure):
            return "optional"
        if self._denies_itself(failure):
            return "unclear"
        if _misses_library(failure):
            return "unclear" if self._lacking else "error"
        is_inside = failure.about.startswith("lib/") and "FileNotFoundError" in failure.bases
        return "error" if is_inside or _INCOMPLETE.intersection(failure.bases) else "unclear"

    def _is_optional(self, failure: Failure) -> bool:
        """Tell whether a module is for a platform, a program or an extra that is not there."""
        owner, raised_by = self._owner(failure), self._raised_by(failure)
        missing = self._missing(failure)
        if missing in sys.stdlib_module_names and missing not in _DEBIAN and not self._is_removed(missing):
            return True
        if self._is_beside_main(failure, owner):
            return raised_by is owner and missing != "pkg_resources"
        if missing in {"", "pkg_resources", *_DEBIAN, *self._provided} or self._is_removed(missing):
            return False
        return raised_by is owner and (
            missing in self._plugins(owner, failure)
            or (_extra(owner, missing) != "" and owner.name not in self._direct)
            or (self._main(owner) is None and any(self._loads(name) for name in owner.modules))
        )

    def _denies_itself(self, failure: Failure) -> bool:
        """Tell whether a module says that it is not there, as PyYAML's `_yaml` does where it has no libyaml."""
        is_own = not failure.about and self._raised_by(failure) is self._owner(failure)
        return is_own and failure.error == "ModuleNotFoundError" and f"'{failure.name}'" in failure.text

    def _is_removed(self, module: str) -> bool:
        """Tell whether an older Python had a module of the standard library."""
        version = tuple(map(int, self.checked.interpreter.version.split(".")))
        return version >= _REMOVED.get(module, (4,))

    def _plugins(self, owner: Installed, failure: Failure) -> set[str]:
        """Return what a module may miss since programs of others load it: anything, where its entry points say so."""
        path = next((name for name in owner.names if name.endswith(f".dist-info/{entry_points.FILE}")), "")
        try:
            modules = entry_points.plugins((self.checked.root / path).read_bytes()) if path else set()
        except ValueError:
            return set()
        return {self._missing(failure)} if any(f"{name}.".startswith(f"{failure.name}.") for name in modules) else set()

    def _is_beside_main(self, failure: Failure, owner: Installed) -> bool:
        """Tell whether a distribution has a module of its own name, which loads, beside this one."""
        main = self._main(owner)
        return main is not None and main != failure.name and self._loads(main)

    def _main(self, owner: Installed) -> str | None:
        return next((name for name in owner.modules if normalize(name) == owner.name), None)

    def _loads(self, module: str) -> bool:
        return module not in self._failed

    @cached_property
    def _failed(self) -> set[str]:
        return {failure.name for failure in self.failures}

    @cached_property
    def _provided(self) -> set[str]:
        """Return what can stand first in the name of a module."""
        site = f"{self.checked.interpreter.site_packages}/"
        names = (name.removeprefix(site) for item in self.found for name in item.names if name.startswith(site))
        return {name.partition("/")[0].partition(".")[0] for name in names}

    @cached_property
    def _direct(self) -> set[str]:
        return {line.name for line in self.checked.lock.direct or () if line.kind == "runtime"}

    @cached_property
    def _lacking(self) -> list[str]:
        """Return the Debian packages that are to be where the service runs, and are not here."""
        if self.checked.installed:
            return []
        choices = system_libraries.choices(self.checked.depends)
        return [names[0] for names in choices if not any(map(_is_installed, names))]

    def _packages(self, failure: Failure) -> dict[str, str]:
        """Return the Debian packages with what was looked for in vain, by the library's name."""
        return {name: self.checked.packages[name] for name in failure.libraries if name in self.checked.packages}

    def _missing(self, failure: Failure) -> str:
        """Return the first word of the module that was not found; nothing where that is not what failed."""
        return failure.about.partition(".")[0] if failure.error == "ModuleNotFoundError" else ""

    def _owner(self, failure: Failure) -> Installed:
        return next(item for item in self.found if failure.name in (item.modules if failure.is_module else item.names))

    def _raised_by(self, failure: Failure) -> Installed | None:
        """Return the distribution whose file raised an error."""
        if not failure.is_module:
            return self._owner(failure)
        return next((item for item in self.found if failure.file in item.names), None)

    def _roots(self, failures: Sequence[Failure]) -> list[Failure]:
        """Return one failure for each cause: what many import fails in all of them."""
        causes: dict[tuple[str, str], list[Failure]] = {}
        for failure in failures:
            key = (failure.text, failure.file) if failure.file else (failure.name, "")
            causes.setdefault(key, []).append(failure)
        return [
            next((each for each in many if self._raised_by(each) is self._owner(each)), many[0])
            for many in causes.values()
        ]

    def _shown(self, failure: Failure) -> str:
        return failure.name.removeprefix(f"{self.checked.interpreter.site_packages}/")

    def _sentence(self, failure: Failure) -> str:
        chain = self._chain(self._owner(failure))
        kind, how = ("module", "imported") if failure.is_module else ("library", "loaded")
        what = f"the {kind} {self._shown(failure)} ({' -> '.join(chain)}) cannot be {how}"
        error = "" if failure.error in ("Crash", "Timeout") else failure.error
        return f"{self.checked.package}: {what}: {one_line(': '.join(filter(None, (error, failure.text))))}"

    def _chain(self, owner: Installed) -> list[str]:
        installed = {item.name: item.metadata for item in self.found}
        checked = self.checked
        return completeness.closure(checked.project, checked.lock, installed, checked.interpreter).chain(owner.name)

    def _error(self, failures: Sequence[Failure]) -> UserError:
        first, *others = failures
        rest = [f"{self._sentence(failure)}\n hint: {self._hint(failure)}" for failure in others]
        more = f" (and {len(others)} more, above)" if others else ""
        return UserError(f"{self._sentence(first)}{more}", self._hint(first), "\n".join([*rest, *first.traceback]))

    def _hint(self, failure: Failure) -> str:
        service = self.checked.project.find(self.checked.lock.local[-1].name) if self.checked.lock.local else None
        owner, missing = self._raised_by(failure) or self._owner(failure), self._missing(failure)
        local = self.checked.project.find(owner.name) or service
        file = requirement_files.shown(local) if local else "requirements.txt"
        override = f"name {self._shown(failure)} in debian/{self.checked.package}.load-overrides, with a reason"
        if packages := self._packages(failure):
            names = " ".join(dict.fromkeys(packages.values()))
            return (
                f"it looks for {', '.join(packages)}: add {names} to Depends of {self.checked.package} in "
                f"debian/control; if nothing uses it, {override}"
            )
        if missing == "pkg_resources":
            return f"add the line `setuptools<82` to {file} and run `make vendor`: later ones have no pkg_resources"
        if missing in _DEBIAN and not self._is_removed(missing):
            return (
                f"add {_DEBIAN[missing]} to Build-Depends and, of {self.checked.package}, to Depends in debian/control"
            )
        if missing == "distutils":
            return f"add the line `setuptools`, which has it, to {file} and run `make vendor`"
        if self._is_removed(missing):
            return f"Python {self.checked.interpreter.version} has no {missing}: take another version of {owner.name}"
        if extra := _extra(owner, missing) if missing else "":
            return (
                f"add the line `{owner.name}[{extra}]` to {file} and run `make vendor`; if nothing uses it, {override}"
            )
        if missing and missing not in self._provided:
            return f"add what has {missing} to {file} and run `make vendor`; if nothing uses it, {override}"
        if not failure.is_module:
            return f"see what has changed it after it was built: debian/rules; if nothing uses it, {override}"
        told = f"take another version of {owner.name}; if it looks for something of the system, add its package"
        if failure.libraries:
            told = f"it looks for {', '.join(failure.libraries)}: add the package that has it"
        return f"{told} to Build-Depends and Depends in debian/control; if nothing uses it, {override}"


def _misses_library(failure: Failure) -> bool:
    """Tell whether a module misses a library of the system: it says so by itself, and not the interpreter, or ctypes.

    An error of the system that has a number is about a file, a device or the network.
    """
    if failure.error == "OSError" and failure.text.startswith("[Errno"):
        return False
    if failure.error == "OSError" or (failure.libraries and failure.error in _OF_LIBRARIES):
        return True
    return failure.error == "ImportError" and not failure.about and not failure.file.endswith(".so")


def _is_installed(package: str) -> bool:
    # With its architecture where several may be installed, multi-arch: dpkg(1).
    return any(path for pattern in (f"{package}.list", f"{package}:*.list") for path in _DPKG.glob(pattern))


def _extra(owner: Installed, missing: str) -> str:
    """Return the extra by which a distribution requires what has this module; nothing where none does."""
    names = {normalize(missing), f"python-{normalize(missing)}", f"py{normalize(missing)}"}
    for requirement in filter(None, map(requirement_texts.parse, owner.metadata.requires)):
        found = re.search(r"""extra == ['"]([\w.-]+)['"]""", str(requirement.marker))
        if found and normalize(requirement.name) in names:
            return found[1]
    return ""
