"""What an sdist says of itself before it is built: who it is, what builds it, and whether that can be done offline."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from toolkit.archives import archive
from toolkit.model import core_metadata, requirement_texts
from toolkit.model.core_metadata import CoreMetadata
from toolkit.model.names import normalize
from toolkit.project import pyproject
from toolkit.project.pyproject import BuildSystem
from toolkit.sources import backends, downloads, native_builds, removals

#: The files of a tree that tell what builds it.
BUILD_FILES = (pyproject.FILE, "setup.py", "setup.cfg", "hatch.toml")
_RUST = ("maturin", "setuptools-rust", "setuptools_rust")
# The two parts have to be told apart by the colon: else a long line takes quadratic time.
_SECTION = re.compile(r"\[(?P<extra>[^:\]]*)(?::(?P<marker>[^\]]*))?\]")
_MEMBERS = ("PKG-INFO", *BUILD_FILES)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """An sdist's metadata (empty where it has no PKG-INFO), its build system, and what of Rust its build needs.

    `requires` are the requirements as far as any file of it tells them, certain or not. `rust` says that the build
    compiles Rust, `needs_crates` that it comes without the crates for that. `system_files` are the names (as
    `debian_names` has them) of what the build certainly takes from the system. `downloads` is the place (`file:line:
    text`) that tells that the build may download, where there is one.
    """

    metadata: CoreMetadata
    requires: tuple[str, ...]
    build_system: BuildSystem
    rust: bool
    needs_crates: bool
    system_files: tuple[str, ...] = ()
    downloads: str = ""


def read(path: Path, shown: str) -> Facts:
    """Return the facts of the sdist at `path`; `shown` is what messages call it. Raises `UserError` on bad metadata."""
    # The older an sdist, the more likely its name is not normalised: both spellings are looked for.
    name = shown.rpartition("-")[0]
    lists = [f"{base}{stem}.egg-info/requires.txt" for stem in {name, name.replace("-", "_")} for base in ("", "src/")]
    found = archive.survey(path, (*_MEMBERS, *lists), native_builds.reader, backends.WORDS)
    members = found.named
    metadata = core_metadata.parse(members.get("PKG-INFO", b""))
    system = build_system(members, shown, found.words.__contains__)
    rust = asks_for_rust(system) and any(name.endswith("Cargo.toml") for name in found.paths)
    listed = next((members[name] for name in lists if name in members), b"")
    return Facts(
        metadata=metadata,
        requires=metadata.requires or tuple(_from_requires_txt(listed)) or _declared(members),
        build_system=system,
        rust=rust,
        # `cargo vendor` leaves one beside each crate.
        needs_crates=rust and not any(name.endswith(".cargo-checksum.json") for name in found.paths),
        system_files=tuple(sorted(native_builds.names(normalize(metadata.name or name), system, found))),
        downloads=downloads.found(normalize(metadata.name or name), system, found),
    )


def _declared(members: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return what `[project]` declares, which serves where metadata of before version 2.2 is silent."""
    content = pyproject.parse(members.get(pyproject.FILE, b""), pyproject.FILE)
    found = pyproject.table(content, "project").get("dependencies")
    return tuple(text for text in found if isinstance(text, str)) if isinstance(found, list) else ()


def _from_requires_txt(content: bytes) -> Iterator[str]:
    """Yield setuptools' list as PEP 508: sections `[extra]`, `[:marker]` and `[extra:marker]` become conditions."""
    condition = ""
    for line in map(str.strip, content.decode("utf-8", "replace").splitlines()):
        if section := _SECTION.fullmatch(line):
            extra = f"extra == '{normalize(section['extra'])}'" if section["extra"] else ""
            marker = f"({section['marker']})" if section["marker"] and extra else section["marker"] or ""
            condition = " and ".join(part for part in (marker, extra) if part)
        elif line:
            yield f"{line} ; {condition}" if condition else line


def asks_for_rust(system: BuildSystem) -> bool:
    """Tell whether a tree's build requires what compiles Rust."""
    return any(word in requirement.lower() for requirement in system.requires for word in _RUST)


def build_system(members: Mapping[str, bytes], shown: str, mentions: Callable[[bytes], bool]) -> BuildSystem:
    """Return the build system of a tree from the files that tell it (`BUILD_FILES`), as PEP 517 and 518 say.

    `mentions` looks for a word in the sources of the whole tree. Raises `UserError` on a file that makes no sense.
    """
    content = pyproject.parse(members.get(pyproject.FILE, b""), f"{shown}: its pyproject.toml")
    system = pyproject.build_system(content, f"{shown}: its pyproject.toml")
    known = backends.known_requires(system, pyproject=content, members=members, mentions=mentions)
    added = requirement_texts.checked(known or (), f"{shown}: what its build asks for", pyproject.MEND)
    words = removals.words_in(members.get("setup.py", b""))
    return replace(system, requires=(*system.requires, *added), dynamic=known is None, words=words)
