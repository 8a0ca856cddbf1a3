"""The Debian packages that the toolkit uses: what for, which programs they bring, and which of them are missing."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from toolkit.core.errors import UserError

LIST = Path(__file__).resolve().parents[2] / "system-packages.txt"
#: The package of each program that is looked for; all of them are in the list.
PROGRAMS = {
    "autopkgtest": "autopkgtest",
    "bwrap": "bubblewrap",
    "dh": "debhelper",
    "dpkg-buildpackage": "build-essential",
    "fakeroot": "fakeroot",
    "gcc": "build-essential",
    "git": "git",
    "grub-mkimage": "grub-common",
    "lintian": "lintian",
    "mmdebstrap": "mmdebstrap",
    "newuidmap": "uidmap",
    "qemu-img": "qemu-utils",
    "rsync": "rsync",
    "sbuild": "sbuild",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "systemd-nspawn": "systemd-container",
    "virsh": "libvirt-clients",
    "virtualenv": "python3-virtualenv",
    "zstd": "zstd",
}


def read(groups: Sequence[str]) -> dict[str, str]:
    """Return the packages of these groups, each with what it is needed for."""
    lines = [line.split(None, 2) for line in LIST.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {name: why for name, group, why in lines if group in groups}


def require(
    purpose: str, *programs: str, missing: Iterable[str] = (), path: str | None = None, otherwise: str = ""
) -> None:
    """Raise `UserError` when programs are not on `path` (default: $PATH). It names all packages to be installed.

    `missing` are further packages, which the caller has found to be missing; `purpose` completes "this machine lacks
    what", `otherwise` says what would do instead.
    """
    absent = [PROGRAMS[program] for program in programs if not shutil.which(program, path=path)]
    if names := " ".join(dict.fromkeys([*absent, *missing])):
        hint = f"apt-get install {names}" + (otherwise and f"; {otherwise}")
        raise UserError(f"this machine lacks what {purpose}: {names}", hint)


def no_program(program: str) -> UserError:
    """Return the error of a program that could not be started."""
    package = PROGRAMS.get(program)
    hint = f"apt-get install {package}" if package else "`make setup` installs what the toolkit needs"
    return UserError(f"{program}: no such program", hint)
