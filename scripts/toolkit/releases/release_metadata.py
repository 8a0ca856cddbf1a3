"""The metadata of a release, from the most certain place that has it, without a build.

In this order: what the index offers beside a wheel (PEP 658), the sdist's own where it is certain (PEP 643), that in a
wheel; of what is taken as wheels, that in a wheel first. Of a release that has none of them, what its files say is a
guess, which only a build can confirm.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.version import Version

from toolkit.core import files, threads
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import one_line, quoted
from toolkit.model import core_metadata, requirement_texts
from toolkit.model.core_metadata import CoreMetadata
from toolkit.model.lock import Distribution
from toolkit.model.names import normalize
from toolkit.model.pins import MetadataSource, Pin, RemoteFile, is_sha256
from toolkit.network.fetch import Fetched, Fetcher
from toolkit.network.index_options import shown
from toolkit.network.index_pages import Index
from toolkit.project.patches import Patches
from toolkit.releases import archive_identity, known_facts
from toolkit.releases.file_choice import vendored
from toolkit.sources import patching
from toolkit.sources.sdist import Facts
from toolkit.wheel import check

_SUFFIX = ".metadata"
_CONNECTIONS = 16


@dataclass(frozen=True)
class ReleaseMetadata:
    """What a release requires, by which `source` (see `Pin`), and its extras; `is_guess`, until a build has told it."""

    requires: tuple[str, ...]
    requires_python: str = ""
    extras: tuple[str, ...] = ()
    source: MetadataSource = ""
    is_guess: bool = False

    @classmethod
    def of(cls, found: CoreMetadata, source: MetadataSource = "") -> ReleaseMetadata:
        """Return what metadata says that counts."""
        return cls(found.requires, found.requires_python, found.extras, source)

    @property
    def requires_sha256(self) -> str:
        """Return the hash of the requirements, however their texts are spaced and ordered; it is kept in locks."""
        texts = sorted({re.sub(r"[\s()]", "", text).replace("'", '"').lower() for text in self.requires})
        return hashlib.sha256("\n".join(texts).encode()).hexdigest()

    def differs(self, other: ReleaseMetadata) -> bool:
        """Tell whether an engine may choose otherwise by another one."""
        return self.requires_python != other.requires_python or _set(self.requires) != _set(other.requires)


@dataclass(kw_only=True)
class MetadataReader:
    """Reads each release once; it may be asked by many threads.

    `fetcher` has the files that are read for it, `binary` are the names of what is taken as wheels. Sources are read as
    `patches` make them, which needs the directory `scratch`.
    """

    index: Index
    fetcher: Fetcher
    scratch: Path
    binary: Collection[str] = ()
    patches: Patches = field(default_factory=Patches)
    _known: dict[tuple[str, str], ReleaseMetadata] = field(default_factory=dict)
    _facts: dict[Path, Facts] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _patching: threading.Lock = field(default_factory=threading.Lock)

    def read(self, pin: Pin, wheels: Sequence[RemoteFile]) -> ReleaseMetadata:
        """Return the metadata of a release; `wheels` are those of it to read, the best first. Raises `UserError`."""
        if _key(pin) not in self._known:
            found = self._read(pin, wheels)
            with self._lock:
                self._known.setdefault(_key(pin), found)
        return self._known[_key(pin)]

    def known(self, pin: Pin) -> ReleaseMetadata | None:
        """Return the metadata of a release that was read, or learnt."""
        return self._known.get(_key(pin))

    def extras(self, item: Distribution) -> frozenset[str] | None:
        """Return the extras of a locked distribution; None where nothing told them for certain."""
        known = self._known.get((item.key, item.files[0].url if item.kind == "archive" else ""))
        if known is None or known.is_guess:
            return None
        return frozenset((*known.extras, *map(normalize, requirement_texts.extras(known.requires))))

    def learn(self, pin: Pin, built: CoreMetadata) -> bool:
        """Take what a build has told of a release; returns whether it is not what was guessed."""
        check_identity(built, pin, f"{pin.name} {pin.version}: its build")
        return self._replace(pin, ReleaseMetadata.of(built, "build"))

    def confirm(self, pins: Iterable[Pin]) -> bool:
        """Read the sdists of releases of which wheels have told; returns whether one certainly says otherwise.

        Then its own word counts: it is what is vendored, reviewed and built. Raises `UserError`.
        """
        told = [pin for pin in pins if pin.sdist and pin.name not in self.binary]
        return any(threads.ask_each(self._own_word, told, _CONNECTIONS))

    def check_wheels(self, pin: Pin, wheels: Mapping[str, CoreMetadata]) -> None:
        """Raise `UserError` where none of the vendored wheels (by name) requires what was read of the release."""
        known = self.known(pin)
        if known and all(_set(known.requires) != _set(found.requires) for found in wheels.values()):
            raise UserError(
                f"{', '.join(wheels)}: what the index says of {pin.name} {pin.version} is not what the wheel requires",
                "do not use this version before you know which of the two was changed, and by whom",
            )

    def _own_word(self, pin: Pin) -> bool:
        known = self.known(pin)
        if not pin.sdist or not known or known.source != "wheel":
            return False
        own = self._candidate_facts(pin, pin.sdist).metadata
        return own.requires_certain and self._replace(pin, ReleaseMetadata.of(own))

    def _replace(self, pin: Pin, found: ReleaseMetadata) -> bool:
        """Take other metadata of a release; returns whether an engine may choose otherwise by it."""
        before = self._known.get(_key(pin))
        with self._lock:
            self._known[_key(pin)] = found
        return not before or before.differs(found)

    def facts(self, pin: Pin, fetched: Fetched, name: str) -> Facts:
        """Return what the archive of a pin says of itself; each is read once. Raises `UserError`."""
        if fetched.path not in self._facts:
            is_patched = bool(self.patches.of_key(pin.key))
            self._facts[fetched.path] = (
                self._patched_facts(pin, fetched, name)
                if is_patched
                else known_facts.read(fetched.path, name, fetched.sha256)
            )
        return self._facts[fetched.path]

    def _patched_facts(self, pin: Pin, fetched: Fetched, name: str) -> Facts:
        """Return the facts of a source as patches make it, whose fault it may be that there are none."""
        path, patches = self.source(pin, fetched.path), self.patches.of_key(pin.key)
        sha256 = hashlib.sha256("".join((fetched.sha256, *(patch.sha256 for patch in patches))).encode()).hexdigest()
        try:
            return known_facts.read(path, name, sha256)
        except UserError as error:
            named = ", ".join(patch.path for patch in patches)
            raise UserError(f"{error.what}, as {named} leaves it", "mend the patch") from None

    def source(self, pin: Pin, path: Path) -> Path:
        """Return the archive to read of a pin: the one at `path`, or what patches make of it. Raises `UserError`."""
        changes = self.patches.of_key(pin.key)
        if not changes:
            return path
        patched = self.scratch / f"{pin.key}.patched" / path.name
        with self._patching, archive_identity.named(path):
            if not patched.exists():
                patched.parent.mkdir(exist_ok=True)
                patching.repack(path, patched, patching.of_project(changes, self.patches.root))
        return patched

    def _candidate_facts(self, pin: Pin, source: RemoteFile) -> Facts:
        """Return what the archive of a pin says that need not be chosen, so patches need not fit it."""
        fetched = self._fetch(source)
        try:
            return self.facts(pin, fetched, source.name)
        except patching.UnfitError:
            return known_facts.read(fetched.path, source.name, fetched.sha256)

    def _read(self, pin: Pin, wheels: Sequence[RemoteFile]) -> ReleaseMetadata:
        if described := next((wheel for wheel in wheels if wheel.core_metadata), None):
            return _known(self._beside(described), pin, shown(f"{described.url}{_SUFFIX}"), "wheel")
        wheel = next(iter(wheels), None)
        if wheel and pin.name in self.binary:
            return self._inside(wheel, pin)
        guess = ReleaseMetadata(requires=(), is_guess=True)
        if source := pin.archive or pin.sdist:
            facts = self._candidate_facts(pin, source)
            own = facts.metadata
            if own.name:
                check_identity(own, pin, source.name)
            if own.requires_certain:
                return ReleaseMetadata.of(own)
            guess = ReleaseMetadata(requires=facts.requires, requires_python=own.requires_python, is_guess=True)
        if wheel:
            return self._inside(wheel, pin)
        return guess

    def _beside(self, wheel: RemoteFile) -> CoreMetadata:
        """Return what the index offers beside a wheel, by its hash: kept for ever."""
        directory = files.cache_root() / "metadata"
        kept = directory / f"{wheel.core_metadata}.txt"
        url = shown(f"{wheel.url}{_SUFFIX}")
        if not is_sha256(wheel.core_metadata):
            raise UserError(
                f"{url}: its hash in the index is none: {quoted(wheel.core_metadata)}", "do not use this index"
            )
        try:
            content = kept.read_bytes()
        except FileNotFoundError:
            content = b""
        if hashlib.sha256(content).hexdigest() != wheel.core_metadata:
            content = self.index.content(wheel, _SUFFIX, core_metadata.LONGEST)
            digest = hashlib.sha256(content).hexdigest()
            if digest != wheel.core_metadata:
                raise UserError(
                    f"{url} has sha256 {digest}, not {wheel.core_metadata}",
                    "find out why before anything else: somebody replaced it, at the index or on the way",
                )
            directory.mkdir(parents=True, exist_ok=True)
            files.write_atomic(kept, content)
        return core_metadata.parse(content)

    def _inside(self, wheel: RemoteFile, pin: Pin) -> ReleaseMetadata:
        """Return what a wheel has inside; nothing else of it is used."""
        found = check.check(self._fetch(wheel).path, "index", name=pin.name, version=pin.version, whole=False)
        return ReleaseMetadata.of(found, "wheel")

    def _fetch(self, file: RemoteFile) -> Fetched:
        with self._lock:
            future = self.fetcher.submit(vendored(file))
        return self.fetcher.result(future)


def check_identity(found: CoreMetadata, pin: Pin, where: str) -> None:
    """Raise `UserError` where metadata is that of another release; `where` is what messages call it."""
    # The version of an archive is what can be compared of the one that it gives.
    version = archive_identity.valid(found.version) if pin.archive else found.version
    if normalize(found.name) != pin.name or not _same(version, pin.version):
        raise UserError(
            f"{where}: its metadata says {one_line(f'{found.name} {found.version}')}, not {pin.name} {pin.version}",
            "the index or the archive is wrong: do not use it; constrain the requirement to another version",
        )


def _known(found: CoreMetadata, pin: Pin, where: str, source: MetadataSource) -> ReleaseMetadata:
    check_identity(found, pin, where)
    return ReleaseMetadata.of(found, source)


def _key(pin: Pin) -> tuple[str, str]:
    return pin.key, pin.archive.url if pin.archive else ""


def _same(first: str, second: str) -> bool:
    try:
        return Version(first) == Version(second)
    except ValueError:
        return first == second


def _set(requires: Iterable[str]) -> set[str]:
    """Return requirements in one spelling, as far as they are any."""
    parsed = {text: requirement_texts.parse(text) for text in requires}
    return {requirement_texts.normal(found) if found else text for text, found in parsed.items()}
