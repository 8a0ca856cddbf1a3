"""A suite without an interpreter that a service is locked for is told before anything is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.conftest import Workspace
from toolkit.core import process
from toolkit.core.errors import UserError
from toolkit.debian import suite_pythons, suites

POLICY = "python{}:\n  Installed: (none)\n  Candidate: {}\n  Version table:\n"


@pytest.fixture(autouse=True)
def apt(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return what apt would install by version; this machine's suite is bookworm."""
    candidates: dict[str, str] = {}
    monkeypatch.setattr(suites, "own", lambda: "bookworm")

    run = process.read

    def read(words: list[str]) -> str:
        if words[0] != "apt-cache":
            return run(words)
        versions = [word.removeprefix("python") for word in words[2:]]
        return "".join(POLICY.format(version, candidates.get(version, "(none)")) for version in versions)

    monkeypatch.setattr(process, "read", read)
    return candidates


def told(workspace: Workspace, pythons: str, *names: str) -> list[str]:
    """Return what is wrong with a project of two services; the second has interpreters of its own."""
    workspace.write(
        {
            ".python-version": pythons,
            "api_one/setup.py": "",
            "api_one/bin/one": "",
            "two/setup.py": "",
            "two/bin/two": "",
            "two/.python-version": "3.11\n3.13\n",
        }
    )
    try:
        suite_pythons.require(workspace.discover(), names)
    except UserError as error:
        return [f"{part.what} | {part.hint}" for part in error.parts]
    return []


def test_all_suites_that_lack_it_are_told_with_what_they_have(workspace: Workspace) -> None:
    def line(suite: str, has: str, service: str, wanted: str, file: str) -> str:
        hint = f"add {has} to {file} and run `make vendor`, or leave {suite} out of SUITES"
        return f"{suite} has Python {has}, and {service} is for {wanted} | {hint}"

    assert told(workspace, "3.11\n", "bookworm", "trixie", "noble", "trixie") == [
        line("trixie", "3.13", "api-one", "3.11", ".python-version"),
        line("noble", "3.12", "api-one", "3.11", ".python-version"),
        line("noble", "3.12", "two", "3.11 and 3.13", "two/.python-version"),
    ]


@pytest.mark.parametrize(("suite", "has"), [("noble", "3.12"), ("resolute", "3.14")])
def test_releases_of_ubuntu_have_one_interpreter_each(workspace: Workspace, suite: str, has: str) -> None:
    assert [line for line in told(workspace, "3.11\n", suite) if f"{suite} has Python {has}, and api-one" in line]
    assert [line for line in told(workspace, f"3.11\n{has}\n", suite) if "api-one" in line] == []


def test_what_a_suite_has_is_enough(workspace: Workspace) -> None:
    assert told(workspace, "3.11\n3.13\n", "bookworm", "trixie") == []


def test_of_a_suite_that_nobody_knows_nothing_is_said(workspace: Workspace) -> None:
    assert told(workspace, "3.11\n", "sid", "questing") == []


def test_this_machine_may_have_more(workspace: Workspace, apt: dict[str, str]) -> None:
    assert told(workspace, "3.14\n", "bookworm") != []
    apt["3.14"] = "3.14.0-1"
    assert told(workspace, "3.14\n", "bookworm") == []


def test_an_interpreter_that_no_package_has_is_told_with_what_helps(
    workspace: Workspace, apt: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "python3.12"
    path.write_text(
        "#!/bin/sh\n"
        """echo '{"path": "'$0'", "soabi": "", "include": "", '\n"""
        """echo '"markers": {"python_version": "3.12", "python_full_version": "3.12.1"}}'\n"""
    )
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    project = workspace.service("svc", "svc").write({".python-version": "3.12\n"}).discover()
    for requested in ("", "3.12"):
        with pytest.raises(UserError) as caught:
            suite_pythons.require_here(project, requested)
        of = "PYTHON=" if requested else ".python-version"
        assert caught.value.what == f"svc: a package cannot depend on {path}, the Python 3.12 of {of}"
        assert (
            ".python-version and run `make vendor`, or build for a suite that has 3.12: `make sbuild SUITES=noble`"
            in (caught.value.hint)
        )
    apt["3.12"] = "3.12.1-1"
    with pytest.raises(UserError) as caught:
        suite_pythons.require_here(project, "")
    assert caught.value.hint == "install the distribution's own: apt-get install python3.12 python3.12-dev"


def test_that_of_the_distribution_is_right(workspace: Workspace) -> None:
    own = sorted(Path("/usr/bin").glob("python3.*[0-9]"))[0].name.removeprefix("python")
    project = workspace.service("svc", "svc").write({".python-version": f"{own}\n"}).discover()
    suite_pythons.require_here(project, "")
