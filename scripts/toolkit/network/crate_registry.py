"""What registries say of crates, by the sparse protocol, and where the crates are.

https://doc.rust-lang.org/cargo/reference/registry-index.html
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import requests

from toolkit.core import documents, files, threads
from toolkit.core.documents import Table
from toolkit.core.errors import UserError
from toolkit.model import crates
from toolkit.model.lock import Crate, VendoredFile
from toolkit.model.pins import SHA256
from toolkit.network import cargo_settings, http, retry
from toolkit.network.cargo_settings import Registries
from toolkit.network.fetch import Fetched, Fetcher
from toolkit.network.index_options import shown
from toolkit.network.index_settings import Indexes

#: At once, to all registries.
CONNECTIONS = 16
#: Bytes. The longest of them has some 10 MB.
_LONGEST_PAGE, _LONGEST_CONFIG = 64 << 20, 1 << 20
_TOKEN = "Authorization"
#: What a registry answers to a token that does not serve.
_REFUSED = (401, 403)
_HINT = "see that cargo's configuration (`registries`, `source`) names a registry with a sparse index"
_LOGIN = (
    "run `cargo login --registry NAME`, by the name that cargo's configuration gives it, or set the variable "
    "CARGO_REGISTRIES_<NAME>_TOKEN"
)

#: A line of an index, as JSON has it.
Line = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Config:
    """The template for the URLs of a registry's crates, and the headers that it wants with every request."""

    download: str
    headers: Mapping[str, str] = field(repr=False)


class CrateRegistry:
    """All registries that cargo is configured with, asked through pip's settings for HTTP. Many threads may ask.

    What is said of a version with a certain sha256 does not change, so it is kept between runs. `read_registries` is
    called when there is a crate.
    """

    def __init__(self, indexes: Indexes, read_registries: Callable[[], Registries] = cargo_settings.read) -> None:
        self._indexes, self._read_registries = indexes, read_registries
        self._session = http.create(indexes, CONNECTIONS)
        self._pages: dict[str, _Page] = {}
        self._configs: dict[str, _Config] = {}
        self._withdrawn: set[tuple[str, str]] = set()
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    @cached_property
    def _registries(self) -> Registries:
        return self._read_registries()

    def lines(self, crates: Iterable[Crate], who: str) -> dict[str, Line]:
        """Return what the registries say of crates, by key; `who` names the crates. Raises `UserError`.

        Also where a registry has another sha256 of one: then it is not the crate that Cargo.lock means.
        """
        listed = list(crates)
        # Who is asked is checked before anybody is.
        for source in dict.fromkeys(crate.source for crate in listed):
            self._registries.index(source, who)
        found = threads.ask_each(lambda crate: self._line(crate, who), listed, CONNECTIONS)
        self._withdrawn |= {
            (crate.source, crate.key) for crate, line in zip(listed, found, strict=True) if _is_yanked(line)
        }
        return {crate.key: line for crate, line in zip(listed, found, strict=True)}

    def has_withdrawn(self, crate: Crate) -> bool:
        """Tell whether a crate that was asked for is yanked: it is for those who have it in a Cargo.lock."""
        return (crate.source, crate.key) in self._withdrawn

    def address(self, source: str, who: str) -> str:
        """Return where a registry's index is, as people may read it. Raises `UserError` as `Registries.index` does."""
        return shown(self._registries.index(source, who))

    def releases(self, name: str, source: str, who: str) -> tuple[Line, ...]:
        """Return all versions that a registry has of a crate, none where it has no such crate. Raises `UserError`."""
        return tuple(self._page(name, source, who).lines())

    def _page(self, name: str, source: str, who: str) -> _Page:
        index = self._registries.index(source, who)
        url = index + _path(name)
        with self._locks[url]:
            if url not in self._pages:
                headers = self._config(index).headers
                self._pages[url] = retry.get(
                    self._session,
                    url,
                    _read_page,
                    timeout=self._indexes.timeout,
                    absent=_Page(),
                    headers=headers,
                    accepted=(200, *_REFUSED) if headers else (200,),
                )
            return self._pages[url]

    def submit(self, crate: Crate, who: str, fetcher: Fetcher) -> Future[Fetched]:
        """Begin to fetch a crate. Raises `UserError`."""
        config = self._config(self._registries.index(crate.source, who))
        return fetcher.submit(self.file(crate, who), config.headers)

    def file(self, crate: Crate, who: str) -> VendoredFile:
        """Return a crate as a file to fetch, whose size is not known. Raises `UserError`."""
        name, version, path = crate.name, crate.version, _path(crate.name)
        url = self._config(self._registries.index(crate.source, who)).download
        if "{" not in url:
            url += "/{crate}/{version}/download"
        values = {
            "{crate}": name,
            "{version}": version,
            "{prefix}": _prefix(name),
            "{lowerprefix}": path.rpartition("/")[0],
            "{sha256-checksum}": crate.sha256,
        }
        for word, value in values.items():
            url = url.replace(word, value)
        return VendoredFile(name=f"{name}-{version}.crate", size=0, sha256=crate.sha256, url=url)

    def _line(self, crate: Crate, who: str) -> Line:
        index = self._registries.index(crate.source, who)
        key = hashlib.sha256("\0".join((index, crate.key, crate.sha256)).encode()).hexdigest()
        kept = files.cache_root() / "crates" / f"{key}.json"
        # A version that was yanked may not be so any more.
        if (found := _kept(kept, crate)) is not None and not _is_yanked(found):
            return found
        for line in self._page(crate.name, crate.source, who).likely(crate.version):
            if line["name"] == crate.name and line["vers"] == crate.version:
                if line["cksum"] != crate.sha256:
                    raise UserError(
                        f"{who}: its Cargo.lock has another sha256 of the crate {crate.name} {crate.version} "
                        f"({crate.sha256}) than {shown(index)} ({line['cksum']})",
                        "a version keeps its file, so one of the two is not what it says: find out which, before you "
                        "use either",
                    )
                kept.parent.mkdir(parents=True, exist_ok=True)
                files.write_atomic(kept, json.dumps(line), 0o600)
                return line
        raise UserError(
            f"{who}: its Cargo.lock names the crate {crate.name} {crate.version}, which {shown(index)} does not have",
            "choose another version of the distribution, or see that cargo's configuration names the right registry",
        )

    def _config(self, index: str) -> _Config:
        """Return what a registry says of itself."""
        with self._locks[index]:
            if index not in self._configs:
                # As cargo does: the token is for registries that ask for one.
                found = self._ask_config(index, {}, (200, 401))
                if not found:
                    found = self._ask_config(index, {_TOKEN: self._registries.tokens[index]}, (200, *_REFUSED))
                if not found:
                    raise _refused_token(index)
                self._configs[index] = found
            return self._configs[index]

    def _ask_config(self, index: str, headers: Mapping[str, str], accepted: Collection[int]) -> _Config | None:
        """Return what a registry says of itself, None where it says that to nobody without a token."""
        url = f"{index}config.json"
        read = partial(self._read_config, index)
        return retry.get(self._session, url, read, timeout=self._indexes.timeout, headers=headers, accepted=accepted)

    def _read_config(self, index: str, answer: requests.Response) -> _Config | None:
        token = self._registries.tokens.get(index, "")
        try:
            closed = answer.status_code in _REFUSED
            config = Table({} if closed else documents.json_value(retry.content(answer, _LONGEST_CONFIG)))
            asks = closed or bool(config.content.get("auth-required"))
            if asks and not token:
                raise UserError(
                    f"{shown(answer.url)}: this registry wants a token for every request, and cargo has none for it",
                    _LOGIN,
                )
            if closed:
                return None
            url = config.text("dl")
        except ValueError:
            raise _no_registry(answer.url) from None
        if not url.startswith(("https://", "http://")):
            raise _no_registry(answer.url)
        if answer.url.startswith("https://") and not self._indexes.protects(url):
            raise UserError(
                f"{shown(answer.url)} looks like an attack: it gives {shown(url)} as the address of its crates",
                "do not use this registry before its keepers have looked at it",
            )
        return _Config(download=url, headers={_TOKEN: token} if asks else {})


def _kept(path: Path, crate: Crate) -> Line | None:
    try:
        line = _checked(documents.json_value(path.read_bytes()))
    except (OSError, ValueError):
        return None
    is_same = (line["name"], line["vers"], line["cksum"]) == (crate.name, crate.version, crate.sha256)
    return line if is_same else None


def _is_yanked(line: Line) -> bool:
    return line.get("yanked") is True


@dataclass(frozen=True)
class _Page:
    """What an index has of a crate, a line a version: few of the hundreds that some have need to be parsed."""

    url: str = ""
    content: bytes = b""

    def lines(self, text: bytes = b"") -> Iterator[Line]:
        """Yield the lines with a text in them. Raises `UserError` for one that is none of an index."""
        for line in filter(None, map(bytes.strip, self.content.splitlines())):
            if text in line:
                try:
                    yield _checked(documents.json_value(line))
                except ValueError:
                    raise _no_registry(self.url) from None

    def likely(self, version: str) -> tuple[Line, ...]:
        """Return the lines that may be of a version; all, where none has it spelled so."""
        return tuple(self.lines(f'"{version}"'.encode())) or tuple(self.lines())


def _read_page(answer: requests.Response) -> _Page:
    if answer.status_code in _REFUSED:
        raise _refused_token(answer.url)
    return _Page(answer.url, retry.content(answer, _LONGEST_PAGE))


def _checked(line: object) -> Line:
    """Return a line that says which crate it is of. Raises `ValueError` for others."""
    table = Table(line)  # type: ignore[arg-type]
    table.text("name", form=crates.NAME)
    table.text("vers", form=crates.VERSION)
    table.text("cksum", form=SHA256)
    return table.content


def _refused_token(url: str) -> UserError:
    return UserError(f"{shown(url)}: this registry refuses the token that cargo has for it", _LOGIN)


def _no_registry(url: str) -> UserError:
    return UserError(f"{shown(url)} answers with something that is not the index of a registry", _HINT)


def _prefix(name: str) -> str:
    return str(len(name)) if len(name) < 3 else f"3/{name[0]}" if len(name) == 3 else f"{name[:2]}/{name[2:4]}"


def _path(name: str) -> str:
    """Return where the page of a crate is in an index."""
    return f"{_prefix(name.lower())}/{name.lower()}"
