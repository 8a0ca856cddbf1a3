"""The registries that cargo is configured with: its files and variables, as far as they say where crates come from.

https://doc.rust-lang.org/cargo/reference/config.html, https://doc.rust-lang.org/cargo/reference/source-replacement.html
"""

from __future__ import annotations

import os
import re
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
_VARIABLE = re.compile(r"CARGO_REGISTRIES_(?P<name>.+)_(?P<what>INDEX|TOKEN)")


@dataclass(frozen=True, kw_only=True)
class Registries:
    """The URL of the sparse index of each registry, with a slash at its end, by `source` as Cargo.lock spells it.

    `tokens` are those that registries have given, by the URL.
    """

    indexes: Mapping[str, str] = field(default_factory=dict)
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)

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


@dataclass(kw_only=True)
class _Found:
    """What files and variables say, by the names of sources and registries; what was found first counts."""

    sources: dict[str, tuple[Table, Path]] = field(default_factory=dict)
    registries: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def take_file(self, path: Path) -> None:
        """Take in a file. Raises `ValueError`, `OSError`."""
        content = Table(documents.toml(path.read_bytes()))
        found = content.table("source", {})
        for name in found.content:
            self.sources.setdefault(name, (found.table(name), path))
        named = content.table("registries", {})
        for name in named.content:
            table = named.table(name)
            if "index" in table.content:
                self.registries.setdefault(name, table.text("index"))
            if "token" in table.content:
                self.tokens.setdefault(name, _token(table.text("token"), str(path)))

    def take_variables(self, environment: Mapping[str, str]) -> None:
        """Take in variables, which count before all files."""
        for variable, value in environment.items():
            if match := _VARIABLE.fullmatch(variable):
                name = match["name"].lower().replace("_", "-")
                if match["what"] == "INDEX":
                    self.registries[name] = value
                else:
                    self.tokens[name] = _token(value, variable)


def read(directory: Path | None = None, environment: Mapping[str, str] = os.environ) -> Registries:
    """Return the registries that cargo is configured with in a directory, by itself this one. Raises `UserError`.

    Tokens are those that cargo keeps in files or variables, by its provider `cargo:token`.
    https://doc.rust-lang.org/cargo/reference/registry-authentication.html
    """
    found = _Found()
    for path in _files((directory or Path()).absolute(), environment):
        try:
            # The nearest file comes first.
            found.take_file(path)
        except (ValueError, OSError) as error:
            raise UserError(f"{path}: cargo's configuration cannot be read: {error}", "correct the file") from None
    found.take_variables(environment)
    sources, registries = found.sources, found.registries
    indexes = {CRATES_IO: _followed(_OWN, sources, registries)}
    for name, url in registries.items():
        if url.startswith(_SPARSE):
            indexes[url] = _followed(name, sources, registries)
    return Registries(
        indexes={source: _sparse(url, source) for source, url in indexes.items()},
        tokens={_sparse(registries[name], name): token for name, token in found.tokens.items() if name in registries},
    )


def _token(value: str, where: str) -> str:
    """Return a token, which becomes the value of a header. Raises `UserError` that does not show it."""
    if not (value.isascii() and value.isprintable()):
        raise UserError(f"{where}: a registry's token in it is no text of one line", "write it there again")
    return value


def _files(directory: Path, environment: Mapping[str, str]) -> Iterator[Path]:
    home = Path(environment.get("CARGO_HOME") or os.path.expanduser("~/.cargo"))
    for place in dict.fromkeys((*(path / ".cargo" for path in (directory, *directory.parents)), home)):
        # The older name counts first, where both are there. Tokens are a file of their own, beside the user's.
        for stem in ("credentials", "config") if place == home else ("config",):
            for name in (stem, f"{stem}.toml"):
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
