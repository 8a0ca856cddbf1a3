"""Wheels of locked versions from the index, for a first start in seconds (`--binary`).

The lock holds the hash of each source, not of wheels. What is trusted is this: a wheel is taken only from a place that
also lists the very source that is locked, hash and all, so that nobody else's release of that name and version slips
in; it has to have the hash that the place states for it; and that hash is recorded when it is first seen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from toolkit import plan, session, workers
from toolkit.binary_records import Records
from toolkit.fetch import Fetched, Fetcher
from toolkit.index import Index
from toolkit.indexes import Indexes
from toolkit.interpreter import Interpreter
from toolkit.lock import VendoredFile
from toolkit.plan import Node

_CONNECTIONS = 16


@dataclass(frozen=True, kw_only=True)
class BinaryWheels:
    """Finds and fetches wheels for one interpreter; `hashes` are those of the locked sources, by distribution."""

    indexes: Indexes
    interpreter: Interpreter
    hashes: Mapping[str, str]
    records: Records = field(default_factory=Records)
    _submitting: threading.Lock = field(default_factory=threading.Lock)

    def fetch(self, nodes: Iterable[Node], take: Callable[[Node, Path, str], None]) -> None:
        """Call `take` with the wheel and its sha256 for each node that has a fitting one, from several threads.

        Raises `UserError`, among others for a wheel that is not what it was when it was first seen.
        """
        wanted = list(nodes)
        places = self._places()
        http = session.create(self.indexes, _CONNECTIONS)
        with Fetcher(http, connections=_CONNECTIONS, timeout=self.indexes.timeout) as fetcher:
            def one(node: Node) -> None:
                file = self._find(node, places)
                fetched = self._fetched(file, fetcher) if file else None
                if fetched:
                    take(node, fetched.path, fetched.sha256)

            workers.each(one, wanted, fetcher.stop, _CONNECTIONS)

    def _fetched(self, file: VendoredFile, fetcher: Fetcher) -> Fetched:
        with self._submitting:
            future = fetcher.submit(file)
        return fetcher.result(future)

    def _find(self, node: Node, places: Iterable[Index]) -> VendoredFile | None:
        """Return the best wheel of the first place that has the locked source."""
        for index in places:
            listed = {file.name: file.sha256 for file in index.files(node.name)}
            if listed.get(node.source.name) != self.hashes[node.name]:
                continue
            wheels = {wheel.name: wheel for wheel in index.release(node.name, node.version)[1] if wheel.sha256}
            self.records.remember(node.key, {name: wheel.sha256 for name, wheel in wheels.items()})
            chosen = wheels.get(plan.best_wheel(list(wheels), self.interpreter))
            if chosen:
                return VendoredFile(name=chosen.name, size=chosen.size or 0, sha256=chosen.sha256, url=chosen.url)
        return None

    def _places(self) -> list[Index]:
        """Return each index by itself: what one of them lists says nothing of another's files."""
        none = replace(self.indexes, extra=(), find_links=(), no_index=True)
        return [
            *(Index(replace(none, url=url, no_index=False), _CONNECTIONS) for url in self.indexes.urls),
            *(Index(replace(none, find_links=(place,)), _CONNECTIONS) for place in self.indexes.find_links),
        ]
