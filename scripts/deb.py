#!/usr/bin/env python3
"""Build the project's Debian packages, source and binary, into dist/, from what vendor/ holds and without a network."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from toolkit import check, compression, debian, settings, source_tree, ui, wheels
from toolkit import project as projects
from toolkit.control import Control
from toolkit.debian import Deb
from toolkit.project import Project
from toolkit.settings import Settings


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this verb's command line."""
    parser = wheels.parser(__doc__ or "")
    compression.add_argument(parser, compression.FAST)
    parser.add_argument("--dry-run", action="store_true", help="check everything and say what would be built")
    return parser


def main(argv: Sequence[str]) -> int:
    """Run the verb and return its exit status."""
    arguments = build_parser().parse_args(argv)
    chosen = settings.from_arguments(arguments)
    # What is packaged has the same modes whoever builds it.
    os.umask(0o022)
    project = projects.discover(chosen)
    packaging = debian.prepare(project, chosen)
    check.require(project, chosen)
    if arguments.dry_run:
        announce(project, chosen, packaging)
    else:
        options = wheels.options_from(arguments, chosen)
        report(debian.build(project, chosen, options, packaging, arguments.compression), chosen)
    return 0


def announce(project: Project, chosen: Settings, packaging: Control) -> None:
    """Say what would be built."""
    paths = source_tree.list_files(project, chosen)
    size = source_tree.size(chosen.project, paths)
    source = f"{packaging.name} {packaging.version}, {packaging.format}"
    ui.note(f"source package {source}: {len(paths)} files, {_shown(size)}")
    for service in project.services:
        name = packaging.package_of(service, chosen.namespace)
        architecture = packaging.binaries[name].get("Architecture")
        ui.note(f"binary package {name}, {architecture}: the service {service.service_name}")


def report(debs: Sequence[Deb], chosen: Settings) -> None:
    """Say what was built, how large it is and how to install it."""
    for deb in debs:
        ui.step("DEB", f"{_relative(deb, chosen)}  {_shown(deb.size)}, installed {_shown(deb.installed)}")
    paths = " ".join(f"./{_relative(deb, chosen)}" for deb in debs if not deb.name.endswith("-dbgsym"))
    ui.note(f"install with: apt-get install {paths}")


def _relative(deb: Deb, chosen: Settings) -> str:
    return deb.path.relative_to(chosen.project).as_posix()


def _shown(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


if __name__ == "__main__":
    sys.exit(ui.run_main(lambda: main(sys.argv[1:])))
