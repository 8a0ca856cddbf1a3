"""VirtualBox on this host: its version, its processes, and the file of its settings."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from pathlib import Path

from toolkit.core import process
from toolkit.core.errors import UserError

MANAGER = "VBoxManage"
#: The first version with nested virtualization; older ones are not maintained.
OLDEST = (6, 1)
#: Processes that keep settings in memory, and would overwrite changed ones: machines, and the GUI.
_USERS = frozenset(("VirtualBox", "VirtualBoxVM", "VBoxHeadless", "VBoxSDL"))
_SERVER = "VBoxSVC"
_PATIENCE = 30


def require() -> None:
    """Raise `UserError` where there is no VirtualBox, or too old a one."""
    if not shutil.which(MANAGER):
        raise UserError(
            f"{MANAGER}: no such program, so there is no VirtualBox",
            "install VirtualBox from virtualbox.org; or take libvirt: VAGRANT_DEFAULT_PROVIDER=libvirt",
        )
    # Before it there may be warnings, as of a kernel module that is not loaded.
    found = re.search(r"^(\d+)\.(\d+)\.\S+$", process.read([MANAGER, "--version"]), re.MULTILINE)
    if not found:
        raise UserError(f"{MANAGER} --version: not understood", "see whether `VBoxManage list vms` works")
    if (int(found[1]), int(found[2])) < OLDEST:
        raise UserError(f"VirtualBox {found[0]} is too old", f"install {OLDEST[0]}.{OLDEST[1]} or newer")


def require_closed() -> None:
    """Raise `UserError` while processes of this user have VirtualBox's settings in use: machines, and the GUI."""
    found = sorted(_USERS & _processes())
    if found:
        raise UserError(
            f"VirtualBox is in use: {', '.join(found)} would overwrite its settings",
            "shut its machines down (`vagrant halt`), close its window, and run this again",
        )


def _processes() -> set[str]:
    # macOS shows whole paths.
    shown = process.read(["ps", "-U", str(os.getuid()), "-o", "comm="])
    return {Path(line.strip()).name for line in shown.splitlines() if line.strip()}


def wait_for_server() -> None:
    """Wait for the end of VirtualBox's server, some seconds after its last client's. Raises `UserError`."""
    limit = time.monotonic() + _PATIENCE
    while _SERVER in _processes():
        if time.monotonic() > limit:
            raise UserError(
                f"{_SERVER} is still running, and would overwrite the settings",
                "close whatever uses VirtualBox, and run this again",
            )
        time.sleep(0.5)


def settings_file() -> Path:
    """Return the file of VirtualBox's global settings, where VirtualBox itself looks for it."""
    home = Path.home()
    if os.environ.get("VBOX_USER_HOME"):
        directory = Path(os.environ["VBOX_USER_HOME"])
    elif sys.platform == "darwin":
        directory = home / "Library" / "VirtualBox"
    elif (home / ".VirtualBox").is_dir():
        directory = home / ".VirtualBox"
    else:
        directory = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "VirtualBox"
    return directory / "VirtualBox.xml"
