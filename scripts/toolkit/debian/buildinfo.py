"""What a .buildinfo tells of a build: what it made, of which source, and with what, deb-buildinfo(5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import deb822
from toolkit.core.errors import UserError

#: A name and a version as policy has them (5.6.1, 5.6.12): files are called so.
_SOURCE = re.compile(r"(?P<name>[a-z0-9][a-z0-9+.-]+)(?: \((?P<version>[A-Za-z0-9.+~:-]+)\))?")
_VERSION = re.compile(r"[A-Za-z0-9.+~:-]+")
_SHA256 = re.compile(r"^(?P<sha256>[0-9a-f]{64}) \d+ (?P<name>[^\s/]+)$", re.MULTILINE)
_INSTALLED = re.compile(r"^(?P<name>\S+) \(= (?P<version>[^\s()]+)\)", re.MULTILINE)
#: Of quotes and backslashes in a value each has a backslash before it.
_VARIABLE = re.compile(r'(?P<name>\w+)="(?P<value>.*)"')

_ANEW = "build anew: `make sbuild SUITES=...`"


@dataclass(frozen=True, kw_only=True)
class Buildinfo:
    """A build of `dsc`, a file's name; `sha256` has the sums of what it made, by name.

    `installed` are the versions of the build dependencies, `environment` the variables that were set, `entry` that of
    debian/changelog which gave the packages a version other than the source's (empty: none did).
    """

    path: Path
    dsc: str
    version: str
    sha256: Mapping[str, str]
    installed: Mapping[str, str]
    environment: Mapping[str, str]
    entry: str


def read(path: Path) -> Buildinfo:
    """Return what a file tells, signed or not. Raises `UserError` for one that is malformed."""
    text = _unsigned(deb822.text(path))
    [paragraph, *_] = [*deb822.parse(text, path), deb822.Paragraph(fields={}, line=1)]
    source = _SOURCE.fullmatch(paragraph.get("Source"))
    version = _VERSION.fullmatch(paragraph.get("Version"))
    sums = {found["name"]: found["sha256"] for found in _SHA256.finditer(paragraph.get("Checksums-Sha256"))}
    if not (source and version and sums):
        raise UserError(f"{path}: no Source, Version or Checksums-Sha256", _ANEW)
    variables = filter(None, map(_VARIABLE.fullmatch, paragraph.get("Environment").splitlines()))
    in_file_names = (source["version"] or version[0]).rpartition(":")[2]
    return Buildinfo(
        path=path,
        dsc=f"{source['name']}_{in_file_names}.dsc",
        version=version[0],
        sha256=sums,
        installed={
            found["name"]: found["version"] for found in _INSTALLED.finditer(paragraph.get("Installed-Build-Depends"))
        },
        environment={found["name"]: re.sub(r"\\(.)", r"\1", found["value"]) for found in variables},
        entry=_entry(text, f"{source['name']} ({version[0]}) ", path),
    )


def _unsigned(text: str) -> str:
    """Return what a signature is of, RFC 9580, 7."""
    if not text.startswith("-----BEGIN PGP SIGNED MESSAGE-----"):
        return text
    return text.partition("\n\n")[2].partition("-----BEGIN PGP SIGNATURE-----")[0]


def _entry(text: str, heading: str, path: Path) -> str:
    """Return the field of the changelog's entry with its indentation, which means something there.

    Raises `UserError` where it is that of another build.
    """
    found = re.search(r"^Binary-Only-Changes:\n((?: .*\n)+)", text, re.MULTILINE)
    lines = [line[1:] for line in found[1].splitlines()] if found else []
    entry = "".join("\n" if line == "." else f"{line}\n" for line in lines)
    if not entry.startswith(heading if lines else ""):
        raise UserError(f"{path}: Binary-Only-Changes is no entry of {heading.rstrip()}", _ANEW)
    return entry
