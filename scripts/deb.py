#!/usr/bin/env python3
"""Build the project's Debian packages, source and binary, into dist/, from what vendor/ holds and without a network."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from toolkit.build import wheels
from toolkit.core import console
from toolkit.debian import chroot, compression, deb_build, installable, source_tree
from toolkit.debian.deb_build import Deb
from toolkit.project import discovery, settings
from toolkit.project.debian_control import Control
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings
from toolkit.vendored import check


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
    project = discovery.discover(chosen)
    packaging = deb_build.prepare(project, chosen)
    if project.services:
        check.require(project, chosen)
    if arguments.dry_run:
        announce(project, chosen, packaging)
    else:
        options = wheels.options_from(arguments, chosen)
        debs = deb_build.build(project, chosen, options, packaging, arguments.compression)
        # A service brings all that it needs.
        report(debs, {} if project.services else installable.unmet(debs), chosen)
    return 0


def announce(project: Project, chosen: Settings, packaging: Control) -> None:
    """Say what would be built."""
    paths = source_tree.list_files(project, chosen, packaging)
    size = source_tree.size(chosen.project, paths)
    source = f"{packaging.name} {packaging.version}, {packaging.format}"
    console.note(f"source package {source}: {len(paths)} files, {size / 1e6:.1f} MB")
    for service in project.services:
        name = packaging.package_of(service, chosen.namespace)
        architecture = packaging.binaries[name].get("Architecture")
        console.note(f"binary package {name}, {architecture}: the service {service.service_name}")
    if not project.services:
        for name, stanza in packaging.binaries.items():
            console.note(f"binary package {name}, {stanza.get('Architecture')}")


def report(debs: Sequence[Deb], unmet: Mapping[str, Sequence[str]], chosen: Settings) -> None:
    """Say what was built, how large it is, how to install it, and which dependencies that would miss."""
    for deb in debs:
        console.step("DEB", deb.shown(chosen.project))
    for name, needs in unmet.items():
        console.warn(f"{name} depends on what {chroot.own_suite()} has not: {', '.join(needs)}")
    paths = " ".join(f"./{deb.path.relative_to(chosen.project)}" for deb in debs if not deb.name.endswith("-dbgsym"))
    console.note(f"install with: apt-get install {paths}")


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
