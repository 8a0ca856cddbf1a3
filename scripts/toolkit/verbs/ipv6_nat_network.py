"""Make the network that stands reach IPv6 through: NAT, with a default route advertised. Once is enough."""

from __future__ import annotations

import argparse
import ipaddress
import os
import shutil
from collections.abc import Callable

from toolkit.core.errors import UserError
from toolkit.stand import libvirt_network, virtualbox, virtualbox_network
from toolkit.verbs.running import Run

PROVIDERS = {"virtualbox": virtualbox_network.create, "libvirt": libvirt_network.create}
PROGRAMS = {"virtualbox": virtualbox.MANAGER, "libvirt": "virsh"}


def create_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `ipv6-nat-network`."""
    parser.add_argument(
        "--provider",
        choices=PROVIDERS,
        help="what runs the stands (default: $VAGRANT_DEFAULT_PROVIDER, else what is installed)",
    )
    parser.add_argument("--name", default="yc-ipv6-nat", help="the network's name (default: %(default)s)")
    parser.add_argument(
        "--network",
        type=_range(ipaddress.IPv4Network),
        default="192.168.222.0/24",
        metavar="RANGE",
        help="its IPv4 range (default: %(default)s)",
    )
    parser.add_argument(
        "--prefix",
        type=_range(ipaddress.IPv6Network),
        help="its IPv6 prefix (default: a local one); programs "
        "prefer IPv6 to IPv4 only from a global one: 2a02:6b8:0:408::/64",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would change")


def _range(kind: type[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> Callable[[str], str]:
    """Return what checks a range of addresses on the command line, and says what is wrong with it."""

    def check(text: str) -> str:
        try:
            return str(kind(text))
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return check


def _provider() -> str:
    chosen = os.environ.get("VAGRANT_DEFAULT_PROVIDER", "")
    found = [chosen] if chosen in PROVIDERS else [name for name, program in PROGRAMS.items() if shutil.which(program)]
    if len(found) != 1:
        raise UserError(
            "VirtualBox and libvirt: both are installed, or neither",
            "say which one runs the stands: --provider, or VAGRANT_DEFAULT_PROVIDER",
        )
    return found[0]


def create(run: Run) -> None:
    """Make the network."""
    arguments = run.arguments
    network = virtualbox_network.Network(name=arguments.name, range=arguments.network, prefix=arguments.prefix or "")
    PROVIDERS[arguments.provider or _provider()](network, arguments.dry_run)


def advertise_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `advertise-ipv6-route`."""
    parser.add_argument("--natnetwork", required=True, metavar="NAME", help="the network, which has to exist")
    parser.add_argument("--dry-run", action="store_true", help="only show what would change")


def advertise(run: Run) -> None:
    """Make an existing network advertise a default route."""
    network = virtualbox_network.Network(name=run.arguments.natnetwork, range="")
    virtualbox_network.advertise(network, run.arguments.dry_run)
