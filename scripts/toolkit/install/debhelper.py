"""`make install` as debhelper calls it: one `DESTDIR` for all, but every service has its own binary package."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import console, files
from toolkit.core.errors import UserError
from toolkit.install import pruning
from toolkit.install.pruning import Rule
from toolkit.install.service_environment import Installed
from toolkit.model.interpreter import Interpreter
from toolkit.project import debian_control
from toolkit.project.debian_control import Control
from toolkit.project.discovery import Package
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

    def pruning(self, service: Package) -> tuple[Rule, ...]:
        """Return what a service's package leaves out. Raises `UserError`."""
        name = f"{self._package(service)}.prune"
        return pruning.read(self.debian / name, f"debian/{name}")

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
        """List the binaries that came in a wheel, for our dh_strip and dh_dwz, which leave them as they are."""
        wheels = {wheel.name for wheel in installed.plan.wheels if wheel.parent == self.vendor}
        names = [name for name, wheel in installed.owners.items() if wheel in wheels]
        paths = [path for name in sorted(names) if _is_binary(path := installed.root / name)]
        directory = self.debian / ".debhelper/python-common"
        directory.mkdir(parents=True, exist_ok=True)
        # As debhelper calls files: from the directory that it runs in.
        listed = (os.fsencode(path.relative_to(self.debian.parent)) for path in paths)
        (directory / f"{package}.shipped-as-is").write_bytes(b"".join(name + b"\0" for name in listed))
        if paths and not any((Path(place) / "shipped_as_is.pm").exists() for place in os.get_exec_path()):
            console.warn(
                f"{package}: dh_strip may break binaries that came in wheels ({paths[0].name}, {len(paths)} in all); "
                "build it by `make deb` or `make sbuild`, or let debian/rules put scripts/debhelper first in PATH"
            )

    def _package(self, service: Package) -> str:
        return self.control.package_of(service, self.namespace)


def find(settings: Settings, destdir: Path) -> Packaging | None:
    """Return the packaging when `destdir` is one that debhelper gives: `debian/tmp` or the tree of a binary package.

    dh_prep has removed these trees, and the substvars files, before.
    """
    debian = settings.project / "debian"
    if destdir.parent != debian:
        return None
    return Packaging(
        debian=debian, control=debian_control.read(debian), namespace=settings.namespace, vendor=settings.vendor
    )


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
