"""Read what `debian/` says: control, changelog and source/format."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolkit.core.errors import UserError
from toolkit.project.discovery import Package

_FIELD = re.compile(r"(?P<name>[!-,.-9;-~][!-9;-~]*):[ \t]*(?P<value>.*)")
_ENTRY = re.compile(r"(?P<source>[a-z0-9][a-z0-9+.-]+) \((?P<version>[^()\s]+)\)(?: [\w.+-]+)+;")
_VERSION = re.compile(r"(?:\d+:)?[0-9][0-9A-Za-z.+~-]*")
_TRAILER = re.compile(r" -- [^<>]* <[^<>]+>  (?:\w{3}, +)?\d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}")
#: `name:any (>= 1) [amd64] <!nocheck>`, deb-src-control(5).
_RELATION = re.compile(
    r"[a-z0-9$][\w+.${}-]*(?::[a-z0-9-]+)?(?:\s*\((?:<<|<=|=|>=|>>)\s*[^\s()]+\))?(?:\s*\[[^][]+\])?(?:\s*<[^<>]+>)*"
)
_RELATIONS = (
    "Build-Depends",
    "Build-Depends-Arch",
    "Build-Depends-Indep",
    "Build-Conflicts",
    "Build-Conflicts-Arch",
    "Build-Conflicts-Indep",
)
_NATIVE, _QUILT = "3.0 (native)", "3.0 (quilt)"


@dataclass(frozen=True, kw_only=True)
class Stanza:
    """A paragraph of debian/control: fields by their name in lower case, and the line it begins at."""

    fields: Mapping[str, str]
    line: int

    def get(self, name: str) -> str:
        """Return a field's value, an empty string when it is not there."""
        return self.fields.get(name.lower(), "")


@dataclass(frozen=True, kw_only=True)
class Control:
    """A `debian/` directory: the source stanza, binary packages by name, the newest version, the source format."""

    path: Path
    source: Stanza
    binaries: Mapping[str, Stanza]
    version: str
    format: str

    @property
    def name(self) -> str:
        """Return the source package's name."""
        return self.source.get("Source")

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
        return self.file_version if self.is_native else self.file_version.rpartition("-")[0]

    @property
    def needs_root(self) -> bool:
        """Tell whether debian/rules asks for root (or fakeroot) to make the packages."""
        return self.source.get("Rules-Requires-Root") != "no"

    @property
    def build_depends(self) -> set[str]:
        """Return the names of all packages in Build-Depends and its variants, alternatives included."""
        fields = ("Build-Depends", "Build-Depends-Arch", "Build-Depends-Indep")
        words = re.split(r"[,|]", ",".join(map(self.source.get, fields)))
        return {re.split(r"[\s:(\[<]", word.strip())[0] for word in words if word.strip()}

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
    first, *others = stanzas(path)
    version = _version(debian / "changelog", first.get("Source"))
    source_format = _format(debian / "source" / "format")
    if not version.rpartition("-")[0] and source_format == _QUILT:
        raise UserError(
            f"{debian}/changelog:1: {version} has no Debian revision, as {_QUILT} wants",
            f"make it {version}-1, or write `{_NATIVE}` to debian/source/format",
        )
    if "-" in version and source_format == _NATIVE:
        raise UserError(
            f"{debian}/changelog:1: {version} has a Debian revision, which {_NATIVE} has not",
            f"write the version without `-`, or `{_QUILT}` to debian/source/format",
        )
    binaries = {stanza.get("Package"): stanza for stanza in others}
    return Control(path=path, source=first, binaries=binaries, version=version, format=source_format)


def require_date(path: Path) -> None:
    """Refuse a changelog whose newest entry has no line that says who made it and when (deb-changelog(5))."""
    lines = [(number, line) for number, line in enumerate(_text(path).splitlines(), 1) if line.strip()]
    # What is not indented by two spaces is a heading or a last line.
    number, line = next(((n, text) for n, text in lines[1:] if not text.startswith("  ")), (lines[-1][0], ""))
    if not _TRAILER.fullmatch(line.rstrip()):
        raise UserError(
            f"{path}:{number}: not the last line of an entry: {line.strip()!r}",
            "it has to look like ` -- Your Name <you@example.com>  Mon, 02 Nov 2026 10:00:00 +0000`; `dch` writes it",
        )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path}: there is none", "`make example` shows a complete debian/ directory") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8: {error}", "Debian wants this file in UTF-8") from None


def stanzas(path: Path) -> list[Stanza]:
    """Return the paragraphs of a control file, the source's first (deb-src-control(5))."""
    found = list(_paragraphs(path))
    if not found or not found[0].get("Source"):
        raise UserError(f"{path}:1: the first paragraph has no field `Source`", "begin it with `Source: <name>`")
    _require_relations(path, found[0])
    for stanza in found[1:]:
        for field in ("Package", "Architecture"):
            if not stanza.get(field):
                raise UserError(f"{path}:{stanza.line}: a paragraph without `{field}`", "see deb-src-control(5)")
    return found


def _require_relations(path: Path, source: Stanza) -> None:
    for name in _RELATIONS:
        for word in filter(None, map(str.strip, re.split(r"[,|]", source.get(name)))):
            if not _RELATION.fullmatch(word):
                raise UserError(
                    f"{path}:{source.line}: {name}: {word!r} is not a package",
                    "it looks like `debhelper-compat (= 13)`, with commas between",
                )


def _paragraphs(path: Path) -> Iterator[Stanza]:
    fields: dict[str, str] = {}
    name, start = "", 0
    for number, line in enumerate([*_text(path).splitlines(), ""], 1):
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields:
                yield Stanza(fields=fields, line=start)
            fields, name = {}, ""
        elif line[0] in " \t" and name:
            fields[name] += f"\n{line.strip()}"
        elif found := _FIELD.fullmatch(line):
            start = start if fields else number
            name = found["name"].lower()
            if name in fields:
                raise UserError(f"{path}:{number}: a second `{found['name']}` in one paragraph", "keep one of them")
            fields[name] = found["value"].strip()
        else:
            raise UserError(
                f"{path}:{number}: neither a field nor its continuation: {line.strip()!r}",
                "a field is `Name: value`, a continuation begins with a space",
            )


def _version(path: Path, source: str) -> str:
    """Return the version of the newest entry of a changelog, which has to be this source's (deb-changelog(5))."""
    lines = _text(path).splitlines()
    number, line = next(((n, text) for n, text in enumerate(lines, 1) if text.strip()), (1, ""))
    found = _ENTRY.match(line)
    if not found or not _VERSION.fullmatch(found["version"]):
        raise UserError(
            f"{path}:{number}: not the heading of an entry: {line.strip()!r}",
            f"it has to look like `{source} (1.0) unstable; urgency=medium`; `dch` writes it",
        )
    if found["source"] != source:
        raise UserError(
            f"{path}:{number}: {found['source']} is called {source} in debian/control",
            "give the source package one name in both files",
        )
    return found["version"]


def _format(path: Path) -> str:
    text = path.read_text(encoding="utf-8").strip() if path.is_file() else "1.0"
    if text not in (_NATIVE, _QUILT):
        raise UserError(f"{path}: the source format is {text}, which is not supported", f"write `{_NATIVE}` to it")
    return text
