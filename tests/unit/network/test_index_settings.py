from __future__ import annotations

import os
from pathlib import Path

import pytest
from pip._internal.configuration import Kind

from toolkit.core.errors import UserError
from toolkit.network import index_options, index_settings
from toolkit.network.index_options import IndexOptions
from toolkit.network.index_settings import Indexes

SECRET = Indexes(url="https://user:s3cret@host.test/simple", extra=("file:///srv/simple",), find_links=("/srv/wheels",))


@pytest.fixture
def pip_conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file that is all of pip's configuration."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "pip.conf"
    path.write_text("[global]\n", encoding="utf-8")
    # Of pip's places for configuration only the one of PIP_CONFIG_FILE is the test's own.
    places: dict[Kind, list[str]] = {Kind.GLOBAL: [], Kind.USER: [], Kind.SITE: []}
    monkeypatch.setattr("pip._internal.configuration.get_configuration_files", lambda: places)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(path))
    return path


def test_without_configuration_it_is_pips_own_default(pip_conf: Path) -> None:
    from pip._internal.models.index import PyPI

    found = index_settings.read()
    assert (found.url, found.extra, found.find_links) == (PyPI.simple_url, (), ())
    assert found.timeout == 15


def test_everything_pip_is_told_is_read(pip_conf: Path) -> None:
    pip_conf.write_text(
        "[global]\nindex-url = https://host.test/simple/\nextra-index-url =\n    https://a.test/simple\n"
        "    file:///srv/simple\nfind-links = /srv/wheels\ntrusted-host = host.test a.test\ncert = /srv/ca.pem\n"
        "timeout = 60\nproxy = http://proxy.test:3128\n",
        encoding="utf-8",
    )
    assert index_settings.read() == Indexes(
        url="https://host.test/simple",
        extra=("https://a.test/simple", "file:///srv/simple"),
        find_links=("/srv/wheels",),
        trusted_hosts=("host.test", "a.test"),
        cert="/srv/ca.pem",
        timeout=60,
        proxy="http://proxy.test:3128",
    )


def test_a_variable_wins_over_a_file_and_install_over_global(pip_conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip_conf.write_text(
        "[global]\nindex-url = https://a.test/simple\ntimeout = 1\n[install]\ntimeout = 2\n[freeze]\ntimeout = 9\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PIP_INDEX_URL", "https://b.test/simple")
    found = index_settings.read()
    assert (found.url, found.timeout) == ("https://b.test/simple", 2)


def test_an_index_named_for_this_run_is_the_only_one(pip_conf: Path) -> None:
    pip_conf.write_text(
        "[global]\nextra-index-url = https://a.test/simple\nfind-links = /srv\ncert = /srv/ca.pem\nno-index = true\n",
        encoding="utf-8",
    )
    found = index_settings.read(
        IndexOptions(index_url="https://b.test/simple", extra_index_urls=("https://c.test/simple",))
    )
    assert (found.urls, found.find_links) == (("https://b.test/simple", "https://c.test/simple"), ())
    assert found.cert == "/srv/ca.pem"


def test_an_extra_index_adds_to_the_configured_ones(pip_conf: Path) -> None:
    pip_conf.write_text("[global]\nindex-url = https://a.test/simple\n", encoding="utf-8")
    given = IndexOptions(extra_index_urls=("https://c.test/simple",))
    assert index_settings.read(given).urls == ("https://a.test/simple", "https://c.test/simple")


def test_relative_find_links_are_of_the_working_directory(
    pip_conf: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    pip_conf.write_text("[global]\nfind-links = wheels file:///srv https://a.test/links\n", encoding="utf-8")
    assert index_settings.read().find_links == (str(tmp_path / "wheels"), "file:///srv", "https://a.test/links")


@pytest.mark.parametrize("location", ["http://[::1", "file://[x/y", "https://", "http://host.test:99999/"])
def test_find_links_that_are_no_url_are_refused(pip_conf: Path, location: str) -> None:
    pip_conf.write_text(f"[global]\nfind-links = {location}\n", encoding="utf-8")
    with pytest.raises(UserError, match="find-links has what is no URL"):
        index_settings.read()


def test_the_directory_of_somebody_who_is_nobody_is_a_name(pip_conf: Path) -> None:
    pip_conf.write_text("[global]\nfind-links = ~nobody-of-that-name/x\n", encoding="utf-8")
    assert index_settings.read().find_links == (str(Path.cwd() / "~nobody-of-that-name/x"),)


@pytest.mark.parametrize(("text", "seconds"), [("inf", 86400), ("1e300", 86400), ("1e10", 86400), ("0", 0.1)])
def test_a_timeout_is_what_a_clock_can_count(pip_conf: Path, text: str, seconds: float) -> None:
    pip_conf.write_text(f"[global]\ntimeout = {text}\n", encoding="utf-8")
    assert index_settings.read().timeout == seconds


def test_a_timeout_that_is_no_number_is_refused(pip_conf: Path) -> None:
    for text in ("nan", "soon"):
        pip_conf.write_text(f"[global]\ntimeout = {text}\n", encoding="utf-8")
        with pytest.raises(UserError, match=f"timeout is not a number: {text}"):
            index_settings.read()


def test_a_configuration_pip_cannot_read_is_named(pip_conf: Path) -> None:
    pip_conf.write_text("index-url = x\n", encoding="utf-8")
    with pytest.raises(UserError, match="pip's configuration cannot be read") as caught:
        index_settings.read()
    assert str(pip_conf) in caught.value.what


def test_what_is_not_a_url_is_refused(pip_conf: Path) -> None:
    with pytest.raises(UserError, match=r"not the URL of an index: host\.test/simple"):
        index_settings.read(IndexOptions(index_url="host.test/simple"))
    # As of a variable with bytes that are not UTF-8.
    for url in ("https://host.test/\udcff/simple", "https://host.test/\x1b[2J"):
        with pytest.raises(UserError, match="not the URL of an index"):
            index_settings.read(IndexOptions(index_url=url))


@pytest.mark.parametrize("password", ["pa/ss", "pa#ss", "pa?ss", "p@ss", "12a/@4"])
def test_a_password_that_is_not_encoded_is_not_shown(pip_conf: Path, password: str) -> None:
    url = f"https://user:{password}@host.test/simple"
    try:
        shown = index_settings.read(IndexOptions(index_url=url)).shown()
    except UserError as error:
        assert "%2F" in error.hint
        shown = f"{error.what} {index_options.shown(url)}"
    assert "host.test/simple" in shown
    assert not any(part in shown for part in ("pa", "ss", "12"))


@pytest.mark.parametrize("given", [{"index_url": "{}"}, {"extra_index_urls": ("{}",)}, {"find_links": ("{}",)}])
def test_an_index_that_is_not_encrypted_is_on_this_machine_or_trusted_or_warned_of(
    pip_conf: Path, given: dict[str, str | tuple[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    def options(url: str) -> IndexOptions:
        return IndexOptions(**{key: url if value == "{}" else (url,) for key, value in given.items()})  # type: ignore[arg-type]

    for host in ("127.0.0.1:8080", "localhost", "[::1]:80", "127.9.9.9"):
        index_settings.read(options(f"http://{host}/simple"))
    assert capsys.readouterr().err == ""
    index_settings.read(options("http://user:s3cret@host.test/simple"))
    assert capsys.readouterr().err.startswith("warning: http://host.test/simple: not encrypted")
    pip_conf.write_text("[global]\ntrusted-host = host.test\n", encoding="utf-8")
    index_settings.read(options("http://user:s3cret@host.test/simple"))
    assert capsys.readouterr().err == ""


def test_nothing_printed_holds_a_password() -> None:
    assert SECRET.shown() == "https://host.test/simple, file:///srv/simple, /srv/wheels"
