"""Archives that vendor.txt names by URL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from toolkit.model.core_metadata import CoreMetadata
from toolkit.model.lock import Distribution
from toolkit.model.pins import Pin
from toolkit.network.fetch import Fetcher
from toolkit.project.vendor_txt import ArchiveRule
from toolkit.resolve import archive_identity, catalogue
from toolkit.resolve.engine import Request
from toolkit.resolve.index_resolver import IndexResolver


def fetch(
    rules: Iterable[ArchiveRule], fetcher: Fetcher, held: Mapping[str, Distribution]
) -> Sequence[tuple[Pin, CoreMetadata]]:
    """Fetch the archives of vendor.txt and return them as pins, each with the metadata that it holds.

    `held` are locked archives by URL, whose bytes must not have changed. Raises `UserError`.
    """
    arriving = {rule.url: archive_identity.fetch(rule.url, rule.origin, fetcher, held) for rule in rules}
    return [wait() for wait in arriving.values()]


def with_requirements(
    archives: Sequence[tuple[Pin, CoreMetadata]], resolver: IndexResolver, request: Request
) -> tuple[Mapping[str, Pin], Sequence[str]]:
    """Return the archives as pins, by name, that tell how their requirements became known, and those requirements.

    Where its metadata is not certain of them, a build tells, as of any other sdist. Raises `UserError`.
    """
    asked = [pin for pin, metadata in archives if not metadata.requires_certain]
    built = resolver.build(request, asked) if asked else {}
    pins, requires = {}, list[str]()
    for pin, metadata in archives:
        # A version that PEP 440 does not know was cut, so a build may have another one.
        told = replace(built[pin.key], name=pin.name, version=pin.version) if pin.key in built else metadata
        pins[pin.name] = resolver.with_told(pin, told) if pin.key in built else pin
        requires += catalogue.without_urls(f"{pin.name} {pin.version}", told.requires)
    return pins, requires
