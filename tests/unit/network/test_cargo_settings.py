"""Where cargo is configured to take crates from."""

from pathlib import Path

import pytest

from toolkit.core.errors import UserError
from toolkit.model.crates import CRATES_IO
from toolkit.network import cargo_settings

_OTHER = "sparse+https://own.example/index/"


def _write(directory: Path, text: str, name: str = "config.toml") -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_text(text)


def _read(tmp_path: Path, **variables: str) -> cargo_settings.Registries:
    project = tmp_path / "work" / "project"
    project.mkdir(parents=True, exist_ok=True)
    return cargo_settings.read(project, {"CARGO_HOME": str(tmp_path / "home"), **variables})


def test_cargos_own_registry_serves_where_nothing_is_configured(tmp_path: Path) -> None:
    found = _read(tmp_path)
    assert set(found.indexes) == {CRATES_IO}
    assert found.index(CRATES_IO, "me").startswith("https://")


@pytest.mark.parametrize("name", ["config", "config.toml"])
def test_a_copy_replaces_cargos_own_registry(tmp_path: Path, name: str) -> None:
    text = f'[source.crates-io]\nreplace-with = "copy"\n[source.copy]\nregistry = "{_OTHER}"\n'
    _write(tmp_path / "home", text, name)
    assert _read(tmp_path).index(CRATES_IO, "me") == "https://own.example/index/"


def test_a_source_may_be_replaced_with_a_named_registry(tmp_path: Path) -> None:
    text = f'[source.crates-io]\nreplace-with = "own"\n[registries.own]\nindex = "{_OTHER}"\n'
    _write(tmp_path / "home", text)
    assert {_read(tmp_path).index(source, "me") for source in (CRATES_IO, _OTHER)} == {"https://own.example/index/"}


def test_the_nearest_file_counts(tmp_path: Path) -> None:
    _write(tmp_path / "home", '[source.crates-io]\nreplace-with = "far"\n')
    _write(tmp_path / "work" / ".cargo", '[source.far]\nregistry = "sparse+https://far.example"\n')
    _write(
        tmp_path / "work" / "project" / ".cargo",
        '[source.crates-io]\nreplace-with = "near"\n[source.near]\nregistry = "sparse+http://127.0.0.1:1/"\n',
    )
    assert _read(tmp_path).index(CRATES_IO, "me") == "http://127.0.0.1:1/"


def test_a_variable_names_a_registry(tmp_path: Path) -> None:
    found = _read(tmp_path, CARGO_REGISTRIES_OUR_OWN_INDEX=_OTHER)
    assert found.index(_OTHER, "me") == "https://own.example/index/"


def test_a_cargo_lock_does_not_choose_the_servers(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"orjson 3: it takes crates from .*evil.example.*not configured with"
    ) as caught:
        _read(tmp_path).index("sparse+https://evil.example/", "orjson 3")
    assert "registries.NAME" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[source", "cannot be read"),
        ("source = 5", "cannot be read"),
        ("[source]\ncrates-io = 1", "cannot be read"),
        ("[registries.a]\nindex = 5", "cannot be read"),
        ("[source.crates-io]\nreplace-with = 1", "source.crates-io.replace-with is no text"),
        ('[source.crates-io]\nreplace-with = "crates-io"', "replaced with itself"),
        ('[source.crates-io]\nreplace-with = "a"\n[source.a]\nreplace-with = "crates-io"', "replaced with itself"),
        ('[source.crates-io]\nreplace-with = "nowhere"', "is replaced with `nowhere`, which is no source"),
        ('[source.crates-io]\nreplace-with = "a"\n[source.a]\ndirectory = "/d"', "is no registry"),
        ('[source.crates-io]\nreplace-with = "a"\n[source.a]\nregistry = "https://g.example/x.git"', "no sparse index"),
        ('[source.crates-io]\nreplace-with = "a"\n[source.a]\nregistry = "sparse+file:///etc/"', "no sparse index"),
    ],
)
def test_what_names_no_registry_is_an_error(tmp_path: Path, text: str, what: str) -> None:
    _write(tmp_path / "home", text)
    with pytest.raises(UserError, match=what):
        _read(tmp_path).index(CRATES_IO, "me")


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("https://git.example/index.git", "registry+https://git.example/index.git"),
        ("sparse+https://far.example/index/", "sparse+https://far.example/index/"),
    ],
)
def test_any_registry_may_be_replaced_whatever_it_is_called(tmp_path: Path, url: str, source: str) -> None:
    named = f'[registries.theirs]\nindex = "{url}"\ntoken = "secret"\n'
    replaced = f'[source.a]\nregistry = "{url}"\nreplace-with = "b"\n[source.b]\nregistry = "{_OTHER}"\n'
    _write(tmp_path / "home", named + replaced)
    found = _read(tmp_path)
    assert found.index(source, "me") == "https://own.example/index/"
    assert "https://own.example/index/" not in found.tokens


@pytest.mark.parametrize(("configured", "locked"), [("/index", "/index/"), ("/index/", "/index"), ("/i//", "/i/")])
def test_the_slash_at_the_end_of_an_index_does_not_count(tmp_path: Path, configured: str, locked: str) -> None:
    _write(tmp_path / "home", f'[registries.own]\nindex = "sparse+https://own.example{configured}"\n')
    found = _read(tmp_path).index(f"sparse+https://own.example{locked}", "me")
    assert found == f"https://own.example/{locked.split('/')[1]}/"


@pytest.mark.parametrize("named", ["", '[registries.own]\nindex = "https://git.example/index"\ntoken = "secret"\n'])
def test_a_registry_that_is_a_git_repository_is_told_as_one(tmp_path: Path, named: str) -> None:
    _write(tmp_path / "home", named)
    found = _read(tmp_path)
    # It is nobody's fault as long as nothing comes from there.
    assert found.index(CRATES_IO, "me").startswith("https://")
    with pytest.raises(UserError, match=r"orjson 3: .*git.example/index`, a git repository, and crates are") as caught:
        found.index("registry+https://git.example/index", "orjson 3")
    assert '`registry = "https://git.example/index"`, `replace-with = ...`' in caught.value.hint


def test_what_is_wrong_with_a_registry_is_said_where_it_is_asked_for(tmp_path: Path) -> None:
    text = f'[source.a]\nregistry = "{_OTHER}"\nreplace-with = "b"\n[source.b]\ndirectory = "/d"\n'
    _write(tmp_path / "home", text)
    found = _read(tmp_path)
    assert found.index(CRATES_IO, "me").startswith("https://")
    with pytest.raises(UserError, match=r"\[source.b\] is no registry"):
        found.index(_OTHER, "me")


@pytest.mark.parametrize("place", ["home/credentials.toml", "home/credentials", "home/config.toml"])
def test_a_registrys_token_is_known_by_its_index(tmp_path: Path, place: str) -> None:
    name = "config.toml" if place != "home/config.toml" else "config"
    index = f'[registries.own]\nindex = "{_OTHER}"\n'
    _write(tmp_path / "work" / ".cargo", index, name)
    _write(tmp_path / "home", '[registries.own]\ntoken = "secret"\n[registry]\ntoken = "other"\n', place[5:])
    found = _read(tmp_path)
    assert found.tokens == {"https://own.example/index/": "secret"}
    assert "secret" not in repr(found)
    assert _read(tmp_path, CARGO_REGISTRIES_OWN_TOKEN="newer").tokens == {"https://own.example/index/": "newer"}


@pytest.mark.parametrize("name", ["our_own", "our-own", "Our_Own"])
def test_a_variable_means_the_registry_whatever_signs_its_name_has(tmp_path: Path, name: str) -> None:
    _write(tmp_path / "home", f'[registries.{name}]\nindex = "{_OTHER}"\n')
    assert _read(tmp_path, CARGO_REGISTRIES_OUR_OWN_TOKEN="secret").tokens == {"https://own.example/index/": "secret"}
    moved = _read(tmp_path, CARGO_REGISTRIES_OUR_OWN_INDEX="sparse+https://new.example/")
    assert moved.index("sparse+https://new.example/", "me") == "https://new.example/"


def test_a_token_that_no_header_takes_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="CARGO_REGISTRIES_OWN_TOKEN: a registry's token") as caught:
        _read(tmp_path, CARGO_REGISTRIES_OWN_TOKEN="secret\nHost: x")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("value", ['"""secret\nmore"""', '["secret"]', '{ value = "secret" }', '"secret\\u00e9"'])
def test_a_token_in_a_file_that_is_none_is_not_shown_either(tmp_path: Path, value: str) -> None:
    _write(tmp_path / "home", f"[registries.own]\ntoken = {value}\n", "credentials.toml")
    with pytest.raises(UserError, match=r"credentials.toml: a registry's token in it is no text of one line") as caught:
        _read(tmp_path)
    assert "secret" not in str(caught.value)
