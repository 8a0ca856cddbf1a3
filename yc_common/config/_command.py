"""The command line that every service has."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from yc_common.config._loader import Loader
from yc_common.config._problem import ConfigError
from yc_common.config._types import Section

if TYPE_CHECKING:
    import argparse

S = TypeVar("S", bound=Section)

#: The exit status of a wrong configuration: systemd's 78/CONFIG, for `RestartPreventExitStatus=`.
EXIT_CONFIG = 78


def build_parser(service: str, version: str = "", description: str = "") -> argparse.ArgumentParser:
    """Return the parser of the options that concern the configuration."""
    import argparse  # a loader that is used from code starts without it

    parser = argparse.ArgumentParser(prog=service, description=description or None)
    parser.add_argument("--config", metavar="DIRECTORY", help=f"where config.yaml and conf.d/ are (/etc/yc/{service})")
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="set one key, above every other source; may be repeated: --set log.level=debug",
    )
    parser.add_argument(
        "--check-config", action="store_true", help="check the configuration and leave: 0, or 78 with all mistakes"
    )
    parser.add_argument(
        "--print-config", action="store_true", help="print every value and where it came from, and leave"
    )
    if version:
        parser.add_argument("--version", action="version", version=f"{service} {version}")
    return parser


def from_command_line(
    section: type[S], service: str, argv: Sequence[str] | None = None, *, version: str = "", description: str = ""
) -> Loader[S]:
    """Read the command line, load the configuration, and return its loader.

    Leaves the process by `SystemExit`: 0 after `--check-config` or `--print-config`, 2 for a wrong option, 78 for a
    wrong configuration, whose mistakes are printed to standard error, one a line.
    """
    options = build_parser(service, version, description).parse_args(argv)
    loader = Loader(section, service, directory=options.config, overrides=options.overrides)
    try:
        loader.load()
    except ConfigError as error:
        print(error, file=sys.stderr)
        raise SystemExit(EXIT_CONFIG) from None
    if options.print_config:
        print("\n".join(render(loader)))
    elif options.check_config:
        files = ", ".join(loader.files) or "no files, defaults only"
        print(f"{service}: the configuration is right ({files})")
    if options.print_config or options.check_config:
        raise SystemExit(0)
    return loader


def render(loader: Loader[S]) -> list[str]:
    """Return the lines that `--print-config` prints."""
    values = loader.values()
    width = min(60, max((len(f"{value.path}: {value.text}") for value in values), default=0))
    return [f"{f'{value.path}: {value.text}':<{width}}  # {value.origin}" for value in values]
