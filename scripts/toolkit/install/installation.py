"""`make install`: all services of a project, below one root or each in the tree of its Debian package."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

from toolkit.build import wheels
from toolkit.build.building_options import BuildOptions
from toolkit.build.wheels import Built
from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.install import debhelper, licences, sbom, service_environment
from toolkit.install.sbom import Materials
from toolkit.install.service_environment import Installed, ServiceEnvironment
from toolkit.project.discovery import Package, Project
from toolkit.project.settings import Settings
from toolkit.vendored import lock_file


def install(project: Project, settings: Settings, options: BuildOptions, destdir: Path) -> None:
    """Build what is not built yet and install every service. Raises `UserError` on what cannot be installed."""
    if not project.services:
        raise UserError(
            f"{project.root}: there is no service here, so there is nothing to install",
            "a service is a package with a bin/ directory",
        )
    packaging = debhelper.find(settings, destdir)
    built = wheels.build(project, settings, options)
    owners: dict[str, str] = {}
    for service in project.services:
        start = time.monotonic()
        root = packaging.destination(service) if packaging else destdir
        wanted = plan(service, service.service_name, settings, built)
        if packaging:
            wanted = replace(wanted, pruning=packaging.pruning(service))
        installed = service_environment.install(wanted, root, options.store, options.jobs)
        _claim(installed, settings.namespace, owners)
        _link(installed, settings.namespace, root)
        if packaging:
            packaging.finish(installed)
            _document(packaging.documents(service), materials(service.service_name, settings, built), wanted)
        console.step(
            "INSTALL", f"{service.service_name} in {project.shown(installed.root)} ({_took(start, installed)})"
        )


def _took(start: float, installed: Installed) -> str:
    size = sum(installed.left_out) / 1e6
    pruned = f"; {len(installed.left_out)} files of {size:.1f} MB left out" if installed.left_out else ""
    return f"{time.monotonic() - start:.1f} s{pruned}"


def materials(name: str, settings: Settings, built: Built) -> Materials:
    """Return what the service with this lock is made of, for its bill of materials."""
    locked = lock_file.read(lock_file.path_of(settings.vendor, name))
    return Materials(service=name, lock=locked, wheels=built.runtime[name], interpreter=built.interpreters[name])


def _document(directory: Path, made_of: Materials, wanted: ServiceEnvironment) -> None:
    """Put what a package says of its contents beside its copyright file."""
    sbom.write(directory / "sbom.cdx.json.gz", made_of)
    licences.write(directory / "copyright.vendored.gz", made_of.service, wanted.prefix, made_of.wheels)


def plan(package: Package, name: str, settings: Settings, built: Built) -> ServiceEnvironment:
    """Return what is installed for a package, whose lock has this name, at its final path."""
    prefix = Path("/usr/lib", settings.namespace, name)
    return ServiceEnvironment(
        service=package, wheels=built.runtime[name], interpreter=built.interpreters[name], prefix=prefix
    )


def _public(installed: Installed, namespace: str) -> list[str]:
    """Return the scripts that are everyone's to call: those with the namespace's prefix."""
    return [script for script in installed.scripts if script.startswith(f"{namespace}-")]


def _claim(installed: Installed, namespace: str, owners: dict[str, str]) -> None:
    service = installed.plan.service.service_name
    for script in _public(installed, namespace):
        owner = owners.setdefault(script, service)
        if owner != service:
            raise UserError(f"/usr/bin/{script}: {owner} and {service} both have this script", "rename one of them")


def _link(installed: Installed, namespace: str, root: Path) -> None:
    """Link the service's public scripts into /usr/bin, by relative links as Debian wants them (Policy 10.5)."""
    directory = root / "usr/bin"
    directory.mkdir(parents=True, exist_ok=True)
    for script in _public(installed, namespace):
        link = directory / script
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(installed.plan.prefix / "bin" / script, "/usr/bin"))
