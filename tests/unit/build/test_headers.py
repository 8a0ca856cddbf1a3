"""A failed build names the Debian package to install."""

import pytest

from toolkit.build import headers


@pytest.mark.parametrize(
    ("output", "package"),
    [
        ("src/x.c:4:10: fatal error: Python.h: No such file or directory\n    4 | #include", "python3-dev"),
        ("a.h:1: fatal error: openssl/ssl.h: No such file or directory", "libssl-dev"),
        ("error: command 'gcc' failed: No such file or directory", "build-essential"),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'pg_config'", "libpq-dev"),
        ("/bin/sh: 1: xml2-config: not found", "libxml2-dev"),
    ],
)
def test_known_things_that_are_missing(output: str, package: str) -> None:
    assert f"apt install {package}" in headers.suggestion(output)


def test_an_unknown_header_is_named_with_the_way_to_find_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert "apt-file search /odd/thing.h" in headers.suggestion("fatal error: odd/thing.h: No such file or directory")


@pytest.mark.parametrize("output", ["", "error: expected ';' before '}' token", "foo: not found"])
def test_nothing_is_guessed(output: str) -> None:
    assert headers.suggestion(output) == ""


def test_a_source_that_is_missing_is_no_header() -> None:
    assert headers.suggestion("cc1: fatal error: module.c: No such file or directory") == ""
