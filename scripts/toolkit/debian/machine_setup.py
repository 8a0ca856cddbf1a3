"""What this machine lacks for the toolkit: Debian packages, users who make clean chroots, the sandbox's profile."""

from __future__ import annotations

import os
import pwd
import re
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from toolkit.core import console, debian_packages, process
from toolkit.core.errors import UserError
from toolkit.debian import build_user
from toolkit.sandbox import apparmor

APT_LISTS = Path("/var/lib/apt/lists")
DAY = 24 * 60 * 60


def run(groups: Sequence[str]) -> None:
    """Say what of these groups is missing and why, and install it."""
    installed = read_installed()
    wanted = debian_packages.read(groups).items()
    missing = {names: why for names, why in wanted if not installed & set(names.split("|"))}
    users = unprepared_users() if "sbuild" in groups else []
    is_barred = apparmor.is_missing()
    if not missing and not users and not is_barred:
        console.step("SETUP", "nothing is missing")
        return
    console.step("SETUP", "this machine lacks:")
    for name, why in missing.items():
        console.note(f"          {name:<18} {why}")
    for name in users:
        console.note(f"          a range of user ids for {name}, who makes chroots")
    if is_barred:
        console.note("          an AppArmor profile that lets bubblewrap make user namespaces")
    if os.geteuid() != 0:
        become_root(
            " && ".join(
                [f"apt-get install {shlex.join(name.partition('|')[0] for name in missing)}"] * bool(missing)
                + [shlex.join(build_user.range_command(name)) for name in users]
                + [apparmor.commands()] * is_barred
            )
        )
    if missing:
        install(list(missing))
    for name in unprepared_users() if "sbuild" in groups else []:
        prepare_user(name)
    if is_barred:
        console.step("SETUP", "an AppArmor profile for bubblewrap")
        apparmor.install()


def read_installed() -> set[str]:
    """Return the names of the installed packages. Raises `UserError` where there is no dpkg."""
    if not shutil.which("dpkg-query"):
        raise UserError("dpkg-query: no such program", "the toolkit works on Debian and Ubuntu")
    shown = process.read(["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n"])
    return {line.split()[0] for line in shown.splitlines() if line.endswith(" installed")}


def are_lists_old(directory: Path, now: float) -> bool:
    """Tell whether apt knows nothing yet, or was last told more than a day before `now` (seconds since 1970)."""
    return not any(directory.glob("*_Packages*")) or now - directory.stat().st_mtime > DAY


def install(wanted: Sequence[str]) -> None:
    """Install packages, as root; `this|that` is the first of them that the distribution has."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "--quiet", "--yes", "--option", "DPkg::Lock::Timeout=300"]
    if are_lists_old(APT_LISTS, time.time()):
        console.step("SETUP", "apt-get update")
        process.run([*apt, "update"], env=environment)
    names = [_available(alternatives.split("|")) for alternatives in wanted]
    console.step("SETUP", f"apt-get install {shlex.join(names)}")
    process.run([*apt, "install", "--no-install-recommends", *names], env=environment)


def _available(alternatives: Sequence[str]) -> str:
    """Return the first of some packages that apt knows; the last where it knows none, which it will say."""
    for name in alternatives[:-1]:
        if process.read(["apt-cache", "search", "--names-only", f"^{re.escape(name)}$"]):
            return name
    return alternatives[-1]


def unprepared_users() -> list[str]:
    """Return who cannot make chroots yet, of those who will: this user; for root the one that acts for it, and sudo's.

    A user who is not there counts.
    """
    user = pwd.getpwuid(os.geteuid()).pw_name
    names = [build_user.SYSTEM_USER, os.environ.get("SUDO_USER", "root")] if os.geteuid() == 0 else [user]
    return [name for name in dict.fromkeys(names) if name != "root" and not build_user.has_ranges(name)]


def prepare_user(name: str) -> None:
    """Give a user a range of ids, and make a system user where there is none; as root."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        console.step("SETUP", f"useradd {name}")
        process.run(["useradd", "--system", "--user-group", "--shell", "/usr/sbin/nologin", name])
    command = build_user.range_command(name)
    console.step("SETUP", shlex.join(command))
    process.run(command)


def become_root(hint: str) -> None:
    """Start this script again through sudo, in this very process: sudo needs the terminal to ask for a password.

    Where there is no sudo, `hint` is what root has to run.
    """
    if not shutil.which("sudo"):
        raise UserError("this needs root, and there is no sudo", f"run as root: {hint}")
    console.note("  through sudo, which may ask for your password")
    sys.stdout.flush()
    os.execvp("sudo", ["sudo", sys.executable, "-B", *sys.argv])
