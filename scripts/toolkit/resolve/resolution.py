"""All that one run resolves with: the indexes, an engine, and what builds for it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from toolkit.build.building_options import BuildOptions
from toolkit.engines.engine import Engine, Request, Resolver
from toolkit.engines.index_resolver import IndexResolver
from toolkit.engines.source_preference import SourcePreference
from toolkit.model.lock import Distribution
from toolkit.model.pins import Pin
from toolkit.network.crate_registry import CrateRegistry
from toolkit.network.fetch import Fetcher
from toolkit.network.index_pages import Index, Missing, nothing_missing
from toolkit.network.index_settings import Indexes
from toolkit.project.patches import Patches
from toolkit.releases.crates import Crates
from toolkit.releases.file_choice import Selector
from toolkit.releases.release_metadata import MetadataReader
from toolkit.requirements.vendor_txt import BinaryRule
from toolkit.resolve import hooks
from toolkit.resolve.build_closure import Closure
from toolkit.resolve.build_sets import BuildSets
from toolkit.resolve.fetched_sources import Sources
from toolkit.resolve.hooks import HookRunner
from toolkit.resolve.metadata_builder import MetadataBuilder

#: Returns pins with what is known of their files beside the index, or raises `UserError`.
Bind = Callable[[Iterable[Pin]], tuple[Pin, ...]]


def _nothing_kept(pythons: tuple[str, ...]) -> Mapping[str, Distribution]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Hold:
    """What earlier locks hold a resolution to; by itself nothing.

    `kept` gives what is `kept` by a `Selector` for some interpreters; `bind` is called for all that is chosen;
    `archives` are those that are locked, by URL; `missing` is for the `Index`.
    """

    kept: Callable[[tuple[str, ...]], Mapping[str, Distribution]] = _nothing_kept
    bind: Bind = tuple
    archives: Mapping[str, Distribution] = field(default_factory=dict)
    missing: Missing = nothing_missing


@dataclass(frozen=True, kw_only=True)
class BoundResolver:
    """Any resolver, whose pins are bound, and were chosen by what the files say that are vendored of them."""

    resolver: Resolver
    bind: Bind
    reader: MetadataReader

    def resolve(self, request: Request) -> tuple[Pin, ...]:
        """Return the pins, by name; see `Resolver`."""
        while True:
            pins = self.bind(self.resolver.resolve(request))
            if not self.reader.confirm(pins):
                return pins


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """`resolver` prefers what `preference` does, `inner` does not. `files` are those that were fetched for it, by name.

    `closure_for` gives the closure of the builds for one set of interpreters and of all that the project's people say
    of builds: the wheels that serve, and the answers of hooks, depend on them. Crates come from `registry`;
    `reader` knows the metadata of what was looked at.
    """

    index: Index
    resolver: Resolver
    preference: SourcePreference
    inner: IndexResolver
    closure_for: Callable[[tuple[str, ...], Hashable], Closure]
    files: Mapping[str, Path]
    registry: CrateRegistry
    reader: MetadataReader


_FREE = Hold()
_UNCHANGED = Patches()


def create(
    engine: Engine,
    indexes: Indexes,
    fetcher: Fetcher,
    *,
    rules: Mapping[str, Sequence[BinaryRule]],
    platforms: tuple[str, ...],
    building: BuildOptions,
    scratch: Path,
    logs: Path,
    hold: Hold = _FREE,
    patches: Patches = _UNCHANGED,
    refresh: bool = False,
    oldest_rust: Callable[[], str] = str,
) -> Resolution:
    """Return what a run resolves with; `rules` are the binary rules by name, `scratch` and `logs` are for builds.

    `patches` change sources before anything is asked of them. With `refresh`, answers of the indexes from earlier runs
    do not count. `oldest_rust` is for `Crates`.
    """
    index = Index(indexes, refresh=refresh, missing=hold.missing)
    reader = MetadataReader(index=index, fetcher=fetcher, scratch=scratch, binary=rules.keys(), patches=patches)
    inner = IndexResolver(engine=engine, index=index, reader=reader, bind=hold.bind, held=hold.archives)
    preferring = SourcePreference(resolver=inner, index=index, binary=rules.keys())
    resolver = BoundResolver(resolver=preferring, bind=hold.bind, reader=reader)
    fetched: dict[str, Path] = {}
    registry = CrateRegistry(indexes)

    @cache
    def runners_for(pythons: tuple[str, ...]) -> Sequence[HookRunner]:
        return hooks.runners(fetcher, pythons, scratch, building, logs, patches.root)

    def new_closure(pythons: tuple[str, ...], taken: dict[str, Path]) -> Closure:
        selector = Selector(rules=rules, pythons=pythons, platforms=platforms, kept=hold.kept(pythons))
        runners = partial(runners_for, pythons)
        crates = Crates(registry=registry, fetcher=fetcher, platforms=platforms, files=taken, oldest_rust=oldest_rust)
        sources = Sources(
            selector=selector, fetcher=fetcher, reader=reader, runners=runners, crates=crates, files=taken
        )
        return Closure(sets=BuildSets(resolver=resolver, preference=preferring, sources=sources))

    # What builds metadata alone is not vendored.
    inner.build = MetadataBuilder(closure_for=lambda pythons: new_closure(pythons, {})).build
    closure_for = cache(lambda pythons, said_of_builds: new_closure(pythons, fetched))
    return Resolution(
        index=index,
        resolver=resolver,
        preference=preferring,
        inner=inner,
        closure_for=closure_for,
        files=fetched,
        registry=registry,
        reader=reader,
    )
