"""Files fetched side by side, as verbs do."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import as_completed
from pathlib import Path

from toolkit.model.lock import VendoredFile
from toolkit.network.fetch import Fetched, Fetcher
from toolkit.network.index_settings import Indexes


def fetch(
    requested: Sequence[VendoredFile], indexes: Indexes, *, cache: Path, connections: int = 16
) -> dict[str, Fetched]:
    """Return each file by its name. The first error stops the rest."""
    with Fetcher(indexes, cache=cache, connections=connections) as fetcher:
        names = {fetcher.submit(file): file.name for file in requested}
        for future in as_completed(names):
            future.result()
    return {name: future.result() for future, name in names.items()}
