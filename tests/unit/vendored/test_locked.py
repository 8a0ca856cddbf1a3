"""Which line of which file asks for what, beside the locks as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.locks import distribution
from toolkit.core.errors import UserError
from toolkit.model.lock import LocalPackage, Lock
from toolkit.model.pins import Pinned
from toolkit.project import lock_inputs
from toolkit.vendored import lock_file, locked
from toolkit.vendoring import lock_writer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.conftest import Workspace


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def project(workspace: Workspace) -> Workspace:
    """Return a service that uses a library, with its lock; the vendored files themselves are not there."""
    workspace.service("the_service", "svc", "lib[fast]\n-r ../shared.txt\n")
    workspace.package("lib", "lib", requirements__txt="dep>=1\n")
    workspace.write(
        {
            "shared.txt": "\nflask<3  # why not\n",
            "lib/requirements-fast.txt": "speed\n",
            "the_service/test-requirements.txt": "check\n",
            "the_service/dev-requirements.txt": "shell\n",
            "the_service/vendor.txt": "binary\n",
            "lib/pyproject.toml": '[build-system]\nrequires = ["maker"]\n',
        }
    )
    found = workspace.discover()
    [service] = found.services
    read = lock_inputs.read(found, service, ("linux",))
    names = ("flask", "dep", "speed", "binary")
    held = Lock(
        service="the-service",
        pythons=("3.11",),
        packages=tuple(map(distribution, names)),
        build_packages=tuple(map(distribution, ("check", "shell", "maker"))),
        test_requires=(Pinned("check", "1"),),
        dev_requires=(Pinned("shell", "1"),),
        inputs=lock_inputs.fingerprint(found, read, ("linux",)),
        local=(
            LocalPackage(name="lib", path="lib", build_requires=(Pinned("maker", "1"),)),
            LocalPackage(name="svc", path="the_service"),
        ),
    )
    (workspace.root / "vendor").mkdir()
    lock_writer.write(lock_file.path_of(workspace.root / "vendor", "the-service"), held)
    return workspace


def written(workspace: Workspace) -> set[tuple[str, str, str, str]]:
    [needs] = locked.read(workspace.discover(), workspace.settings())
    return {(edge.source, edge.kind, edge.text, edge.origin) for edge in needs.written}


def test_each_requirement_belongs_to_the_package_whose_file_says_it(project: Workspace) -> None:
    assert written(project) == {
        ("svc", "runtime", "lib[fast]", "the_service/requirements.txt:1"),
        ("svc", "runtime", "flask<3", "shared.txt:2"),
        ("svc", "tests", "check", "the_service/test-requirements.txt:1"),
        ("svc", "tests", "shell", "the_service/dev-requirements.txt:1"),
        ("svc", "runtime", "binary", "the_service/vendor.txt:1"),
        ("lib", "runtime", "dep>=1", "lib/requirements.txt:1"),
        ("lib", "runtime", "speed", "lib/requirements-fast.txt:1"),
    }


def test_what_builds_a_local_package_is_what_its_pyproject_names(project: Workspace) -> None:
    [needs] = locked.read(project.discover(), project.settings())
    edges = {edge for found in needs.edges.values() for edge, _ in found if edge.kind == "build"}
    assert {(edge.source, edge.text) for edge in edges} == {("lib", "maker")}


def test_what_has_changed_since_is_warned_of_and_does_not_stop(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write({"shared.txt": "flask\n"})
    assert ("svc", "runtime", "flask", "shared.txt:1") in written(project)
    warned = capsys.readouterr().err
    assert "warning: shared.txt: changed since vendor/pylock.the-service.toml was made; run `make vendor`" in warned
    assert "warning: vendor/flask-1.tar.gz: missing" in warned


def test_without_a_lock_there_is_nothing_to_explain(project: Workspace) -> None:
    (project.root / "vendor" / "other").touch()
    lock_file.path_of(project.root / "vendor", "the-service").unlink()
    with pytest.raises(UserError, match="there is no lock") as caught:
        locked.require(project.discover(), project.settings())
    assert caught.value.hint == "run `make vendor`"
