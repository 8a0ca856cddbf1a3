"""Read what `debian/` says: control, changelog and source/format."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import deb822
from toolkit.core.deb822 import Paragraph
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import one_line
from toolkit.project import build_depends, changelog
from toolkit.project.changelog import Entry
from toolkit.project.discovery import Package

#: `name:any (>= 1) [amd64] <!nocheck>`, deb-src-control(5).
_RELATION = re.compile(
    r"[a-z0-9$][\w+.${}-]*(?::[a-z0-9-]+)?(?:\s*\((?:<<|<=|=|>=|>>)\s*[^\s()]+\))?(?:\s*\[[^][]+\])?(?:\s*<[^<>]+>)*"
)
_CONFLICTS_FIELDS = ("Build-Conflicts", "Build-Conflicts-Arch", "Build-Conflicts-Indep")
#: What the toolkit runs inside the build of a service's package, each with the pattern of the packages that bring it.
BUILD_DEPENDS = {
    "debhelper-compat (= 13)": r"debhelper(-compat)?",
    "python3-dev": r"(lib)?python3(\.\d+)?(-all)?-dev",
    "python3-packaging": r"python3-packaging",
}
#: No package has this name: debhelper itself provides the levels that it knows, debhelper-compat-upgrade-checklist(7).
COMPAT = re.compile(r"debhelper-compat \(= (\d+)\)")
LOWER_COMPAT = "write `debhelper-compat (= 13)`, which every suite since bullseye has"
_NATIVE, _QUILT = "3.0 (native)", "3.0 (quilt)"


@dataclass(frozen=True, kw_only=True)
class Control:
    """A `debian/` directory: the source's paragraph, binary packages by name, the newest entry, the source format."""

    path: Path
    source: Paragraph
    binaries: Mapping[str, Paragraph]
    changelog: Entry
    format: str

    @property
    def name(self) -> str:
        """Return the source package's name."""
        return self.source.get("Source")

    @property
    def version(self) -> str:
        """Return the version of the newest entry."""
        return self.changelog.version

    @property
    def is_native(self) -> bool:
        """Tell whether source and packaging are one tarball."""
        return self.format == _NATIVE

    @property
    def file_version(self) -> str:
        """Return the version as file names have it: without epoch."""
        return self.version.partition(":")[2] or self.version

    @property
    def upstream_version(self) -> str:
        """Return the version without epoch and Debian revision."""
        return changelog.upstream_of(self.version)

    @property
    def dsc(self) -> str:
        """Return the file name of the source package's description."""
        return f"{self.name}_{self.file_version}.dsc"

    @property
    def tree(self) -> str:
        """Return the name of the directory that the source package unpacks to."""
        return f"{self.name}-{self.upstream_version}"

    @property
    def needs_root(self) -> bool:
        """Tell whether debian/rules asks for root (or fakeroot) to make the packages."""
        return self.source.get("Rules-Requires-Root") != "no"

    @property
    def build_depends(self) -> set[str]:
        """Return the names of all packages in Build-Depends and its variants, alternatives included."""
        return build_depends.packages(self.source)

    @property
    def relations(self) -> dict[str, str]:
        """Return the fields that say which packages a build needs, and which it cannot stand, each on one line."""
        values = {name: " ".join(self.source.get(name).split()) for name in (*build_depends.FIELDS, *_CONFLICTS_FIELDS)}
        return {name: value for name, value in values.items() if value}

    def package_of(self, service: Package, namespace: str) -> str:
        """Return the binary package of a service. Raises `UserError` with the stanza to add when there is none."""
        names = (f"{namespace}-{service.service_name}", service.service_name)
        declared = [name for name in dict.fromkeys(names) if name in self.binaries]
        if not declared:
            raise UserError(
                f"{self.path}: no binary package for the service {service.service_name}",
                f"add a stanza `Package: {names[0]}` with `Architecture: any`, a `Description:` and "
                "`Depends: ${misc:Depends}, ${python3:Depends}, ${shlibs:Depends}`",
            )
        if len(declared) > 1:
            raise UserError(
                f"{self.path}: {' and '.join(declared)} are both packages for one service", "keep one of them"
            )
        return declared[0]


def read(debian: Path) -> Control:
    """Read a `debian/` directory. Raises `UserError` where a file of it is missing or malformed."""
    if not (debian / "rules").is_file():
        raise UserError(
            f"{debian}/rules: there is none", "three lines do: `#!/usr/bin/make -f`, `%:`, and `dh $@` after a tab"
        )
    path = debian / "control"
    first, *others = paragraphs(path)
    entry = changelog.newest(_text(debian / "changelog"), debian / "changelog", first.get("Source"))
    version = entry.version
    source_format = _format(debian / "source" / "format")
    if not version.rpartition("-")[0] and source_format == _QUILT:
        raise UserError(
            f"{debian}/changelog:{entry.line}: {version} has no Debian revision, as {_QUILT} wants",
            f"make it {version}-1, or write `{_NATIVE}` to debian/source/format",
        )
    if "-" in version and source_format == _NATIVE:
        raise UserError(
            f"{debian}/changelog:{entry.line}: {version} has a Debian revision, which {_NATIVE} has not",
            f"write the version without `-`, or `{_QUILT}` to debian/source/format",
        )
    binaries = {each.get("Package"): each for each in others}
    return Control(path=path, source=first, binaries=binaries, changelog=entry, format=source_format)


def _text(path: Path) -> str:
    if not path.is_file():
        # A pipe never ends, nor does /dev/zero, to which git keeps a link.
        reason = "not a file" if path.exists() else "there is none"
        raise UserError(f"{path}: {reason}", "`make example` shows a complete debian/ directory")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8: {error}", "Debian wants this file in UTF-8") from None


def paragraphs(path: Path) -> list[Paragraph]:
    """Return the paragraphs of a control file, the source's first (deb-src-control(5))."""
    found = list(deb822.parse(_text(path), path))
    if not found or not found[0].get("Source"):
        raise UserError(f"{path}:1: the first paragraph has no field `Source`", "begin it with `Source: <name>`")
    _require_relations(path, found[0])
    for each in found[1:]:
        for field in ("Package", "Architecture"):
            if not each.get(field):
                raise UserError(f"{path}:{each.line}: a paragraph without `{field}`", "see deb-src-control(5)")
    return found


def _require_relations(path: Path, source: Paragraph) -> None:
    for name in (*build_depends.FIELDS, *_CONFLICTS_FIELDS):
        for word in filter(None, map(str.strip, re.split(r"[,|]", source.get(name)))):
            if not _RELATION.fullmatch(word):
                raise UserError(
                    f"{path}:{source.line}: {name}: {word!r} is not a package",
                    "it looks like `debhelper-compat (= 13)`, with commas between",
                )


def _format(path: Path) -> str:
    text = _text(path).strip() if path.is_file() else "1.0"
    if text not in (_NATIVE, _QUILT):
        raise UserError(
            f"{path}: the source format is {one_line(text)}, which is not supported", f"write `{_NATIVE}` to it"
        )
    return text
