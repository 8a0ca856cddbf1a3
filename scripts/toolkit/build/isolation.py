"""Keep what builds away from the network and from the processes of others, by namespaces."""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path

from toolkit.core import console, process
from toolkit.core.errors import UserError

RUNNER = Path(__file__).with_name("isolation_runner.py")
_ROUTES, _ROUTES6 = Path("/proc/self/net/route"), Path("/proc/self/net/ipv6_route")
_REFUSED = re.compile(
    r"Network is unreachable|Temporary failure in name resolution|Name or service not known|"
    r"Could not resolve host|Failed to establish a new connection|Connection refused"
)


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
        if has_network(_ROUTES, _ROUTES6):
            console.warn("this kernel allows no namespaces: builds are not kept from the network")
        return ()
    return words


def has_network(routes: Path, routes6: Path) -> bool:
    """Tell whether any route leads out of this machine, by proc(5); without such files, it is assumed."""
    if not routes.exists():
        return True
    lines = routes.read_text(encoding="ascii").splitlines()[1:]
    devices = [line.split()[0] for line in lines if line.strip()]
    if routes6.exists():
        devices += [line.split()[-1] for line in routes6.read_text(encoding="ascii").splitlines() if line.strip()]
    return any(device != "lo" for device in devices)


def suggestion(output: str) -> str:
    """Return what to do about a build that failed with this output, if it missed the network; else nothing."""
    if not _REFUSED.search(output):
        return ""
    return "builds have no network: vendor what is fetched, or build with a setting that fetches nothing"
