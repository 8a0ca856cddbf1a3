"""The files of pins: fetched, and what their metadata says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path

from toolkit.core import process, threads
from toolkit.core.errors import UserError
from toolkit.model.lock import Distribution, Lock, VendoredFile
from toolkit.model.pins import Pin, Pinned
from toolkit.network.fetch import Fetched, Fetcher
from toolkit.network.index_options import shown
from toolkit.project.vcs_versions import GivenVersion
from toolkit.resolve.crates import Crates
from toolkit.resolve.file_choice import Selector
from toolkit.resolve.hooks import Answer, HookRunner, Question
from toolkit.resolve.release_metadata import MetadataReader, check_identity
from toolkit.resolve.source_tree import SourceTree, TreesWithClosures
from toolkit.vendored import patching
from toolkit.vendored.sdist import Facts
from toolkit.wheel import check


@dataclass(kw_only=True)
class Sources:
    """Pins with their files: `distributions` by `name==version` and `files`, paths in the cache by file name.

    `runners` makes, at its first call, what runs hooks: one for each interpreter. `crates` fetches those of Rust.
    """

    selector: Selector
    fetcher: Fetcher
    reader: MetadataReader
    runners: Callable[[], Sequence[HookRunner]]
    crates: Crates
    distributions: dict[str, Distribution] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    _facts: dict[str, Facts] = field(default_factory=dict)
    _uploaded: dict[str, str] = field(default_factory=dict)

    def trees(self, pins: Iterable[Pin]) -> Mapping[str, SourceTree]:
        """Fetch the files of pins and return the tree of each that can be built from source, by `name==version`."""
        new = {pin.key: pin for pin in pins}
        chosen = {key: self.selector.choose(pin) for key, pin in new.items() if key not in self.distributions}
        submitted = {
            key: (distribution, [self.fetcher.submit(file) for file in distribution.files])
            for key, distribution in chosen.items()
            if distribution
        }
        # Archives are read while others still arrive.
        threads.each(lambda key: self._add(new[key], submitted[key]), submitted, self.fetcher.stop)
        return {key: self._tree(key) for key in new if key in self._facts}

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
        """Tell whether a pin needs no build: it has a wheel, or cannot be built, which is an error."""
        return pin.name in self.selector.without_source or self._is_wheel_everywhere(pin)

    def _is_wheel_everywhere(self, pin: Pin) -> bool:
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
        """
        if self.selector.without_source:
            # This run will end with the error that names these, so nothing is built for it.
            trees = {key: pair for key, pair in trees.items() if all(map(self._is_wheel_everywhere, pair[1]))}
        if not trees:
            return {}
        lock = self._lock(buildable, shipped)
        told = {runner.interpreter.version: runner.run(question, trees, lock, self.files) for runner in self.runners()}
        return {key: question.together({python: found[key] for python, found in told.items()}) for key in trees}

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
            if facts.needs_crates:
                kept = self.selector.kept[pin.key].crates if pin.key in self.selector.kept else ()
                source = self.reader.source(pin, self.files[name])
                crates = self.crates.of(source, f"{pin.name} {pin.version}", kept)
                found = replace(found, crates=crates)
        self.distributions[pin.key] = found

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

    def refuse_unbuildable(self, builds: Callable[[Pin], str]) -> None:
        """Raise one `UserError` for all that has no sdist, with the lines to add.

        `builds` returns the name of what a pin is needed to build, or nothing.
        """
        if pins := self.selector.without_source:
            built = {name: builds(pin) for name, pin in pins.items()}
            reasons = [
                f"{name} {pins[name].version}{f' (which builds {built[name]})' if built[name] else ''} has no sdist"
                for name in sorted(pins)
            ]
            lines = ", ".join(f"`{name}`" for name in sorted(pins))
            raise UserError(
                f"cannot be built from source without a network: {'; '.join(reasons)}",
                "to take wheels, add to the vendor.txt beside the requirements.txt that needs it, each on a line: "
                f"{lines}",
            )


def in_order(pins: Iterable[Pin]) -> tuple[Pinned, ...]:
    """Return the references to pins in the order of the lock."""
    return tuple(sorted((pin.pinned for pin in pins), key=str))
