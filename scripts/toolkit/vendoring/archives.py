"""Archives that vendor.txt names by URL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from toolkit.model.lock import Distribution
from toolkit.model.pins import Pin
from toolkit.network.fetch import Fetcher
from toolkit.releases import archive_identity
from toolkit.requirements.vendor_txt import ArchiveRule


def fetch(
    rules: Iterable[ArchiveRule], fetcher: Fetcher, held: Mapping[str, Distribution]
) -> Sequence[tuple[Pin, str]]:
    """Fetch the archives of vendor.txt and return them as pins, each with the place of its line.

    `held` are locked archives by URL, whose bytes must not have changed. Raises `UserError`.
    """
    arriving = {rule: archive_identity.fetch(rule.url, rule.origin, fetcher, held) for rule in rules}
    return [(wait()[0], rule.origin) for rule, wait in arriving.items()]
