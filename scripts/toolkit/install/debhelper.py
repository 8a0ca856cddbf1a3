"""`make install` as debhelper calls it: one `DESTDIR` for all, but every service has its own binary package."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import console, files, process
from toolkit.core.errors import UserError
from toolkit.install import pruning
from toolkit.install.load_check import Checked
from toolkit.install.pruning import Rule
from toolkit.install.sbom import OwnPackage
from toolkit.install.service_environment import Installed
from toolkit.model.interpreter import Interpreter
from toolkit.model.lock import Lock
from toolkit.project import debian_control
from toolkit.project.debian_control import Control
from toolkit.project.discovery import Package, Project
from toolkit.project.settings import Settings

_VARIABLE = "python3:Depends"


@dataclass(frozen=True, kw_only=True)
class Packaging:
    """The project's `debian/` while debhelper works in it."""

    debian: Path
    control: Control
    namespace: str
    vendor: Path

    def destination(self, service: Package) -> Path:
        """Return the tree of the binary package that a service goes into."""
        return self.debian / self._package(service)

    def documents(self, service: Package) -> Path:
        """Return the directory of a package's documents (Policy 12.3)."""
        return self.destination(service) / "usr/share/doc" / self._package(service)

    def own(self, service: Package) -> OwnPackage:
        """Return what the bill of materials says of a service's package. Raises `UserError`."""
        name = self._package(service)
        is_for_all = self.control.binaries[name].get("Architecture") == "all"
        return OwnPackage(
            namespace=self.namespace,
            name=name,
            version=self.control.version,
            architecture="all" if is_for_all else process.read(["dpkg", "--print-architecture"]).strip(),
            maintainer=self.control.source.get("Maintainer"),
            timestamp=self.control.changelog.signature().timestamp,
        )

    def pruning(self, service: Package) -> tuple[Rule, ...]:
        """Return what a service's package leaves out. Raises `UserError`."""
        name = f"{self._package(service)}.prune"
        return pruning.read(self.debian / name, f"debian/{name}")

    def checked(self, project: Project, service: Package, lock: Lock, interpreter: Interpreter) -> Checked:
        """Return a service in its package's tree, to be checked."""
        package = self._package(service)
        stanza = self.control.binaries[package]
        return Checked(
            project=project,
            lock=lock,
            interpreter=interpreter,
            root=self.destination(service) / "usr/lib" / self.namespace / service.service_name,
            package=package,
            debian=self.debian,
            depends=" ".join(map(stanza.get, ("Pre-Depends", "Depends"))),
        )

    def finish(self, installed: Installed) -> None:
        """Write the dependency on the interpreter. Raises `UserError` when the architecture or interpreter is wrong."""
        package = self._package(installed.plan.service)
        architecture = self.control.binaries[package].get("Architecture")
        if architecture == "all" and not installed.is_pure:
            raise UserError(
                f"{self.control.path}: {package} is `Architecture: all`, but holds compiled code",
                f"write `Architecture: any` in its paragraph (line {self.control.binaries[package].line})",
            )
        _set_depends(self.debian / f"{package}.substvars", dependency(installed.plan.interpreter))
        self._list_shipped(package, installed)

    def _list_shipped(self, package: str, installed: Installed) -> None:
        """List the files that came in a wheel, for our dh_strip and the like, which leave them as they are."""
        wheels = {wheel.name for wheel in installed.plan.wheels if wheel.parent == self.vendor}
        paths = sorted(installed.root / name for name, wheel in installed.owners.items() if wheel in wheels)
        # As debhelper calls files: from the directory that it runs in.
        listed = (os.fsencode(path.relative_to(self.debian.parent)) for path in paths)
        self._note(f"{package}.shipped-as-is", listed)
        if not has_our_programs() and (binaries := list(filter(_is_binary, paths))):
            console.warn(
                f"{package}: dh_strip may break binaries that came in wheels "
                f"({binaries[0].name}, {len(binaries)} in all); "
                "build it by `make deb` or `make sbuild`, or let debian/rules put scripts/debhelper first in PATH"
            )

    def run_before_packing(self, words: Iterable[str]) -> None:
        """Have our dh_builddeb run a command before it packs anything."""
        self._note("load", map(os.fsencode, words))

    def _note(self, name: str, words: Iterable[bytes]) -> None:
        directory = self.debian / ".debhelper/python-common"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(b"".join(word + b"\0" for word in words))

    def _package(self, service: Package) -> str:
        return self.control.package_of(service, self.namespace)


def find(settings: Settings, destdir: Path) -> Packaging | None:
    """Return the packaging when `destdir` is one that debhelper gives: `debian/tmp` or the tree of a binary package.

    dh_prep has removed these trees, and the substvars files, before.
    """
    return packaging(settings) if destdir.parent == settings.project / "debian" else None


def packaging(settings: Settings) -> Packaging:
    """Return the packaging. Raises `UserError` where there is none, or it is malformed."""
    debian = settings.project / "debian"
    return Packaging(
        debian=debian, control=debian_control.read(debian), namespace=settings.namespace, vendor=settings.vendor
    )


def has_our_programs() -> bool:
    """Tell whether our dh_strip and the like come first."""
    return any((Path(place) / "shipped_as_is.pm").exists() for place in os.get_exec_path())


def dependency(interpreter: Interpreter) -> str:
    """Return the Debian relation that gives a service its interpreter: extensions fit one minor version only.

    Raises `UserError` for an interpreter that no Debian package has.
    """
    path, version = interpreter.path, interpreter.version
    if path.parent != Path("/usr/bin"):
        raise UserError(
            f"{path}: a package cannot depend on this interpreter",
            f"install the distribution's own: apt-get install python{version} python{version}-dev",
        )
    if Path("/usr/bin/python3").resolve() != path.resolve():
        return f"python{version}"
    major, minor = map(int, version.split("."))
    return f"python3 (>= {version}~), python3 (<< {major}.{minor + 1})"


def _is_binary(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4) == b"\x7fELF"


def _set_depends(path: Path, relation: str) -> None:
    """Set our variable of a substvars file, deb-substvars(5), and leave those of debhelper's tools."""
    old = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    kept = [line for line in old if not line.startswith(f"{_VARIABLE}=")]
    files.write_atomic(path, "".join(f"{line}\n" for line in [*kept, f"{_VARIABLE}={relation}"]))
