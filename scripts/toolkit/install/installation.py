"""`make install`: all services of a project, below one root or each in the tree of its Debian package."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from toolkit.build import interpreters, wheels
from toolkit.build.building_options import BuildOptions
from toolkit.build.wheels import Built
from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.core.sizes import human
from toolkit.install import debhelper, licences, load_check, misplaced, sbom, service_environment, system_packages
from toolkit.install.debhelper import Packaging
from toolkit.install.pruning import Rule
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
        rules = packaging.pruning(service) if packaging else ()
        planned = plan(service, service.service_name, settings, built, rules)
        installed = service_environment.install(planned, root, options.store, options.jobs)
        misplaced.report(installed, settings.build, settings.vendor)
        _link(installed, settings.namespace, root, owners)
        if packaging:
            packaging.finish(installed)
            made_of = replace(materials(service.service_name, settings, built), package=packaging.own(service))
            documents = packaging.documents(service)
            sbom.write(documents / sbom.CARRIED, made_of)
            crates = [settings.vendor / crate.file.name for crate in made_of.crates if crate.file]
            target = documents / "copyright.vendored.gz"
            licences.write(target, made_of.service, planned.prefix, made_of.wheels, crates)
        size = human(sum(installed.left_out))
        pruned = f"; {len(installed.left_out)} files of {size} left out" if installed.left_out else ""
        duration = f"{time.monotonic() - start:.1f} s{pruned}"
        console.step("INSTALL", f"{service.service_name} in {project.shown(installed.root)} ({duration})")
    if packaging:
        _load_before_packing(packaging, project, settings, options)


def _load_before_packing(packaging: Packaging, project: Project, settings: Settings, options: BuildOptions) -> None:
    """See that all that is installed is loaded when debhelper has done its work on it, or now if that cannot be."""
    if not debhelper.has_our_programs():
        load(project, settings, options)
        return
    limits = {"SANDBOX": options.sandbox.mode, **options.sandbox.limits.settings()}
    chosen = {
        "NAMESPACE": settings.namespace,
        "PACKAGES": " ".join(settings.packages),
        "SERVICES": " ".join(settings.services),
        "JOBS": str(options.jobs),
        "PYTHON": options.python,
        "V": str(console.verbosity),
        **limits,
    }
    words = [sys.executable, str(settings.toolkit / "scripts" / "verb.py"), "load", "--project", str(settings.project)]
    packaging.run_before_packing([*words, *(f"{name}={value}" for name, value in chosen.items())])


def load(project: Project, settings: Settings, options: BuildOptions) -> None:
    """Load once everything in the trees of the binary packages. Raises `UserError` with what does not load."""
    packaging = debhelper.packaging(settings)
    for service in project.services:
        lock = lock_file.of_package(project, service, settings.vendor)
        checked = packaging.checked(project, service, lock, interpreters.find(lock.pythons, options.python))
        log = settings.build / "logs" / f"load-{service.service_name}.log"
        # A build may be for some of the packages only.
        if checked.root.is_dir():
            load_check.check(checked, options, log)


def materials(name: str, settings: Settings, built: Built) -> Materials:
    """Return what the service with this lock is made of, for its bill of materials."""
    locked = lock_file.read(lock_file.path_of(settings.vendor, name))
    return Materials(
        service=name,
        lock=locked,
        wheels=built.runtime[name],
        interpreter=built.interpreters[name],
        project=settings.project,
        system=system_packages.of(built.runtime[name], built.interpreters[name]),
    )


def plan(
    package: Package, name: str, settings: Settings, built: Built, pruning: tuple[Rule, ...] = ()
) -> ServiceEnvironment:
    """Return what is installed for a package, whose lock has this name, at its final path."""
    return ServiceEnvironment(
        service=package,
        wheels=built.runtime[name],
        interpreter=built.interpreters[name],
        prefix=Path("/usr/lib", settings.namespace, name),
        pruning=pruning,
    )


def _link(installed: Installed, namespace: str, root: Path, owners: dict[str, str]) -> None:
    """Link the service's scripts whose names begin with the namespace into /usr/bin, relatively (Policy 10.5).

    `owners` has the services of those that are there already. Raises `UserError` for one that another service has.
    """
    service = installed.plan.service.service_name
    public = [script for script in installed.scripts if script.startswith(f"{namespace}-")]
    for script in public:
        owner = owners.setdefault(script, service)
        if owner != service:
            raise UserError(f"/usr/bin/{script}: {owner} and {service} both have this script", "rename one of them")
    directory = root / "usr/bin"
    directory.mkdir(parents=True, exist_ok=True)
    for script in public:
        link = directory / script
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(installed.plan.prefix / "bin" / script, "/usr/bin"))
