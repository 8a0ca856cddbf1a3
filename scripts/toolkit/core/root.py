"""Verbs that need root: run through sudo by everybody else."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from toolkit.core import process
from toolkit.core.errors import UserError

#: What to do where no container boots.
NOT_BOOTED = "it needs a kernel that lets root mount: where this is a container, a privileged one"
_PROGRAM = Path(__file__).resolve().parents[2] / "verb.py"


def is_at_hand() -> bool:
    """Tell whether a verb can be run as root and nobody is asked for a password."""
    if os.geteuid() == 0:
        return True
    try:
        process.read(["sudo", "--non-interactive", "true"])
    except UserError:
        return False
    return True


def command(*words: str) -> list[str]:
    """Return the command that runs a verb as root. Raises `UserError` where there is no sudo."""
    verb = [sys.executable, "-B", str(_PROGRAM), *words]
    if os.geteuid() == 0:
        return verb
    if not shutil.which("sudo"):
        raise UserError(
            "containers need root, and there is no sudo",
            "run this as root; of stands, take STAND=vagrant or STAND=remote",
        )
    return ["sudo", *verb]


def require(verb: str) -> None:
    """Raise `UserError` for anybody but root, with the verb to run instead."""
    if os.geteuid() != 0:
        raise UserError("only root can boot containers", f"run `make {verb}`, which asks sudo")
