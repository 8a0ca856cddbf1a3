"""What counts as a change of the files a lock was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from toolkit.requirements import fingerprints, requirements

if TYPE_CHECKING:
    from tests.unit.conftest import Workspace


def of(workspace: Workspace, *names: str) -> dict[str, str]:
    return fingerprints.fingerprint([workspace.root / name for name in names], workspace.root)


def recorded(workspace: Workspace) -> dict[str, str]:
    """Return the fingerprints as the lock of the one service records them."""
    project = workspace.discover()
    (service,) = project.services
    tree = requirements.read_tree(project, service, ("linux",))
    return fingerprints.fingerprint(fingerprints.paths(project, service, tree.local, tree.files), workspace.root)


def test_every_file_that_decides_the_lock_is_recorded_there_or_not(workspace: Workspace) -> None:
    workspace.service("svc", "svc", "-r more.txt\nlib\n").package("lib", "lib").package("other", "other")
    assert sorted(recorded(workspace.write({"svc/more.txt": "flask\n"}))) == [
        ".python-version",
        "build-requirements.txt",
        "build-settings.toml",
        "debian/control",
        "lib/build-requirements.txt",
        "lib/build-settings.toml",
        "lib/linux-requirements.txt",
        "lib/pyproject.toml",
        "lib/requirements.txt",
        "lib/setup.cfg",
        "lib/setup.py",
        "lib/vendor.txt",
        "pyproject.toml",
        "svc/.python-version",
        "svc/build-requirements.txt",
        "svc/build-settings.toml",
        "svc/linux-requirements.txt",
        "svc/more.txt",
        "svc/pyproject.toml",
        "svc/requirements.txt",
        "svc/setup.cfg",
        "svc/setup.py",
        "svc/test-requirements.txt",
        "svc/vendor.txt",
        "vendor.txt",
    ]


def test_the_project_s_interpreters_do_not_count_where_the_package_has_its_own(workspace: Workspace) -> None:
    workspace.service("svc", "svc").write({"svc/.python-version": "3.11\n"})
    assert ".python-version" not in recorded(workspace)


def test_comments_blank_lines_and_continuations_do_not_count(workspace: Workspace) -> None:
    before = of(workspace.write({"r.txt": "a>=1\nb\n"}), "r.txt")
    assert of(workspace.write({"r.txt": "# why\na\\\n>=1   # c\r\n\nb"}), "r.txt") == before
    assert of(workspace.write({"r.txt": "a>=2\nb\n"}), "r.txt") != before


def test_of_pyproject_only_the_build_system_counts(workspace: Workspace) -> None:
    build = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    before = of(workspace.write({"pyproject.toml": build}), "pyproject.toml")
    assert of(workspace.write({"pyproject.toml": f"[tool.x]\ny = 1\n{build}"}), "pyproject.toml") == before
    assert of(workspace.write({"pyproject.toml": build.replace("ling", "ling>1", 1)}), "pyproject.toml") != before
    assert of(workspace.write({"pyproject.toml": "[tool.x]\ny = 1\n"}), "pyproject.toml") == {"pyproject.toml": ""}


def test_a_file_that_says_nothing_is_as_good_as_none(workspace: Workspace) -> None:
    workspace.write({"empty.txt": "# nothing\n"})
    assert of(workspace, "empty.txt", "none.txt") == {"empty.txt": "", "none.txt": ""}


def test_nothing_has_changed_at_first(workspace: Workspace) -> None:
    workspace.service("svc", "svc", "lib\n").package("lib", "lib", requirements__txt="flask\n")
    assert fingerprints.changes(recorded(workspace), workspace.root) == {}


@pytest.mark.parametrize(
    ("name", "text", "change"),
    [
        ("svc/requirements.txt", "lib\nflask\n", "changed"),
        ("lib/requirements.txt", None, "disappeared"),
        ("lib/requirements.txt", "# nothing left\n", "changed"),
        ("svc/vendor.txt", "flask\n", "appeared"),
        ("svc/.python-version", "3.12\n", "appeared"),
        ("svc/test-requirements.txt", "pytest\n", "appeared"),
        ("lib/pyproject.toml", '[build-system]\nrequires = ["flit"]\n', "appeared"),
    ],
)
def test_a_change_is_named_by_its_file(workspace: Workspace, name: str, text: str | None, change: str) -> None:
    workspace.service("svc", "svc", "lib\n").package("lib", "lib", requirements__txt="dep\n")
    before = recorded(workspace)
    path = workspace.root / name
    path.unlink() if text is None else path.write_text(text, encoding="utf-8")
    assert fingerprints.changes(before, workspace.root) == {name: change}


def test_settings_stand_beside_the_files_and_are_nobody_s_change(workspace: Workspace) -> None:
    found = fingerprints.of_settings(["linux", "darwin"])
    assert found["setting:PLATFORMS"] == "linux darwin"
    assert fingerprints.files_in({**found, "a.txt": "0123", "missing.txt": ""}) == ["a.txt"]
    assert fingerprints.changes(found, workspace.root) == {}
