"""What Ansible is told of a project and of who develops it: the variables that all roles of the stand share.

Only the standard library: a Vagrantfile asks for these on whatever laptop there is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.core import debian_packages, files
from toolkit.project import debian_control, discovery, python_version
from toolkit.project.debian_control import Control
from toolkit.project.discovery import Package, Project
from toolkit.project.settings import Settings
from toolkit.stand import host

MODES = ("tmux", "deb")
#: Where the project is in every stand.
PLACE = "/vagrant"


@dataclass(frozen=True, kw_only=True)
class Guest:
    """A stand as its user asks for it: how services run in it, its suite (empty: whichever), its user, and extras.

    `is_own` is false for a machine that others use as well, which gets no private files.
    """

    mode: str = "tmux"
    suite: str = ""
    user: str = "vagrant"
    nested: bool = False
    is_own: bool = True


def collect(settings: Settings, guest: Guest, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the variables, as JSON can hold them. Raises `UserError` where the project cannot be read."""
    project = discovery.discover(settings)
    return {
        "stand_project": PLACE,
        "stand_name": settings.project.name,
        "stand_namespace": settings.namespace,
        "stand_user": guest.user,
        "stand_mode": guest.mode,
        "stand_suite": guest.suite,
        "stand_nested": guest.nested,
        "stand_locales": host.locales(environment),
        "stand_timezone": host.timezone(environment),
        "stand_apt_mirror": environment.get("STAND_APT_MIRROR", ""),
        "stand_ssh_config": host.ssh_config(Path.home()) if guest.is_own else "",
        "stand_user_prep_script": host.preparation(environment) if guest.is_own else "",
        "stand_services": services(project, settings),
        "stand_pythons": list(
            dict.fromkeys(
                version for service in project.services for version in python_version.read(project, service).pythons
            )
        ),
        "stand_packages": list(debian_packages.read(["guest"])),
        "stand_build_packages": list(debian_packages.read(["build", "develop"])),
        "stand_toolkit": os.path.relpath(settings.toolkit, settings.project),
    }


def services(project: Project, settings: Settings) -> list[dict[str, str]]:
    """Return what there is to run: names, directories and scripts, and what each is packaged as."""
    directory = settings.project / "debian"
    packaging = debian_control.read(directory) if (directory / "control").is_file() else None
    return [
        {
            "name": service.service_name,
            "directory": project.shown(service.path),
            "script": _main_script(service, settings.namespace),
            "lock": _digest(settings.vendor / f"pylock.{service.service_name}.toml"),
            **_packaged(service, settings, packaging),
        }
        for service in project.services
    ]


def _main_script(service: Package, namespace: str) -> str:
    """Return the script that is the service: the one named as it; else the first one that is linked into /usr/bin."""
    wanted = (f"{namespace}-{service.service_name}", service.service_name)
    named = [name for name in wanted if name in service.scripts]
    linked = [name for name in service.scripts if name.startswith(f"{namespace}-")]
    return [*named, *linked, *service.scripts, ""][0]


def _digest(lock: Path) -> str:
    return files.sha256(lock) if lock.is_file() else ""


def _packaged(service: Package, settings: Settings, packaging: Control | None) -> dict[str, str]:
    """Return the service's package, its unit, and its newest file in dist/; empty where there is none."""
    if packaging is None:
        return {"package": "", "unit": "", "deb": ""}
    package = packaging.package_of(service, settings.namespace)
    names = [f"{package}.service", *(["service"] if len(packaging.binaries) == 1 else [])]
    has_unit = any((settings.project / "debian" / name).is_file() for name in names)
    built = sorted(settings.dist.glob(f"{package}_*.deb"), key=lambda path: path.stat().st_mtime)
    return {
        "package": package,
        "unit": f"{package}.service" if has_unit else "",
        "deb": built[-1].relative_to(settings.project).as_posix() if built else "",
    }
