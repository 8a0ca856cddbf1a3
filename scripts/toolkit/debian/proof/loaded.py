"""Everything in a package is loaded where it is installed: with what it depends on, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from toolkit.build import interpreters
from toolkit.core import console, documents, files, process
from toolkit.core.documents import Table
from toolkit.core.errors import UserError
from toolkit.debian import deb_names
from toolkit.install import debhelper, library_packages, load_check, loadable, loading
from toolkit.install.load_check import Checked
from toolkit.install.loadable import Installed
from toolkit.model.lock import LocalPackage, Lock
from toolkit.project.discovery import Package, Project
from toolkit.project.settings import Settings
from toolkit.vendored import lock_file


@dataclass(frozen=True, kw_only=True)
class PackedEnvironment:
    """The environment of a service in a .deb: what is in it, and the `prefix` where it is installed."""

    checked: Checked
    found: Sequence[Installed]
    prefix: str

    @property
    def package(self) -> str:
        """Return the name of the package."""
        return self.checked.package


def unpack(project: Project, settings: Settings, debs: Sequence[Path], scratch: Path) -> Iterator[PackedEnvironment]:
    """Yield the environment of each service that these packages have, unpacked below `scratch`. Raises `UserError`."""
    by_name = deb_names.by_package(debs)
    if not project.services:
        return
    packaging = debhelper.packaging(settings)
    for service in project.services:
        package = packaging.control.package_of(service, settings.namespace)
        prefix = Path("/usr/lib", settings.namespace, service.service_name)
        if package not in by_name:
            continue
        process.run(["dpkg-deb", "--extract", by_name[package], scratch / package])
        root = scratch / package / prefix.relative_to("/")
        for site in root.glob("lib/python*/site-packages"):
            interpreter = interpreters.of_version(site.parent.name.removeprefix("python"))
            checked = packaging.checked(project, service, _lock(project, settings, service), interpreter)
            checked = replace(checked, root=root, installed=True)
            yield PackedEnvironment(checked=checked, found=loadable.read(root, interpreter), prefix=str(prefix))


def _lock(project: Project, settings: Settings, service: Package) -> Lock:
    """Return a service's lock, one that says nothing where there is no vendor/: packages are checked without it."""
    if lock_file.path_of(settings.vendor, project.lock_name(service)).exists():
        return lock_file.of_package(project, service, settings.vendor)
    own = LocalPackage(name=service.name, path=project.shown(service.path))
    return Lock(service=service.service_name, pythons=(), platforms=(), local=(own,))


def write(directory: Path, environments: Sequence[PackedEnvironment]) -> None:
    """Write what loads environments in a clean system: programs, and for each package an interpreter and a request."""
    directory.mkdir()
    for program in (loading.WORKER, Path(library_packages.__file__)):
        files.link_or_copy(program, directory / program.name)
    for environment in environments:
        own = directory / environment.package
        own.mkdir()
        (own / "interpreter").write_text(f"{environment.prefix}/bin/python\n", encoding="utf-8")
        request = loading.request_for(environment.prefix, environment.found, os.cpu_count() or 1)
        (own / "request.json").write_text(request, encoding="utf-8")


def judge(environment: PackedEnvironment, failed: str, packages: str, log: Path) -> None:
    """Say that all was loaded, or raise `UserError` with what was not; both texts are JSON, as the script tells it."""
    try:
        failures = loading.read_result(failed.encode(), environment.prefix)
        table = Table(documents.json_value(packages.encode()))
        known = {name: table.text(name) for name in table.content}
    except ValueError as error:
        raise UserError(
            f"{environment.package}: what is installed could not be loaded ({error})", f"the whole output is in {log}"
        ) from None
    load_check.judge(replace(environment.checked, packages=known), environment.found, failures)
    console.step("LOADED", f"{environment.package}: {load_check.counts(environment.found)}, with its Depends alone")
