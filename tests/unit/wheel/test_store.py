"""The wheel store gives back only what is whole."""

import os
from pathlib import Path

import pytest

from toolkit.wheel.store import Built, Lacking, Store

KEY = "ab" * 32


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def put(store: Store, tmp_path: Path, content: bytes = b"wheel", built: Built | None = None) -> Path:
    wheel = tmp_path / "example-1-py3-none-any.whl"
    wheel.write_bytes(content)
    with store.reserved(KEY):
        return store.put(KEY, wheel, built or Built())


def test_how_a_wheel_was_built_is_kept_with_it(store: Store, tmp_path: Path) -> None:
    lacking = Lacking(text="it lacks", hint="install it", state={"": "digest", "yaml.h": ""})
    for built in (Built(), Built(lacking=lacking), Built(headers={"zlib.h": "/usr/include 1 2"})):
        put(store, tmp_path, built=built)
        assert store.built(KEY) == built


def test_an_unknown_key_gives_nothing(store: Store) -> None:
    assert store.get(KEY) is None


def test_a_wheel_is_given_back_under_its_own_name(store: Store, tmp_path: Path) -> None:
    put(store, tmp_path)
    found = store.get(KEY)
    assert found is not None
    assert found.name == "example-1-py3-none-any.whl"
    assert found.read_bytes() == b"wheel"


@pytest.mark.parametrize("damage", ["other content", "no file", "no sense"])
def test_a_damaged_entry_is_noticed_and_can_be_put_again(
    store: Store, tmp_path: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = put(store, tmp_path)
    if damage == "other content":
        wheel.write_bytes(b"whee1")
    elif damage == "no file":
        wheel.unlink()
    else:
        (wheel.parent / "entry.json").write_text("[")
    assert store.get(KEY) is None
    if damage != "no file":
        assert "damaged" in capsys.readouterr().err
    assert put(store, tmp_path, b"new").read_bytes() == b"new"
    found = store.get(KEY)
    assert found is not None
    assert found.read_bytes() == b"new"


def test_a_build_killed_before_its_entry_is_written_leaves_nothing(store: Store, tmp_path: Path) -> None:
    wheel = put(store, tmp_path)
    (wheel.parent / "entry.json").unlink()
    assert store.get(KEY) is None


@pytest.mark.parametrize("name", [".", "entry.json", "example-1-py3-none-any.whl"])
@pytest.mark.parametrize("fault", ["writable by all", "another user's"])
def test_an_entry_that_another_user_could_have_changed_is_not_taken(
    store: Store, tmp_path: Path, name: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(store, tmp_path).parent / name
    if fault == "writable by all":
        path.chmod(0o777)
    else:
        ours = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: ours + 1)
    assert store.get(KEY) is None


def test_an_entry_that_is_a_link_is_not_taken(store: Store, tmp_path: Path) -> None:
    wheel = put(store, tmp_path)
    (tmp_path / "own").write_bytes(wheel.read_bytes())
    wheel.unlink()
    wheel.symlink_to(tmp_path / "own")
    assert store.get(KEY) is None
