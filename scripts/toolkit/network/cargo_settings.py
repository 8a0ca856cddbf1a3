"""The registries that cargo is configured with: its files and variables, as far as they say where crates come from.

https://doc.rust-lang.org/cargo/reference/config.html, https://doc.rust-lang.org/cargo/reference/source-replacement.html
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.core import documents
from toolkit.core.documents import Table
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import quoted
from toolkit.core.secrets import without_credentials
from toolkit.model.crates import CRATES_IO

_SPARSE = "sparse+"
#: cargo's own, where nothing is configured: https://doc.rust-lang.org/cargo/reference/registries.html
_DEFAULT = f"{_SPARSE}https://index.crates.io/"
_OWN = "crates-io"


@dataclass(frozen=True, kw_only=True)
class Registries:
    """The URL of the sparse index of each registry, with a slash at its end, by `source` as Cargo.lock spells it."""

    indexes: Mapping[str, str] = field(default_factory=dict)

    def index(self, source: str, who: str) -> str:
        """Return the index of a registry that a Cargo.lock names. Raises `UserError` for one that is not configured.

        Who wrote the Cargo.lock does not choose which servers are asked.
        """
        try:
            return self.indexes[source]
        except KeyError:
            raise UserError(
                f"{who}: it takes crates from the registry {quoted(without_credentials(source))}, which cargo is not "
                "configured with",
                "if you trust this registry, name it in ~/.cargo/config.toml: `[registries.NAME]`, `index = ...`",
            ) from None


def read(directory: Path | None = None, environment: Mapping[str, str] = os.environ) -> Registries:
    """Return the registries that cargo is configured with in a directory, by itself this one. Raises `UserError`."""
    sources: dict[str, tuple[Table, Path]] = {}
    registries: dict[str, str] = {}
    for path in _files((directory or Path()).absolute(), environment):
        try:
            content = Table(documents.toml(path.read_bytes()))
            found = content.table("source", {})
            # The nearest file comes first, and counts.
            for name in found.content:
                sources.setdefault(name, (found.table(name), path))
            named = content.table("registries", {})
            for name in named.content:
                registries.setdefault(name, named.table(name).text("index", ""))
        except (ValueError, OSError) as error:
            raise UserError(f"{path}: cargo's configuration cannot be read: {error}", "correct the file") from None
    for name, value in environment.items():
        if name.startswith("CARGO_REGISTRIES_") and name.endswith("_INDEX"):
            registries[name.removeprefix("CARGO_REGISTRIES_").removesuffix("_INDEX").lower().replace("_", "-")] = value
    indexes = {CRATES_IO: _followed(_OWN, sources, registries)}
    for name, url in registries.items():
        if url.startswith(_SPARSE):
            indexes[url] = _followed(name, sources, registries)
    return Registries(indexes={source: _sparse(url, source) for source, url in indexes.items()})


def _files(directory: Path, environment: Mapping[str, str]) -> Iterator[Path]:
    home = Path(environment.get("CARGO_HOME") or os.path.expanduser("~/.cargo"))
    for place in dict.fromkeys((*(path / ".cargo" for path in (directory, *directory.parents)), home)):
        # The older name counts first, where both are there.
        for name in ("config", "config.toml"):
            if (place / name).is_file():
                yield place / name
                break


def _followed(name: str, sources: Mapping[str, tuple[Table, Path]], registries: Mapping[str, str]) -> str:
    """Return the URL that a source, or what it is replaced with, has in the end."""
    seen = [name]
    while name in sources:
        table, path = sources[name]
        try:
            other, url = table.text("replace-with", ""), table.text("registry", "")
        except ValueError as error:
            raise UserError(f"{path}: {error}", "correct the file") from None
        if not other:
            if url or name in (_OWN, *registries):
                return url or registries.get(name, _DEFAULT)
            raise UserError(
                f"{path}: [source.{name}] is no registry, so no crates can be fetched from it",
                'name a registry with a sparse index: `registry = "sparse+https://..."`',
            )
        if other in seen:
            raise UserError(f"{path}: source.{other} is replaced with itself", "correct `replace-with`")
        seen.append(other)
        name = other
    return registries.get(name, "") or _DEFAULT


def _sparse(url: str, source: str) -> str:
    if not url.startswith((f"{_SPARSE}https://", f"{_SPARSE}http://")) or not url.isprintable():
        raise UserError(
            f"cargo's configuration: the registry {quoted(without_credentials(url or source))} has no sparse index",
            "name the URL of its sparse index: `sparse+https://.../`",
        )
    return url.removeprefix(_SPARSE).rstrip("/") + "/"
