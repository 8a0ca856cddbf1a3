"""The bills of materials that the packages of services carry."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from toolkit.core import directories, files, process
from toolkit.core.errors import UserError
from toolkit.debian import deb_names
from toolkit.install import sbom
from toolkit.project import debian_control
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings

#: Bytes of a bill, packed or not: one that names a thousand distributions and their crates has a few millions.
_LONGEST = 1 << 28


def take_out(project: Project, settings: Settings, debs: Sequence[Path], directory: Path) -> Iterator[tuple[Path, str]]:
    """Write the bill of each service into a directory; yield its path, and the name of the .deb that has it.

    Raises `UserError` where a service has no package among `debs`, or its package no bill.
    """
    if not project.services:
        raise UserError(
            f"{project.root}: there is no service here, and packages of libraries carry no bill of materials",
            "without SUITES, `make sbom` writes those of libraries",
        )
    control = debian_control.read(settings.project / "debian")
    by_name = deb_names.by_package(debs)
    for service in project.services:
        package = control.package_of(service, settings.namespace)
        if package not in by_name:
            raise UserError(f"{directory}: there is no package {package} of {service.service_name}", _hint(directory))
        path = directory / sbom.file_name(service.service_name)
        files.write_atomic(path, _read(by_name[package], package, settings.build), 0o644)
        yield path, by_name[package].name


def _read(deb: Path, package: str, scratch: Path) -> bytes:
    path = Path("usr/share/doc", package, sbom.CARRIED)
    with directories.temporary(scratch, "unpacked-") as root:
        process.run(["dpkg-deb", "--extract", deb, root])
        try:
            # A link of the package may lead out of it.
            if (root / path).resolve() != root.resolve() / path:
                raise ValueError("a link")
            packed = files.read_foreign(root / path, _LONGEST)
            unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
            bill = unpacker.decompress(packed, _LONGEST)
            if not unpacker.eof:
                raise ValueError("not whole")
        except FileNotFoundError:
            raise UserError(f"{deb}: there is no /{path} in it", _hint(deb.parent)) from None
        except (OSError, ValueError, zlib.error) as error:
            raise UserError(f"{deb}: its /{path} cannot be read ({error})", _hint(deb.parent)) from None
    return bill


def _hint(directory: Path) -> str:
    return f"build it: `make sbuild SUITES={directory.name}`"
