"""What a registry says of crates, by the sparse protocol."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import http_server
from toolkit.core.errors import UserError
from toolkit.model.crates import CRATES_IO
from toolkit.model.lock import Crate
from toolkit.network.cargo_settings import Registries
from toolkit.network.crate_registry import CrateRegistry
from toolkit.network.fetch import Fetcher
from toolkit.network.index_settings import Indexes

_A, _B = "a" * 64, "b" * 64


class Handler(http_server.Handler):
    site: Site

    def get(self) -> None:
        self.site.asked.append(self.path)
        if target := self.site.elsewhere.get(self.path):
            self.answer(302, {"Location": target}, b"")
            return
        if self.headers.get("Authorization", "") not in (self.site.token, "" if self.path in self.site.open else None):
            self.answer(401, {}, b"")
            return
        body = self.site.pages.get(self.path)
        self.answer(404 if body is None else 200, {}, body or b"")


class Elsewhere(http_server.Handler):
    """A server that has nothing; `seen` are the paths that it was asked for, and with which token."""

    seen: list[tuple[str, str | None]]

    def get(self) -> None:
        self.seen.append((self.path, self.headers.get("Authorization")))
        self.answer(404, {}, b"")


class Site:
    """A registry on loopback: `pages` by path, and the paths that were asked for.

    It answers who sends its `token`, and of what is `open` who sends nothing. Some paths are `elsewhere`.
    """

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.url = self.token = ""
        self.open = {"/config.json"}
        self.elsewhere: dict[str, str] = {}

    def has(self, path: str, *lines: object) -> None:
        self.pages[path] = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)

    def registry(self, token: str = "") -> CrateRegistry:
        tokens = {self.url: token} if token else {}
        return CrateRegistry(Indexes(), lambda: Registries(indexes={CRATES_IO: self.url}, tokens=tokens))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = Site()
    with http_server.serving(Handler, site=found) as server:
        found.url = f"http://127.0.0.1:{server.server_port}/"
        found.has("/config.json", {"dl": f"{found.url}files"})
        yield found


def _line(name: str, version: str, sha256: str = _A, **more: object) -> dict[str, object]:
    return {"name": name, "vers": version, "cksum": sha256, "deps": [], "features": {}, **more}


def _crate(name: str, version: str = "1.0.0", sha256: str = _A) -> Crate:
    return Crate(name=name, version=version, sha256=sha256, source=CRATES_IO)


@pytest.mark.parametrize(
    ("name", "path"),
    [("a", "/1/a"), ("ab", "/2/ab"), ("aBc", "/3/a/abc"), ("Serde_json", "/se/rd/serde_json"), ("x-yz", "/x-/yz/x-yz")],
)
def test_a_page_is_where_the_protocol_has_it(site: Site, name: str, path: str) -> None:
    site.has(path, _line(name, "0.9.0", _B), _line(name, "1.0.0", links="z"))
    assert site.registry().lines([_crate(name)], "me")[f"{name}==1.0.0"]["links"] == "z"


def test_what_is_known_of_a_version_is_not_asked_again(site: Site) -> None:
    site.has("/ru/st/rust", _line("rust", "1.0.0"), _line("rust", "2.0.0", _B))
    first = site.registry().lines([_crate("rust")], "me")
    site.asked.clear()
    assert site.registry().lines([_crate("rust")], "me") == first
    assert site.asked == []


def test_what_is_yanked_is_said_as_long_as_it_is_so(site: Site) -> None:
    crate = _crate("rust")
    site.has("/ru/st/rust", _line("rust", "1.0.0", yanked=True), _line("rust", "2.0.0", _B))
    registry = site.registry()
    assert registry.lines([crate], "me")["rust==1.0.0"]["vers"] == "1.0.0"
    assert registry.has_withdrawn(crate) and not registry.has_withdrawn(_crate("rust", "2.0.0", _B))
    site.has("/ru/st/rust", _line("rust", "1.0.0"))
    again = site.registry()
    again.lines([crate], "me")
    assert not again.has_withdrawn(crate)


def test_a_damaged_entry_of_the_cache_is_asked_for_again(site: Site, tmp_path: Path) -> None:
    site.has("/ru/st/rust", _line("rust", "1.0.0"))
    site.registry().lines([_crate("rust")], "me")
    (kept,) = (tmp_path / "cache").rglob("crates/*.json")
    kept.write_text(json.dumps(_line("other", "1.0.0")))
    assert site.registry().lines([_crate("rust")], "me")["rust==1.0.0"]["name"] == "rust"


def test_another_sha256_than_that_of_cargo_lock_is_an_error(site: Site) -> None:
    site.has("/ru/st/rust", _line("rust", "1.0.0", _B))
    with pytest.raises(
        UserError, match=r"orjson 3: its Cargo.lock has another sha256 of the crate rust 1.0.0"
    ) as caught:
        site.registry().lines([_crate("rust")], "orjson 3")
    assert "before you use either" in caught.value.hint


def test_a_version_that_is_nowhere_is_an_error(site: Site) -> None:
    site.has("/ru/st/rust", _line("rust", "2.0.0"))
    for name in ("rust", "none-such"):
        with pytest.raises(UserError, match=rf"names the crate {name} 1.0.0, which .* does not have"):
            site.registry().lines([_crate(name)], "me")


@pytest.mark.parametrize(
    "line",
    [
        b"<html>",
        b"[]",
        b'"x"',
        _line("../rust", "1.0.0"),
        _line("rust", "../../1.0.0"),
        _line("rust", "1.0.0", "zz"),
        {"name": "rust", "vers": 1, "cksum": _A},
        b"[" * 100_000,
    ],
)
def test_an_answer_that_is_no_index_is_an_error(site: Site, line: object) -> None:
    site.has("/ru/st/rust", line)
    with pytest.raises(UserError, match="is not the index of a registry"):
        site.registry().lines([_crate("rust")], "me")


def test_another_registry_than_the_configured_ones_is_not_asked(site: Site) -> None:
    foreign = Crate(name="rust", version="1.0.0", sha256=_A, source=f"sparse+{site.url}")
    with pytest.raises(UserError, match="cargo is not configured with"):
        site.registry().lines([foreign], "me")
    assert site.asked == []


@pytest.mark.parametrize(
    ("dl", "url"),
    [
        ("https://files.example/api", "https://files.example/api/Ab-c/1.0.0/download"),
        ("https://f.example/{prefix}/{crate}-{version}.crate", "https://f.example/Ab/-c/Ab-c-1.0.0.crate"),
        ("https://f.example/{lowerprefix}/{sha256-checksum}", f"https://f.example/ab/-c/{_A}"),
    ],
)
def test_a_crate_is_where_the_registry_says(site: Site, dl: str, url: str) -> None:
    site.has("/config.json", {"dl": dl})
    file = site.registry().file(_crate("Ab-c"), "me")
    assert (file.name, file.sha256, file.url) == ("Ab-c-1.0.0.crate", _A, url)


@pytest.mark.parametrize("config", [b"", b"[]", {}, {"dl": 5}, {"dl": "file:///etc"}, {"dl": "ftp://f.example"}])
def test_a_configuration_that_says_no_place_is_an_error(site: Site, config: object) -> None:
    site.has("/config.json", config)
    with pytest.raises(UserError, match="is not the index of a registry"):
        site.registry().file(_crate("rust"), "me")


@pytest.mark.parametrize("is_open", [True, False])
def test_a_registry_that_wants_a_token_gets_it_with_every_request(site: Site, is_open: bool, tmp_path: Path) -> None:
    content = b"a crate"
    crate = _crate("rust", sha256=hashlib.sha256(content).hexdigest())
    site.token, site.open = "secret", {"/config.json"} if is_open else set()
    site.has("/config.json", {"dl": f"{site.url}files", "auth-required": True})
    site.has("/ru/st/rust", _line("rust", "1.0.0", crate.sha256))
    site.pages["/files/rust/1.0.0/download"] = content
    with pytest.raises(UserError, match="wants a token for every request") as caught:
        site.registry().lines([crate], "me")
    assert "cargo login" in caught.value.hint
    registry = site.registry("secret")
    assert registry.lines([crate], "me")["rust==1.0.0"]["vers"] == "1.0.0"
    with Fetcher(Indexes(), cache=tmp_path / "files") as fetcher:
        fetched = fetcher.result(registry.submit(crate, "me", fetcher))
    assert fetched.path.read_bytes() == content
    assert "secret" not in registry.file(crate, "me").url


@pytest.mark.parametrize("is_open", [True, False])
def test_a_token_that_a_registry_refuses_is_told_with_what_mends_it(site: Site, is_open: bool) -> None:
    site.token, site.open = "right", {"/config.json"} if is_open else set()
    site.has("/config.json", {"dl": f"{site.url}files", "auth-required": True})
    site.has("/ru/st/rust", _line("rust", "1.0.0"))
    with pytest.raises(UserError, match="refuses the token that cargo has for it") as caught:
        site.registry("wrong").lines([_crate("rust")], "me")
    assert "cargo login" in caught.value.hint
    assert "wrong" not in str(caught.value)


def test_a_token_does_not_follow_a_redirection_to_another_server(site: Site) -> None:
    seen: list[tuple[str, str | None]] = []
    with http_server.serving(Elsewhere, seen=seen) as server:
        site.token, site.open = "secret", set()
        site.elsewhere = {"/ru/st/rust": f"http://127.0.0.1:{server.server_port}/ru/st/rust"}
        site.has("/config.json", {"dl": f"{site.url}files", "auth-required": True})
        with pytest.raises(UserError, match="does not have"):
            site.registry("secret").lines([_crate("rust")], "me")
    assert seen == [("/ru/st/rust", None)]


def test_a_registry_that_wants_no_token_gets_none(site: Site) -> None:
    site.has("/ru/st/rust", _line("rust", "1.0.0"))
    # Whoever sends one is refused.
    assert site.registry("secret").lines([_crate("rust")], "me")
