"""One resolution: the engine is shown an index of ours, and what it chooses gets its files and metadata from there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from packaging.requirements import Requirement

from toolkit.core.errors import FinalError, UserError
from toolkit.engines import build_chain, index_server, unsatisfied, uv_errors
from toolkit.engines.catalogue import Catalogue
from toolkit.engines.engine import Engine, RefusedError, Request
from toolkit.engines.pip_tools import PipTools
from toolkit.model.core_metadata import CoreMetadata
from toolkit.model.lock import Distribution
from toolkit.model.names import normalize
from toolkit.model.pins import Pin
from toolkit.network.index_pages import Index
from toolkit.releases import archive_identity
from toolkit.releases.release_metadata import MetadataReader

#: Builds the metadata of releases for a request, by `name==version`.
Build = Callable[[Request, Sequence[Pin]], Mapping[str, CoreMetadata]]


@dataclass(kw_only=True)
class IndexResolver:
    """Resolves with an engine that sees names, versions and metadata, and no file, URL or credential.

    What only a build can tell is told by `build`, of those releases alone that the engine would choose, and that `bind`
    lets pass. `held` are locked archives by their URL.
    """

    engine: Engine
    index: Index
    reader: MetadataReader
    bind: Callable[[Iterable[Pin]], tuple[Pin, ...]]
    held: Mapping[str, Distribution]
    build: Build = field(init=False)

    def resolve(self, request: Request) -> tuple[Pin, ...]:
        """Return the pins, by name; see `Resolver`."""
        request = self.without_urls(request)
        while True:
            found = self._choose(request)
            guessed = [pin for pin in found if (known := self.reader.known(pin)) and known.is_guess]
            try:
                built = self.build(request, self.bind(guessed)) if guessed else {}
            except RefusedError as error:
                raise self._with_chains(error, found, request) from None
            # No short circuit: each has to be learnt.
            if not sum([self.reader.learn(pin, built[pin.key]) for pin in guessed]):
                return tuple(self._with_source(pin) for pin in found)

    def _choose(self, request: Request) -> list[Pin]:
        """Run the engine; with what the indexes have now, when what they had lately does not do."""
        while True:
            catalogue = Catalogue(request=request, index=self.index, reader=self.reader)
            try:
                with index_server.serving(catalogue, hashes=not isinstance(self.engine, PipTools)) as url:
                    chosen = self.engine.choose(request, url)
            except UserError as error:
                failure: UserError | None = error
            else:
                failure = None
            if catalogue.faults:
                # An engine says in its own words what our index has said better.
                raise _final(catalogue.faults[0]) from None
            if not failure:
                try:
                    return [replace(catalogue.pin(item), marker=item.marker) for item in chosen]
                except RefusedError as refused:
                    pins = [catalogue.releases(item.name).get(item.version) for item in chosen]
                    raise self._with_chains(refused, filter(None, pins), request) from None
            if not self.index.refresh():
                raise self._explained(failure, catalogue)

    def _with_chains(self, error: RefusedError, pins: Iterable[Pin], request: Request) -> RefusedError:
        """Return why releases cannot be taken, with what leads to each from a line of the project."""
        known = {pin.key: (pin, self.reader.known(pin)) for pin in pins}
        distributions = {
            key: Distribution(
                name=pin.name, version=pin.version, kind="sdist", files=(), requires=found.requires if found else ()
            )
            for key, (pin, found) in known.items()
        }
        lines = [text for text in reversed(request.requirements) if text in request.origins]
        direct = {Requirement(text).name: f"{request.origins[text]}: {text}" for text in lines}
        chains = {key: " -> ".join(build_chain.find(key, direct, distributions, {})) for key in error.causes}
        return RefusedError({key: build_chain.told(cause, key, chains[key]) for key, cause in error.causes.items()})

    def _explained(self, failure: UserError, catalogue: Catalogue) -> UserError:
        """Return an engine's error, or what it should have said: what is absent, or what nothing satisfies.

        uv says of what is absent, and asked for with an extra, that it has no fitting version.
        """
        for name in catalogue.absent():
            if re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", f"{failure.what} {failure.details}"):
                return uv_errors.absent_error(name, catalogue.request, self.index.indexes, failure.details)
        return unsatisfied.explain(failure, catalogue)

    def _with_source(self, pin: Pin) -> Pin:
        known = self.reader.known(pin)
        return replace(pin, metadata=known.source, requires_sha256=known.requires_sha256) if known else pin

    def without_urls(self, request: Request) -> Request:
        """Return the request with a version in the place of each URL, and with the archives that have these versions.

        Raises `UserError` for an archive that cannot be had, or is not what its line says.
        """
        archives = {name: dict(releases) for name, releases in request.archives.items()}
        names: dict[str, str] = {}
        for text in (*request.requirements, *request.constraints):
            requirement = Requirement(text)
            if requirement.url:
                origin = request.origins.get(text, text)
                pin, _ = archive_identity.fetch(requirement.url, origin, self.reader.fetcher, self.held)()
                _check_archive(requirement, pin, archives.get(pin.name, {}), origin)
                archives.setdefault(pin.name, {})[pin.version] = pin
                extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
                marker = f" ; {requirement.marker}" if requirement.marker else ""
                names[text] = f"{requirement.name}{extras}=={pin.version}{marker}"
        return replace(
            request,
            requirements=tuple(names.get(text, text) for text in request.requirements),
            constraints=tuple(names.get(text, text) for text in request.constraints),
            origins={names.get(text, text): origin for text, origin in request.origins.items()},
            archives=archives,
        )


def _final(fault: Exception) -> Exception:
    """Return the fault of an index as an error that ends all: each further answer might take as long."""
    if isinstance(fault, FinalError) or not isinstance(fault, UserError):
        return fault
    return FinalError(fault.what, fault.hint, fault.details)


def _check_archive(requirement: Requirement, pin: Pin, others: Mapping[str, Pin], origin: str) -> None:
    if normalize(requirement.name) != pin.name:
        raise UserError(
            f"{origin}: {requirement.url} is {pin.name} {pin.version}, not {requirement.name}",
            "the archive is not what its line says: correct the line, or see where the archive came from",
        )
    other = others.get(pin.version)
    if other and other.archive != pin.archive:
        raise UserError(
            f"{origin}: {pin.name} {pin.version} comes from {requirement.url} here, and from another archive elsewhere",
            "use one of them everywhere",
        )
