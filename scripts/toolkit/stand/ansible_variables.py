"""Variables of Ansible that all roles of the stand share: the project, its services, the host and its user.

Only the standard library: a Vagrantfile asks for them on any laptop.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.core import debian_packages, files
from toolkit.core.errors import UserError
from toolkit.project import debian_control, discovery, python_version
from toolkit.project.debian_control import Control
from toolkit.project.discovery import Package, Project
from toolkit.project.settings import Settings
from toolkit.vendored import lock_file

MODES = ("tmux", "deb")
#: The directory of the project in every stand.
GUEST_PROJECT = "/vagrant"
#: The locale that every stand has, also where the host's are none of Debian's, as on macOS.
LOCALE = "en_US.UTF-8"
TIMEZONE = "Etc/UTC"
_LOCALE = re.compile(r"([a-z]{2,3}_[A-Z]{2})\.(?:utf-?8)((?:@[a-z]+)?)", re.IGNORECASE)
_PREPARATION = "VAGRANT_USER_PREP_SCRIPT"


@dataclass(frozen=True, kw_only=True)
class Guest:
    """A stand as its user asks for it: how services run in it, its suite (empty: any), its user, virtualization in it.

    `is_own` is false for a machine that others use as well, which gets no private files.
    """

    mode: str
    suite: str = ""
    user: str = "vagrant"
    nested: bool = False
    is_own: bool = True


def collect(settings: Settings, guest: Guest, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the variables, as JSON can hold them. Raises `UserError` where the project cannot be read."""
    project = discovery.discover(settings)
    return {
        "stand_project": GUEST_PROJECT,
        "stand_name": settings.project.name,
        "stand_namespace": settings.namespace,
        "stand_user": guest.user,
        "stand_mode": guest.mode,
        "stand_suite": guest.suite,
        "stand_nested": guest.nested,
        "stand_locales": locales(environment),
        "stand_timezone": timezone(environment),
        "stand_apt_mirror": environment.get("STAND_APT_MIRROR", ""),
        "stand_ssh_config": ssh_config(Path.home()) if guest.is_own else "",
        "stand_user_prep_script": preparation(environment) if guest.is_own else "",
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
    """Return the services: name, directory and script of each, the hash of its lock, and its package."""
    directory = settings.project / "debian"
    packaging = debian_control.read(directory) if (directory / "control").is_file() else None
    return [
        {
            "name": service.service_name,
            "directory": project.shown(service.path),
            "script": _main_script(service, settings.namespace),
            "lock": files.sha256(lock) if lock.is_file() else "",
            **_package_values(service, settings, packaging),
        }
        for service in project.services
        for lock in [lock_file.path_of(settings.vendor, service.service_name)]
    ]


def _main_script(service: Package, namespace: str) -> str:
    """Return the script that is the service: the one of its name; else the first one that is linked into /usr/bin."""
    own = (f"{namespace}-{service.service_name}", service.service_name)
    named = [name for name in own if name in service.scripts]
    linked = [name for name in service.scripts if name.startswith(f"{namespace}-")]
    return [*named, *linked, *service.scripts, ""][0]


def _package_values(service: Package, settings: Settings, packaging: Control | None) -> dict[str, str]:
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


def locales(environment: Mapping[str, str]) -> list[str]:
    """Return the UTF-8 locales of LANG and LC_*, spelled as locale.gen(5) does, with `LOCALE` first.

    Others (`C.UTF-8`, macOS's `UTF-8`, ones without UTF-8) have nothing to be generated.
    """
    values = [value for name, value in sorted(environment.items()) if name == "LANG" or name.startswith("LC_")]
    found = (_LOCALE.fullmatch(value) for value in values)
    return list(dict.fromkeys([LOCALE, *(f"{match[1]}.UTF-8{match[2]}" for match in found if match)]))


def timezone(environment: Mapping[str, str], root: Path = Path("/")) -> str:
    """Return this machine's time zone as tzdata names it: TZ, else the target of /etc/localtime, else UTC."""
    given = environment.get("TZ", "").removeprefix(":")
    if re.fullmatch(r"[A-Za-z_]+(/[A-Za-z0-9_+-]+)*", given):
        return given
    _, _, name = (root / "etc/localtime").resolve().as_posix().partition("/zoneinfo/")
    if not name and (root / "etc/timezone").is_file():
        name = (root / "etc/timezone").read_text(encoding="utf-8").strip()
    return name.removeprefix("posix/") or TIMEZONE


def ssh_config(home: Path) -> str:
    """Return the user's ~/.ssh/config, empty where there is none."""
    try:
        return (home / ".ssh" / "config").read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def preparation(environment: Mapping[str, str]) -> str:
    """Return the user's own script that prepares stands. Raises `UserError` when it is not there."""
    given = environment.get(_PREPARATION, "")
    try:
        return Path(given).expanduser().read_text(encoding="utf-8") if given else ""
    except OSError as error:
        raise UserError(
            f"{_PREPARATION}={given}: {error.strerror}",
            "name a script that prepares a stand for you, or unset the variable",
        ) from None
