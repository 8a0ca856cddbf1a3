"""Fetch what has been pinned, and read what it says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.version import InvalidVersion, Version

from toolkit.core import process, threads
from toolkit.core.errors import UserError
from toolkit.model.core_metadata import CoreMetadata
from toolkit.model.lock import Distribution, Lock, VendoredFile
from toolkit.model.names import normalize
from toolkit.model.pins import Pin, Pinned
from toolkit.network.fetch import Fetched, Fetcher
from toolkit.project import source_files
from toolkit.project.pyproject import BuildSystem
from toolkit.resolve.build_closure import Built, SourceTree, in_order
from toolkit.resolve.file_choice import Selector
from toolkit.resolve.hooks import Asker, together
from toolkit.vendored import sdist
from toolkit.vendored.sdist import Facts
from toolkit.wheel import metadata


@dataclass(kw_only=True)
class Sources:
    """Pins with their files: `distributions` by `name==version` and `files`, places in the cache by file name.

    `askers` gives, when it is needed, one for each interpreter.
    """

    selector: Selector
    fetcher: Fetcher
    askers: Callable[[], Sequence[Asker]]
    distributions: dict[str, Distribution] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    _facts: dict[str, Facts] = field(default_factory=dict)
    _unbuildable: dict[str, Pin] = field(default_factory=dict)

    def trees(self, pins: Iterable[Pin]) -> Mapping[str, SourceTree]:
        """Fetch the files of pins and return the tree of each that can be built from source."""
        new = {pin.key: pin for pin in pins}
        chosen = {key: self.selector.choose(pin) for key, pin in new.items() if key not in self.distributions}
        submitted = {
            key: (distribution, [self.fetcher.submit(file) for file in distribution.files])
            for key, distribution in chosen.items()
            if distribution
        }
        # Archives are read while others still arrive.
        threads.each(lambda key: self._add(new[key], submitted[key]), submitted, self.fetcher.stop)
        return {key: self._tree(key) for key in new if key in self._facts and new[key].name not in self._unbuildable}

    def requires(self, pin: Pin) -> Sequence[str] | None:
        """Return the requirements of a pin that has been fetched as source, where its metadata is sure of them."""
        facts = self._facts.get(pin.key)
        return facts.metadata.requires if facts and facts.metadata.requires_certain else None

    def applies(self, pin: Pin) -> bool:
        """Tell whether any of the interpreters that run hooks takes a pin, by its marker."""
        return any(asker.interpreter.matches(pin.marker) for asker in self.askers())

    def has_wheel(self, pin: Pin) -> bool:
        """Tell whether a pin can be had without building it; what cannot be built counts, for an error names it."""
        refused = pin.name in self._unbuildable or pin.name in self.selector.without_source
        return refused or self._is_ready(pin)

    def _is_ready(self, pin: Pin) -> bool:
        return all(asker.has_wheel(pin) for asker in self.askers())

    def ask(self, trees: Built, buildable: Built, shipped: Sequence[Pinned]) -> Mapping[str, tuple[str, ...]]:
        """Return what each tree's backend says it needs besides."""
        if self._unbuildable or self.selector.without_source:
            # The error that names these is all that comes of this run, so nothing is built for it.
            trees = {key: pair for key, pair in trees.items() if all(map(self._is_ready, pair[1]))}
        if not trees:
            return {}
        lock = self._lock(buildable, shipped)
        answers = {asker.interpreter.version: asker.ask(trees, lock, self.files) for asker in self.askers()}
        return {key: together({python: found[key] for python, found in answers.items()}) for key in trees}

    def stop(self) -> None:
        """End what `ask` is doing."""
        process.end_children()
        for asker in self.askers():
            asker.builder.stop()

    def _lock(self, buildable: Built, shipped: Sequence[Pinned]) -> Lock:
        """Return the lock as far as it is known: `make build` finds the wheels that are built by it."""
        # A copy: the next trees are fetched meanwhile.
        there = self.distributions.copy()
        built = {key: in_order(pins) for key, (_, pins) in buildable.items()}
        found = {key: replace(d, build_requires=built.get(key, ())) for key, d in there.items()}
        runtime = {pin.key: replace(found[pin.key], marker=pin.marker) for pin in shipped if pin.key in found}
        return Lock(
            service="",
            pythons=self.selector.pythons,
            platforms=self.selector.platforms,
            packages=tuple(runtime.values()),
            build_packages=tuple(replace(found[key], marker="") for key in found.keys() - runtime.keys()),
        )

    def _take(self, file: VendoredFile, fetched: Fetched) -> VendoredFile:
        if self.files.setdefault(file.name, fetched.path) != fetched.path:
            raise UserError(
                f"{file.name}: two different archives have this name; one is {file.url}",
                "vendor/ has no directories: give one of them another name, or take it from an index",
            )
        return replace(file, size=fetched.size, sha256=fetched.sha256)

    def _add(self, pin: Pin, submitted: tuple[Distribution, list[Future[Fetched]]]) -> None:
        chosen, futures = submitted
        pairs = zip(chosen.files, futures, strict=True)
        taken = (self._take(file, self.fetcher.result(future)) for file, future in pairs)
        distribution = replace(chosen, files=tuple(taken))
        key = distribution.key
        self.distributions[key] = distribution
        if distribution.kind == "wheels":
            requires = metadata.read(self.files[distribution.files[0].name]).requires
            self.distributions[key] = replace(distribution, requires=requires)
            return
        file = distribution.files[0]
        facts = sdist.read(self.files[file.name], file.name)
        if distribution.kind == "sdist":
            _check_identity(distribution, facts.metadata)
        if facts.needs_crates:
            self._unbuildable[pin.name] = pin
        self._facts[key] = facts
        self.distributions[key] = replace(
            distribution, requires_python=facts.metadata.requires_python, requires=facts.requires
        )

    def _tree(self, key: str) -> SourceTree:
        file = self.distributions[key].files[0]
        system = self._facts[key].build_system
        return SourceTree(name=self.distributions[key].name, path=self.files[file.name], build_system=system)

    def refuse_what_cannot_be_had(self, builds: Callable[[Pin], str]) -> None:
        """Raise one `UserError` for all that has no sdist, or one that needs the network, with what to add where.

        `builds` tells what a pin is needed to build; it may be nothing.
        """
        no_source, crates = sorted(self.selector.without_source), sorted(self._unbuildable)
        if not no_source and not crates:
            return
        pins = {**self.selector.without_source, **self._unbuildable}
        shown = {name: f"{name} {pin.version}{_purpose(builds(pin))}" for name, pin in pins.items()}
        reasons = [f"{shown[name]} has no sdist" for name in no_source]
        reasons += [f"{shown[name]} needs Rust crates, which its sdist lacks" for name in crates]
        lines = ", ".join(f"`{name}`" for name in (*no_source, *crates))
        raise UserError(
            f"cannot be built from source without a network: {'; '.join(reasons)}",
            f"to take wheels, add to the vendor.txt beside the requirements.txt that needs it, each on a line: {lines}",
        )


def _purpose(built: str) -> str:
    return f" (which builds {built})" if built else ""


def _check_identity(distribution: Distribution, found: CoreMetadata) -> None:
    if not found.name:
        return
    if normalize(found.name) != normalize(distribution.name) or not _same(found.version, distribution.version):
        name = distribution.files[0].name
        raise UserError(
            f"{name}: its metadata says {found.name} {found.version}, not {distribution.name} {distribution.version}",
            "the index or the archive is wrong: do not use it; constrain the requirement to another version",
        )


def _same(first: str, second: str) -> bool:
    try:
        return Version(first) == Version(second)
    except InvalidVersion:
        return first == second


def local_build_system(directory: Path, shown: str) -> BuildSystem:
    """Return the build system of a local package's directory."""
    members = {name: (directory / name).read_bytes() for name in sdist.BUILD_FILES if (directory / name).is_file()}
    return sdist.build_system(
        members,
        shown,
        lambda word: any(
            word in (directory / path).read_bytes()
            for path in source_files.source_files(directory)
            if path.suffix == ".py"
        ),
    )
