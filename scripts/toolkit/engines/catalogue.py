"""What an engine is shown of the indexes for one request: releases, and metadata without anything foreign in it.

A fault of one release must not end an engine that only looked at it in passing. So it is shown as a requirement of that
release, for a distribution that does not exist anywhere else, and counts when that is among what was chosen.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from toolkit.core.errors import FinalError, UserError
from toolkit.core.foreign_text import quoted
from toolkit.engines.engine import RefusedError, Request
from toolkit.engines.index_server import Offer
from toolkit.model import requirement_texts, tags
from toolkit.model.names import normalize
from toolkit.model.pins import Pin, Pinned, RemoteFile
from toolkit.network.index_pages import Index, by_kind, cutoff, is_before
from toolkit.network.retry import UnreachableError
from toolkit.releases.release_metadata import MetadataReader

Result = TypeVar("Result")

_REFUSAL = "refused-by-python-common-"
#: Newer than any: satisfies every requirement of a distribution of the project that has no version.
_ANY_VERSION = "99999"
#: Characters of a text that is no requirement, and yet may be one of old to an engine.
_LONGEST = 200


@dataclass(kw_only=True)
class Catalogue:
    """The releases that count for a request; see `Shelf`. What is provided has one, without requirements.

    `faults` are those of whole indexes, of which no engine can know what they would have changed. After the first one
    nothing is asked for any more: a server that does not answer takes minutes each time.
    """

    request: Request
    index: Index
    reader: MetadataReader
    faults: list[Exception] = field(default_factory=list)
    _refusals: dict[str, UserError] = field(default_factory=dict)
    _releases: dict[str, Mapping[str, Pin]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def offers(self, name: str) -> Sequence[Offer]:
        """Return the releases of a distribution."""
        if name in self._refusals or name in self.request.provided:
            return [Offer(version=self.request.provided.get(name) or _ANY_VERSION)]
        return self._noted(lambda: [_offer(pin) for pin in self.releases(name).values()], [])

    def metadata(self, name: str, version: str) -> str:
        """Return the core metadata of a release, with one requirement a line."""
        if name in self._refusals or name in self.request.provided:
            return _text(name, version, "", ())
        pin = self._noted(lambda: self.releases(name).get(version), None)
        return self._noted(lambda: self._metadata(pin), "") if pin else ""

    def releases(self, name: str) -> Mapping[str, Pin]:
        """Return the releases of a distribution, by version, each with its files. Raises `UserError`."""
        if name in self.request.archives:
            return self.request.archives[name]
        if name not in self._releases:
            limit = cutoff(self.request.exclude_newer)
            found = {}
            for version, listed in self.index.releases(name).items():
                sdist, wheels = by_kind(file for file in listed if is_before(file, limit))
                pin = Pin(name=name, version=str(version), sdist=sdist, wheels=wheels)
                if sdist or self._fitting(pin):
                    found[pin.version] = pin
            self._releases[name] = found
        return self._releases[name]

    def absent(self) -> list[str]:
        """Return the names that the engine has looked up, and of which no index has any file."""
        return [name for name, found in self._releases.items() if not found and not self.index.files(name)]

    def shown(self, name: str) -> Sequence[str]:
        """Return the versions of a distribution that the engine has looked up."""
        return tuple(self._releases.get(name, ()))

    def pin(self, chosen: Pinned) -> Pin:
        """Return what an engine has chosen, with its files. Raises `UserError` for a release with a fault."""
        if chosen.name in self._refusals:
            raise self._refusals[chosen.name]
        return self.releases(chosen.name)[chosen.version]

    def _noted(self, find: Callable[[], Result], nothing: Result) -> Result:
        if self.faults:
            return nothing
        try:
            return find()
        # No thread of a server may end by an exception: it is raised where the engine was started.
        except Exception as error:
            self.faults.append(error)
            return nothing

    def _metadata(self, pin: Pin) -> str:
        try:
            found = self.reader.read(pin, self._fitting(pin))
        except UnreachableError:
            raise
        except UserError as error:
            return _text(pin.name, pin.version, "", [self._refused(error, pin)])
        lines = [self._line(text, pin) for text in found.requires]
        return _text(pin.name, pin.version, _specifier(found.requires_python), lines)

    def _line(self, text: str, pin: Pin) -> str:
        """Return a requirement as the engine gets it: never a URL, which it would fetch."""
        try:
            requirement = requirement_texts.required(text, f"{pin.name} {pin.version}")
        except UserError as error:
            # An engine has its own ways with some old metadata.
            is_harmless = len(text) <= _LONGEST and not re.search(r"[@:/\\]", text)
            return text if is_harmless else self._refused(error, pin)
        if requirement.url:
            name = normalize(requirement.name)
            if name not in self.request.archives and name not in self.request.provided:
                marker = f" ; {requirement.marker}" if requirement.marker else ""
                return f"{self._refused(url_error(f'{pin.name} {pin.version}', text), pin)}{marker}"
            requirement.url = None
        return str(requirement)

    def _refused(self, error: UserError, pin: Pin) -> str:
        """Return the name of a distribution that stands for an error."""
        with self._lock:
            name = f"{_REFUSAL}{len(self._refusals)}"
            self._refusals[name] = error if isinstance(error, FinalError) else RefusedError({pin.key: error})
        return name

    def _fitting(self, pin: Pin) -> list[RemoteFile]:
        """Return the wheels of a release that a target may take, those for all machines first."""
        fitting = (file for file in pin.wheels if tags.is_for(file.name, self.request.targets.pythons))
        return sorted(fitting, key=lambda file: (not file.name.endswith("-none-any.whl"), file.name))


def url_error(who: str, text: str) -> UserError:
    """Return the error to raise for somebody's requirement that is a URL, or one of version control."""
    return UserError(
        f"{who} requires {quoted(text)}: a URL, from which nobody but the project itself may take anything",
        "use another version of it, or leave it out: what it would fetch, nobody has reviewed",
    )


def _offer(pin: Pin) -> Offer:
    listed = [*pin.wheels, *filter(None, (pin.sdist, pin.archive))]
    # Hardly ever do they differ; one that any file fits is not left out.
    pythons = {_specifier(file.requires_python) for file in listed}
    return Offer(
        version=pin.version,
        requires_python="" if "" in pythons else min(pythons),
        yanked=all(file.yanked for file in listed),
    )


def _specifier(text: str) -> str:
    """Return a specifier of versions of Python on one line; nothing where there is something else."""
    return text if re.fullmatch(r"[0-9A-Za-z.*+!<>=~, -]*", text) else ""


def _text(name: str, version: str, requires_python: str, requires: Iterable[str]) -> str:
    lines = [" ".join(text.split()) for text in requires]
    extras = sorted(requirement_texts.extras(lines))
    fields = [("Metadata-Version", "2.1"), ("Name", name), ("Version", version)]
    fields += [("Requires-Python", requires_python)] if requires_python else []
    fields += [("Provides-Extra", extra) for extra in extras]
    fields += [("Requires-Dist", line) for line in lines]
    return "".join(f"{key}: {value}\n" for key, value in fields)
