"""The archives that this machine gets its packages from, by what apt is configured with, and those of other suites."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from toolkit.core import deb822, process
from toolkit.core.errors import UserError

APT = Path("/etc/apt")
_ONE_LINE = re.compile(r"deb\s+(?:\[(?P<options>[^]]*)\]\s*)?(?P<uri>\S+)\s+(?P<suite>\S+)\s*(?P<components>.*)")
_OPTION = re.compile(r'(Acquire::(?:https?(?:::[^ ]+)?::[A-Za-z-]+|Check-Valid-Until|Check-Date|Retries)) "(.+)";')
#: What apt says of an archive that it cannot reach.
UNREACHED = re.compile(r"Could not resolve|Temporary failure resolving|Could not connect|Unable to connect")
#: The archives that a release of Debian and Ubuntu consists of, and the suites that consist of one.
_PARTS = ("", "-updates", "-security")
_SINGLE = frozenset({"sid", "unstable", "experimental"})
#: By distribution: the components that have what the toolkit needs, and the keys that its archives are signed with.
_COMPONENTS = {"debian": ("main",), "ubuntu": ("main", "universe")}
KEYRINGS = {name: f"/usr/share/keyrings/{name}-archive-keyring.gpg" for name in _COMPONENTS}
#: Of a source whose field `Signed-By` holds the keys themselves, instead of naming their file.
_KEYS = "keys"


@dataclass(frozen=True, kw_only=True)
class Source:
    """One suite of one archive; `signed_by` is a file, `keys` for keys of its own, or empty."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""

    @property
    def line(self) -> str:
        """Return it in apt's one-line format."""
        options = f"[signed-by={self.signed_by}] " if self.signed_by not in ("", _KEYS) else ""
        return f"deb {options}{self.uri} {self.suite} {' '.join(self.components)}".rstrip()


def read(directory: Path = APT) -> tuple[Source, ...]:
    """Return all enabled sources of binary packages, of both formats of sources.list(5)."""
    found: list[Source] = []
    for path in [directory / "sources.list", *sorted((directory / "sources.list.d").glob("*"))]:
        if path.is_file() and path.suffix in (".list", ".sources"):
            text = path.read_text(encoding="utf-8", errors="replace")
            found += _deb822(text, path) if path.suffix == ".sources" else one_line(text)
    return tuple(found)


def one_line(text: str) -> Iterator[Source]:
    """Yield the sources in a text of apt's one-line format, sources.list(5)."""
    for line in text.splitlines():
        found = _ONE_LINE.fullmatch(line.partition("#")[0].strip())
        if found:
            options = dict(word.partition("=")[::2] for word in (found["options"] or "").split())
            yield Source(
                uri=found["uri"],
                suite=found["suite"],
                components=tuple(found["components"].split()),
                signed_by=options.get("signed-by", ""),
            )


def _deb822(text: str, path: Path) -> Iterator[Source]:
    for paragraph in deb822.parse(text, path):
        is_enabled = paragraph.get("Enabled").lower() not in ("no", "false")
        if is_enabled and "deb" in paragraph.get("Types").split():
            components, key = tuple(paragraph.get("Components").split()), paragraph.get("Signed-By").strip()
            signed_by = key if key.startswith("/") or not key else _KEYS
            for uri, suite in product(paragraph.get("URIs").split(), paragraph.get("Suites").split()):
                yield Source(uri=uri, suite=suite, components=components, signed_by=signed_by)


def for_suite(sources: Sequence[Source], suite: str, *, own: str, distribution: str) -> tuple[Source, ...]:
    """Return the sources of `suite`: those of a machine of the suite `own`, with another suite.

    `distribution` is the ID of os-release(5). Archives that are signed with other keys than its own are left out.
    Raises `UserError` if the machine has no source of its own suite.
    """
    parts = _PARTS[:1] if suite in _SINGLE else _PARTS
    counterparts = {f"{own}{part}": f"{suite}{part}" for part in parts}
    possible = [source for source in sources if source.suite in counterparts and "main" in source.components]
    official = [source for source in possible if _is_official(source, own, distribution)]
    # A company's mirror may be signed with its own keys.
    chosen = next((each for each in (official, possible) if any(source.suite == own for source in each)), None)
    if chosen is None:
        raise UserError(f"{APT}: no source of the packages of {own}", "name a mirror: MIRROR=<URI>")
    return tuple(replace(source, suite=counterparts[source.suite]) for source in chosen)


def _is_official(source: Source, own: str, distribution: str) -> bool:
    if source.signed_by == _KEYS:
        # Third parties, such as Ubuntu's PPAs, have no updates beside their suite.
        return source.suite != own
    return not source.signed_by or Path(source.signed_by).name.startswith(f"{distribution}-archive-")


def at_mirror(mirror: str, suite: str, components: tuple[str, ...], signed_by: str = "") -> tuple[Source, ...]:
    """Return the sources of `suite` at a mirror that the user names: a URI, or a line of sources.list(5).

    `components` are those of a URI, `signed_by` the keys of what names none. Raises `UserError`.
    """
    lines = tuple(one_line(mirror))
    if lines and not any(line.suite == suite or line.suite.startswith(f"{suite}-") for line in lines):
        raise UserError(f"MIRROR={mirror}: this is not {suite}", "name one suite, the one that the line has, or a URI")
    if not lines and not re.fullmatch(r"[a-z+]+:/\S+", mirror):
        raise UserError(
            f"MIRROR={mirror}: neither a URI nor a line of sources.list",
            "it looks like http://mirror.example/debian, or `deb [signed-by=...] URI suite main`",
        )
    found = lines or (Source(uri=mirror, suite=suite, components=components),)
    return tuple(replace(source, signed_by=source.signed_by or signed_by) for source in found)


def of_other(mirror: str, suite: str, distribution: str) -> tuple[Source, ...]:
    """Return the sources of a suite of a distribution, `debian` or `ubuntu`, that is not this machine's.

    Raises `UserError` where no mirror is named.
    """
    if not mirror:
        raise UserError(
            f"{suite} is a suite of {distribution.title()}, of which this machine has no source",
            f"name a mirror of {distribution.title()}: MIRROR=<URI>",
        )
    keyring = KEYRINGS[distribution]
    return at_mirror(mirror, suite, _COMPONENTS[distribution], keyring if Path(keyring).is_file() else "")


def options() -> tuple[str, ...]:
    """Return apt's settings of how archives are reached, such as a proxy, in the format of apt.conf(5)."""
    dump = process.read(["apt-config", "dump"])
    return tuple(f'{name} "{value}";' for name, value in _OPTION.findall(dump))
