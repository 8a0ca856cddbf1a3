"""The lock says which index each distribution came from, and no credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration import sdists
from tests.integration.local_index import LocalIndex, serving
from tests.integration.workshop import Workshop


def indexes(shop: Workshop) -> dict[str, str]:
    """Return the index of each locked distribution, by its name."""
    return {distribution.name: distribution.index for distribution in shop.lock().distributions()}


@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
def test_each_distribution_has_its_index(shop: Workshop, index: LocalIndex, resolver: str) -> None:
    with serving(credentials="user:s3cret") as second:
        sdists.publish(index, "one", "1.0")
        sdists.publish(index, "tool", "1.0")
        sdists.publish(second, "two", "1.0", build_requires=["tool"])
        shop.service("app", "one", "two")
        options = ("--extra-index-url", f"{second.with_credentials()}/", "--resolver", resolver)
        assert shop.vendor(*options).status == 0
        assert indexes(shop) == {"one": index.url, "two": second.url, "tool": index.url}
        assert not any(b"s3cret" in content for content in shop.vendored().values())


@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
def test_a_directory_is_no_index(
    shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resolver: str
) -> None:
    links = tmp_path / "links"
    links.mkdir()
    (links / "one-1.0.tar.gz").write_bytes(sdists.make_sdist("one", "1.0"))
    config = tmp_path / "pip.conf"
    config.write_text(f"[global]\nfind-links = {links}\nno-index = true\n", encoding="utf-8")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    shop.service("app", "one")
    assert shop.vendor("--index-url", "", "--resolver", resolver).status == 0
    assert indexes(shop) == {"one": ""}
