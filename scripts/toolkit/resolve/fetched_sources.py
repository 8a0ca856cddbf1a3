"""The files of pins: fetched, and what their metadata says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path

from toolkit.core import process, threads
from toolkit.core.errors import FinalError, UserError
from toolkit.model.lock import Distribution, Lock, VendoredFile
from toolkit.model.pins import Pin, Pinned
from toolkit.network.fetch import Fetched, Fetcher
from toolkit.network.index_options import shown
from toolkit.project.vcs_versions import GivenVersion
from toolkit.releases.crates import Crates
from toolkit.releases.file_choice import Selector
from toolkit.releases.release_metadata import MetadataReader, check_identity
from toolkit.requirements.vendor_txt import BinaryRule
from toolkit.resolve.hooks import Answer, HookRunner, Question
from toolkit.resolve.source_tree import SourceTree, TreesWithClosures
from toolkit.sources import patching
from toolkit.sources.sdist import Facts
from toolkit.wheel import check


@dataclass(kw_only=True)
class Sources:
    """Pins with their files: `distributions` by `name==version` and `files`, paths in the cache by file name.

    `runners` makes, at its first call, what runs hooks: one for each interpreter. `crates` fetches those of Rust.
    `faults` has, by key, what is wrong with some of them, and `failed` why a backend gave no answer.
    """

    selector: Selector
    fetcher: Fetcher
    reader: MetadataReader
    runners: Callable[[], Sequence[HookRunner]]
    crates: Crates
    distributions: dict[str, Distribution] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    faults: dict[str, UserError] = field(default_factory=dict)
    failed: dict[str, UserError] = field(default_factory=dict)
    _facts: dict[str, Facts] = field(default_factory=dict)
    _uploaded: dict[str, str] = field(default_factory=dict)

    def trees(self, pins: Iterable[Pin]) -> Mapping[str, SourceTree]:
        """Fetch the files of pins and return the tree of each that can be built from source, by `name==version`."""
        new = {pin.key: pin for pin in pins}
        unknown = [key for key in new if key not in self.distributions and key not in self.faults]
        chosen = {key: self.selector.choose(new[key]) for key in unknown}
        submitted = {
            key: (distribution, [self.fetcher.submit(file) for file in distribution.files])
            for key, distribution in chosen.items()
            if distribution
        }
        # Archives are read while others still arrive.
        threads.each(lambda key: self._add(new[key], submitted[key]), submitted, self.fetcher.stop)
        return {key: self._tree(key) for key in new if key in self.distributions and key in self._facts}

    def attempt(self, pin: Pin, rules: Sequence[BinaryRule] = ()) -> SourceTree | None:
        """Fetch a pin as if it were chosen, by the rules for its name, and return its tree: none where it is wheels.

        Nothing is kept of it. Raises `UserError` where it cannot be taken like that.
        """
        selector = replace(self.selector, rules={pin.name: rules} if rules else {}, without_source={})
        crates = replace(self.crates, files={}, known={})
        trial = Sources(
            selector=selector, fetcher=self.fetcher, reader=self.reader, runners=self.runners, crates=crates
        )
        trees = trial.trees([pin])
        if fault := trial.faults.get(pin.key):
            raise fault
        return trees.get(pin.key)

    def certain_requirements(self, pin: Pin) -> Sequence[str] | None:
        """Return the requirements of a pin that was fetched as source; None where nothing tells them."""
        facts, known = self._facts.get(pin.key), self.reader.known(pin)
        if facts and facts.metadata.requires_certain:
            return facts.metadata.requires
        return known.requires if known and not known.is_guess else None

    def uploaded(self, key: str) -> str:
        """Return when an sdist that was fetched came to its index, ISO 8601; empty where nothing tells."""
        return self._uploaded.get(key, "")

    def downloads(self, key: str) -> str:
        """Return the place in an sdist that tells that its build may download; empty where there is none."""
        return self._facts[key].downloads if key in self._facts else ""

    def applies(self, pin: Pin) -> bool:
        """Tell whether any of the interpreters that run hooks takes a pin, by its marker."""
        return any(runner.interpreter.matches(pin.marker) for runner in self.runners())

    def has_wheel(self, pin: Pin) -> bool:
        """Tell whether the environment of a hook takes a pin as a wheel."""
        return all(runner.has_wheel(pin) for runner in self.runners())

    def build(self, keys: Sequence[str], buildable: TreesWithClosures) -> Mapping[str, Path]:
        """Return the wheels of some keys, built by the first interpreter from what is in `buildable`."""
        return self.runners()[0].build(
            keys, self._lock(buildable, [Pinned(*key.split("==")) for key in keys]), self.files
        )

    def ask(
        self,
        question: Question[Answer],
        trees: TreesWithClosures,
        buildable: TreesWithClosures,
        shipped: Sequence[Pinned] = (),
    ) -> Mapping[str, Answer]:
        """Return, by key, what the backend of each tree answers, run in an environment of its closure.

        What has no wheel in those closures is built, as for a service that has `shipped`: from what is in `buildable`.
        Those of which a backend fails are in `failed`.
        """
        if not trees:
            return {}
        lock = self._lock(buildable, shipped)
        told: dict[str, Mapping[str, Answer]] = {}
        for runner in self.runners():
            told[runner.interpreter.version], failed = runner.run(question, trees, lock, self.files)
            self.failed |= failed
        answered = [key for key in trees if all(key in found for found in told.values())]
        return {key: question.together({python: found[key] for python, found in told.items()}) for key in answered}

    def stop(self) -> None:
        """End what `ask` is doing."""
        process.end_children()
        for runner in self.runners():
            runner.builder.stop()

    def _lock(self, buildable: TreesWithClosures, shipped: Sequence[Pinned]) -> Lock:
        """Return the lock as far as it is known: it names wheels as `make build` will look for them."""
        # A copy: the next trees are fetched meanwhile.
        known = self.distributions.copy()
        built = {key: in_order(pins) for key, (_, pins) in buildable.items()}
        found = {key: replace(d, build_requires=built.get(key, ())) for key, d in known.items()}
        found |= {
            key: replace(found[key], settings=tree.settings) for key, (tree, _) in buildable.items() if key in found
        }
        runtime = {pin.key: replace(found[pin.key], marker=pin.marker) for pin in shipped if pin.key in found}
        return Lock(
            service="",
            pythons=self.selector.pythons,
            platforms=self.selector.platforms,
            packages=tuple(runtime.values()),
            build_packages=tuple(replace(found[key], marker="") for key in found.keys() - runtime.keys()),
            crates=self.crates.of_built(known.values()),
        )

    def _take(self, file: VendoredFile, fetched: Fetched) -> VendoredFile:
        if self.files.setdefault(file.name, fetched.path) != fetched.path:
            raise UserError(
                f"{file.name}: two different archives have this name; one is {shown(file.url)}",
                "vendor/ has no directories: give one of them another name, or take it from an index",
            )
        return replace(file, size=fetched.size, sha256=fetched.sha256, other_hash="")

    def _add(self, pin: Pin, submitted: tuple[Distribution, list[Future[Fetched]]]) -> None:
        """Add a pin, or its fault."""
        try:
            self._read(pin, submitted)
        except FinalError:
            raise
        except UserError as error:
            self.faults[pin.key] = error

    def _read(self, pin: Pin, submitted: tuple[Distribution, list[Future[Fetched]]]) -> None:
        chosen, futures = submitted
        pairs = zip(chosen.files, futures, strict=True)
        taken = (self._take(file, self.fetcher.result(future)) for file, future in pairs)
        distribution = replace(chosen, files=tuple(taken))
        name = distribution.files[0].name
        if distribution.kind == "wheels":
            said = {
                file.name: check.check(self.files[file.name], "index", name=pin.name, version=pin.version)
                for file in distribution.files
            }
            self.reader.check_wheels(pin, said)
            found = replace(distribution, metadata="", requires_sha256="", requires=said[name].requires)
        else:
            file = distribution.files[0]
            facts = self.reader.facts(pin, Fetched(self.files[name], file.size, file.sha256), name)
            self._facts[pin.key] = facts
            if distribution.kind == "sdist" and pin.sdist:
                self._uploaded[pin.key] = pin.sdist.upload_time
            if distribution.kind == "sdist" and facts.metadata.name:
                check_identity(facts.metadata, pin, name)
            found = replace(self._described(pin, distribution, facts), rust=facts.rust)
            found = replace(found, patches=self.reader.patches.of_key(pin.key))
            # Known even where its crates are not: others may be needed by way of it.
            self.distributions[pin.key] = found
            if facts.rust:
                found = self._with_rust(pin, found, facts)
        self.distributions[pin.key] = found

    def _with_rust(self, pin: Pin, distribution: Distribution, facts: Facts) -> Distribution:
        """Return a distribution with its crates, which are fetched, and the oldest Rust that compiles it."""
        kept = self.selector.kept[pin.key].crates if pin.key in self.selector.kept else ()
        source = self.reader.source(pin, self.files[distribution.files[0].name])
        try:
            needs = self.crates.of(source, f"{pin.name} {pin.version}", kept)
        except UserError:
            # cargo says what is wrong with one that brings its crates, if anything is.
            if facts.needs_crates:
                raise
            return distribution
        return replace(
            distribution, crates=needs.crates, rust_version=needs.rust_version, rust_version_of=needs.rust_version_of
        )

    def _described(self, pin: Pin, distribution: Distribution, facts: Facts) -> Distribution:
        """Return an sdist or archive with its requirements: its own, where its metadata is certain of them."""
        known = self.reader.known(pin)
        is_own = facts.metadata.requires_certain or not known or known.is_guess
        return replace(
            distribution,
            requires_python=facts.metadata.requires_python,
            requires=facts.requires if is_own or not known else known.requires,
            metadata="" if is_own else distribution.metadata,
            system_files=facts.system_files,
            requires_sha256="" if is_own else distribution.requires_sha256,
        )

    def _tree(self, key: str) -> SourceTree:
        found = self.distributions[key]
        path = self.files[found.files[0].name]
        return SourceTree(
            name=found.name,
            path=path,
            build_system=self._facts[key].build_system,
            patches=patching.of_project(found.patches, self.reader.patches.root),
            # See `Planner`, which builds it by the same version.
            given=GivenVersion(text=found.version, origin="its URL") if found.kind == "archive" else None,
        )


def in_order(pins: Iterable[Pin]) -> tuple[Pinned, ...]:
    """Return the references to pins in the order of the lock."""
    return tuple(sorted((pin.pinned for pin in pins), key=str))
