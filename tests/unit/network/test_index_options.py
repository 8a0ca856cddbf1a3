"""What a user says of indexes: options over variables, and no password on a command line."""

from __future__ import annotations

import argparse

import pytest

from toolkit.network import index_options
from toolkit.network.index_options import IndexOptions

OPEN, SECRET = "https://host.test/simple", "https://user:s3cret@host.test/simple"


def options(*words: str) -> IndexOptions:
    parser = argparse.ArgumentParser()
    index_options.add_options(parser, "-i")
    return index_options.from_arguments(parser.parse_args(words))


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("INDEX_URL", "EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_variables_are_the_defaults_of_options(variables: pytest.MonkeyPatch) -> None:
    assert options() == IndexOptions()
    variables.setenv("INDEX_URL", SECRET)
    variables.setenv("EXTRA_INDEX_URL", "https://a.test/simple https://b.test/simple")
    assert options().index_url == SECRET
    assert options().extra_index_urls == ("https://a.test/simple", "https://b.test/simple")
    assert options("-i", "https://c.test/simple").index_url == "https://c.test/simple"


@pytest.mark.parametrize(
    "words", [("-i", SECRET), (f"-i{SECRET}",), ("--index-url", SECRET), (f"--index-url={SECRET}",)]
)
def test_a_verb_that_starts_itself_again_shows_no_password(
    words: tuple[str, ...], variables: pytest.MonkeyPatch
) -> None:
    first = options(*words)
    again = first.hidden(list(words))
    assert not any("s3cret" in word for word in again) and OPEN in again[-1]
    for name, value in first.environment().items():
        variables.setenv(name, value)
    assert options(*again) == first


def test_what_is_printed_has_neither_credentials_nor_a_query() -> None:
    assert index_options.shown(f"{SECRET}/a.zip?token=s3cret#s3cret") == f"{OPEN}/a.zip"
    assert index_options.shown("/srv/wheels") == "/srv/wheels"
