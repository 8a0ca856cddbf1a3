"""Which wheels an index had for a locked version when it was first asked, so that none is replaced unnoticed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolkit import files, ui


@dataclass(frozen=True)
class Records:
    """A directory with one file for each version: the sha256 of its wheels by their names."""

    directory: Path = field(default_factory=lambda: files.cache_root() / "binary")

    def read(self, key: str) -> dict[str, str]:
        """Return the wheels of `name==version`; none when it was not seen before."""
        try:
            return dict(json.loads(self._path(key).read_bytes()))
        except (OSError, ValueError):
            return {}

    def remember(self, key: str, listed: Mapping[str, str]) -> None:
        """Record what an index lists now. Raises `UserError` for a wheel that is not what it was."""
        record = self.read(key)
        for name, sha256 in listed.items():
            if record.setdefault(name, sha256) != sha256:
                raise ui.UserError(
                    f"{name}: the index says sha256 {sha256} now, and said {record[name]} when it was first asked",
                    "find out why before anything else: without --binary it is built from vendor/, and "
                    f"{self._path(key)} is the record")
        self.directory.mkdir(parents=True, exist_ok=True)
        files.write_atomic(self._path(key), json.dumps(record, indent=1, sort_keys=True))

    def _path(self, key: str) -> Path:
        return self.directory / f"{key}.json"
