"""Keep a package build away from the network and from the processes of others, by namespaces."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

from toolkit.core import console, process
from toolkit.core.errors import UserError
from toolkit.sandbox import confined

RUNNER = Path(__file__).with_name("isolation_runner.py")


@cache
def prefix() -> tuple[str, ...]:
    """Return the command prefix that runs a program with no network but a loopback of its own.

    All that the program starts ends with it. The prefix is empty where the kernel forbids namespaces, with a warning
    where there is a network.
    """
    words = (sys.executable, "-I", str(RUNNER))
    try:
        process.read([*words, "true"])
    except UserError:
        if confined.has_network():
            console.warn("this kernel, or its AppArmor, allows no namespaces: builds are not kept from the network")
        return ()
    return words
