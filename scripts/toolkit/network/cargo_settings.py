"""The registries that cargo is configured with: its files and variables, as far as they say where crates come from.

https://doc.rust-lang.org/cargo/reference/config.html, https://doc.rust-lang.org/cargo/reference/source-replacement.html
"""

from __future__ import annotations

import json
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

_SPARSE, _GIT = "sparse+", "registry+"
#: cargo's own, where nothing is configured: https://doc.rust-lang.org/cargo/reference/registries.html
_DEFAULT = f"{_SPARSE}https://index.crates.io/"
_OWN = "crates-io"
_VARIABLE = re.compile(r"CARGO_REGISTRIES_(?P<name>.+)_(?P<what>INDEX|TOKEN)")


@dataclass(frozen=True, kw_only=True)
class Registries:
    """The URL of the sparse index of each registry, with a slash at its end, by `source` as Cargo.lock spells it.

    What is wrong with the settings of one is in `faults`; that is for who asks for it. `tokens` are those that
    registries have given, by the URL.
    """

    indexes: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, UserError] = field(default_factory=dict)
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)

    def index(self, source: str, who: str) -> str:
        """Return the index of a registry that a Cargo.lock names. Raises `UserError` for one that is not configured.

        Who wrote the Cargo.lock does not choose which servers are asked.
        """
        spelled, told = source.rstrip("/"), without_credentials(source)
        if spelled in self.faults:
            raise self.faults[spelled]
        if spelled in self.indexes:
            return self.indexes[spelled]
        what = f"{who}: it takes crates from the registry {quoted(told)}"
        if source.startswith(_GIT):
            raise UserError(
                f"{what}, a git repository, and crates are fetched by the sparse protocol alone",
                "if you trust this registry, name what has its crates by that protocol in ~/.cargo/config.toml: "
                f"`[source.NAME]`, `registry = {json.dumps(told.removeprefix(_GIT))}`, `replace-with = ...`",
            )
        raise UserError(
            f"{what}, which cargo is not configured with",
            "if you trust this registry, name it in ~/.cargo/config.toml: `[registries.NAME]`, `index = ...`",
        )


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
                self.tokens.setdefault(name, _token(table.content["token"], str(path)))

    def take_variables(self, environment: Mapping[str, str]) -> None:
        """Take in variables, which count before all files; in theirs there is no telling `-` from `_`, or a from A."""
        spelled = {name.upper().replace("-", "_"): name for name in (*self.tokens, *self.sources, *self.registries)}
        for variable, value in environment.items():
            if match := _VARIABLE.fullmatch(variable):
                name = spelled.get(match["name"]) or match["name"].lower().replace("_", "-")
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
    indexes, faults = {}, {}
    # Cargo's own comes last, as another source may have its URL.
    for name, url in (*_urls(found).items(), (_OWN, "")):
        source = _spelled(url) if url else CRATES_IO
        try:
            target = _followed(name, found)
            if target.startswith(_SPARSE) or name == _OWN:
                indexes[source] = _sparse(target, url)
        except UserError as error:
            faults[source] = error
    urls = {name: found.registries.get(name, "") for name in found.tokens}
    tokens = {_sparse(url, name): found.tokens[name] for name, url in urls.items() if url.startswith(_SPARSE)}
    return Registries(indexes=indexes, faults=faults, tokens=tokens)


def _urls(found: _Found) -> dict[str, str]:
    """Return the URL of each registry by its name; one that another stands in for comes after its other names."""
    sources = {name: _url(table, path) for name, (table, path) in found.sources.items() if name != _OWN}
    return {**found.registries, **{name: url for name, url in sources.items() if url}}


def _spelled(url: str) -> str:
    """Return a registry as Cargo.lock spells it, without the slash that may be at its end."""
    return (url if url.startswith(_SPARSE) else f"{_GIT}{url}").rstrip("/")


def _token(value: object, where: str) -> str:
    """Return a token, which becomes the value of a header. Raises `UserError` that does not show it."""
    if not (isinstance(value, str) and value.isascii() and value.isprintable()):
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


def _followed(name: str, found: _Found) -> str:
    """Return the URL that a source, or what it is replaced with, has in the end."""
    seen = [name]
    while name in found.sources:
        table, path = found.sources[name]
        try:
            other = table.text("replace-with", "")
        except ValueError as error:
            raise UserError(f"{path}: {error}", "correct the file") from None
        if not other:
            break
        if other in seen:
            raise UserError(f"{path}: source.{other} is replaced with itself", "correct `replace-with`")
        if other not in found.sources and other not in found.registries and other != _OWN:
            raise UserError(
                f"{path}: source.{name} is replaced with {quoted(other)}, which is no source and no registry",
                "correct `replace-with`",
            )
        seen.append(other)
        name = other
    table, path = found.sources.get(name, (Table({}), Path()))
    url = _url(table, path) or found.registries.get(name, "") or (_DEFAULT if name == _OWN else "")
    if not url:
        raise UserError(
            f"{path}: [source.{name}] is no registry, so no crates can be fetched from it",
            'name a registry with a sparse index: `registry = "sparse+https://..."`',
        )
    return url


def _url(table: Table, path: Path) -> str:
    """Return the URL of a source that is a registry, empty for another one."""
    try:
        return table.text("registry", "")
    except ValueError as error:
        raise UserError(f"{path}: {error}", "correct the file") from None


def _sparse(url: str, source: str) -> str:
    if not url.startswith((f"{_SPARSE}https://", f"{_SPARSE}http://")) or not url.isprintable():
        raise UserError(
            f"cargo's configuration: the registry {quoted(without_credentials(url or source))} has no sparse index",
            "name the URL of its sparse index: `sparse+https://.../`",
        )
    return url.removeprefix(_SPARSE).rstrip("/") + "/"
