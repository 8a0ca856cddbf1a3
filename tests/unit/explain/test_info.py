"""`make info` tells what was found, also where something is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from toolkit.core import files
from toolkit.core.errors import UserError
from toolkit.explain import inventory
from toolkit.sandbox import confined
from toolkit.sandbox.confined import Means
from toolkit.verbs import command_line

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.conftest import Workspace


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the tests a cache of their own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return files.cache_root()


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask a program of the tests for its version: real ones, such as lintian, take most of a second."""
    monkeypatch.setattr(inventory, "COMMANDS", ("linter", "absent"))
    program = tmp_path / "programs" / "linter"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\ntest "$1" = --version && printf "linter 1.2\\nCopyright\\n"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")


def sections(workspace: Workspace, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, dict[str, str]]:
    """Run the verb and read its sections back."""
    assert command_line.main(["info", "--project", str(workspace.root), *arguments]) == 0
    found: dict[str, dict[str, str]] = {}
    for block in capsys.readouterr().out.strip().split("\n\n"):
        title, *lines = block.splitlines()
        pairs = (line.partition(":") for line in lines)
        found[title.strip("[]")] = {key.strip(): value.strip() for key, _, value in pairs}
    return found


def test_packages_and_where_they_were_found(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    workspace.service("the_service", "yc_svc").write({"lib/pyproject.toml": "[project]\nname = 'yc_lib'\n"})
    found = sections(workspace, capsys)
    assert found["Packages"] == {
        "lib/": "library, distribution yc-lib, found by lib/pyproject.toml",
        "the_service/": "service the-service, distribution yc-svc 1.0, found by the_service/setup.py",
    }
    assert found["Locks"] == {"pylock.the-service.toml": "there is no lock"}
    assert found["vendor/"] == {"problem": "vendor/: there is nothing in it"}


def test_a_machine_without_a_sandbox_is_said_to_run_nothing_foreign(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confined, "_find_means", lambda: (Means.NONE, UserError("it lacks bubblewrap", "get it")))
    assert sections(workspace, capsys)["Machine"]["sandbox"] == "none, so nothing foreign is run: it lacks bubblewrap"


def test_an_error_of_the_project_is_told_among_the_rest(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.package("a", "same").package("b", "same")
    found = sections(workspace, capsys)
    assert found["Packages"]["error"] == "a/ and b/: two packages of the name same"
    assert found["Machine"]["python"]


def test_interpreters_and_what_asks_for_them(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    workspace.service("svc", "svc").write({"svc/.python-version": "3.11\n3.99\n"})
    assert sections(workspace, capsys)["Interpreters"]["svc 3.99"] == "none on this machine, from svc/.python-version"
    workspace.write({"svc/.python-version": "nonsense\n"})
    assert "not a Python version" in sections(workspace, capsys)["Interpreters"]["svc"]


def test_settings_are_printed_without_their_passwords(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://me:secret@host/simple https://you:secret@host/simple")
    monkeypatch.setenv("UV_PUBLISH_TOKEN", "secret")
    workspace.package("lib", "lib")
    monkeypatch.setenv("SETTINGS_TO_SHOW", "INDEX_URL=https://me:secret@host/simple?a=b\n JOBS=4\n NAME=\n")
    found = sections(workspace, capsys, "--namespace", "acme")
    assert found["Settings"] == {
        "INDEX_URL": "https://***@host/simple?***",
        "JOBS": "4",
        "NAME": "",
        "NAMESPACE": "acme",
        "PACKAGES": "",
        "SERVICES": "",
    }
    assert found["Environment"]["PIP_EXTRA_INDEX_URL"] == "https://***@host/simple https://***@host/simple"
    assert found["Environment"]["UV_PUBLISH_TOKEN"] == "***"


def test_the_tools_environment_is_read_without_running_it(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], cache: Path
) -> None:
    workspace.package("lib", "lib")
    assert sections(workspace, capsys)["Tools environment"]["directory"] == "none yet: `make vendor` makes it"
    (cache / "tools" / "python3.11-0123" / "lib/python3.11/site-packages/pip_tools-7.5.dist-info").mkdir(parents=True)
    found = sections(workspace, capsys)["Tools environment"]
    assert (found["pip-tools"], found["uv"]) == ("7.5", "not installed")


def test_the_wheel_store_s_place_and_size(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.package("lib", "lib").write({"store/wheels/ab/abcd/x.whl": "x" * 200_000})
    found = sections(workspace, capsys)["Wheel store"]
    assert found == {"directory": str(cache / "store"), "content": "0 wheels, 0 kB"}
    monkeypatch.setenv("SETTINGS_TO_SHOW", f"WHEEL_STORE={workspace.root}/store")
    found = sections(workspace, capsys)["Wheel store"]
    assert found == {"directory": f"{workspace.root}/store", "content": "1 wheels, 200 kB"}
    monkeypatch.setenv("SETTINGS_TO_SHOW", "WHEEL_STORE=")
    found = sections(workspace, capsys)["Wheel store"]
    assert "WHEEL_STORE is empty" in found["directory"]


def test_submodules_and_whether_they_are_there(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    workspace.package("one", "one").write({".gitmodules": '[submodule "c"]\n\tpath = common\n', "common/": ""})
    found = sections(workspace, capsys)
    assert found["Project"]["submodule common"] == "not initialised"
    assert found["Packages"]["hint"] == "run `git submodule update --init --recursive`"


def test_programs_and_their_versions(workspace: Workspace, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    workspace.package("lib", "lib")
    assert sections(workspace, capsys)["Programs"] == {
        "linter": f"linter 1.2  ({tmp_path}/programs/linter)",
        "absent": "not installed",
    }
