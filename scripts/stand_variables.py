#!/usr/bin/env python3
"""Print what Ansible is told of the project and of who develops it, as one JSON object: `ansible-playbook -e @file`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from toolkit.core import console
from toolkit.project import settings
from toolkit.stand import ansible_variables
from toolkit.stand.ansible_variables import Guest


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = settings.parser(__doc__ or "")
    parser.add_argument("--mode", choices=ansible_variables.MODES, default="tmux", help="how services run in the stand")
    parser.add_argument("--suite", default="", help="the suite of the stand, such as bookworm")
    parser.add_argument("--user", default="vagrant", help="who develops in the stand (default: vagrant)")
    parser.add_argument("--nested", action="store_true", help="virtual machines inside the stand")
    return parser


def main(argv: Sequence[str]) -> int:
    """Print the variables."""
    arguments = build_parser().parse_args(argv)
    guest = Guest(mode=arguments.mode, suite=arguments.suite, user=arguments.user, nested=arguments.nested)
    print(json.dumps(ansible_variables.collect(settings.from_arguments(arguments), guest), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
