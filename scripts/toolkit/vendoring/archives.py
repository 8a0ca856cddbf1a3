"""Archives that vendor.txt names by URL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from toolkit.model.lock import Distribution
from toolkit.model.pins import Pin
from toolkit.network.fetch import Fetcher
from toolkit.project.vendor_txt import ArchiveRule
from toolkit.resolve import archive_identity, catalogue


def fetch(
    rules: Iterable[ArchiveRule], fetcher: Fetcher, held: Mapping[str, Distribution]
) -> dict[Pin, tuple[str, ...]]:
    """Fetch the archives of vendor.txt and return them as pins, with the requirements that each certainly has.

    `held` are locked archives by URL, whose bytes must not have changed. Raises `UserError`.
    """
    arriving = {rule.url: archive_identity.fetch(rule.url, rule.origin, fetcher, held) for rule in rules}
    found = {}
    for wait in arriving.values():
        pin, metadata = wait()
        requires = catalogue.without_urls(f"{pin.name} {pin.version}", metadata.requires)
        found[pin] = tuple(requires) if metadata.requires_certain else ()
    return found
