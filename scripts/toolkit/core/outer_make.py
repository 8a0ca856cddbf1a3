"""What the make that runs us leaves in the environment, where a make that we run would find it."""

from __future__ import annotations

import os

_VARIABLES = frozenset({"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEFILES", "MAKEOVERRIDES"})


def environment() -> dict[str, str]:
    """Return this process's environment without it.

    Settings given on the outer make's command line stay: make exports them under their own names.
    """
    return {name: value for name, value in os.environ.items() if name not in _VARIABLES}
