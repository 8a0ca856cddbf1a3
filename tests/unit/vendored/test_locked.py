"""Which line of which file asks for what, beside the locks as they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.unit.locks import distribution, lock_of
from toolkit.core.errors import UserError
from toolkit.model.lock import LocalPackage
from toolkit.requirements import lock_inputs
from toolkit.vendored import lock_file, locked
from toolkit.vendoring import direct_requirements, lock_writer

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
    held = lock_of(
        *map(distribution, ("flask", "dep", "speed", "binary")),
        service="the-service",
        inputs=lock_inputs.fingerprint(found, read, ("linux",)),
        local=(LocalPackage(name="lib", path="lib"), LocalPackage(name="svc", path="the_service")),
        direct=direct_requirements.of_project(found, read),
    )
    (workspace.root / "vendor").mkdir()
    lock_writer.write(path(workspace), held)
    return workspace


def path(workspace: Workspace) -> Path:
    return lock_file.path_of(workspace.root / "vendor", "the-service")


def written(workspace: Workspace) -> set[tuple[str, str, str, str]]:
    [needs] = locked.read(workspace.discover(), workspace.settings())
    return {(line.source, line.kind, line.text, line.origin) for line in needs.lock.direct or ()}


def test_each_requirement_belongs_to_the_package_whose_file_says_it(project: Workspace) -> None:
    assert written(project) == {
        ("svc", "runtime", "lib[fast]", "the_service/requirements.txt:1"),
        ("svc", "runtime", "flask<3", "shared.txt:2"),
        ("svc", "tests", "check", "the_service/test-requirements.txt:1"),
        ("svc", "tests", "shell", "the_service/dev-requirements.txt:1"),
        ("lib", "runtime", "dep>=1", "lib/requirements.txt:1"),
        ("lib", "runtime", "speed", "lib/requirements-fast.txt:1"),
    }


def test_a_lock_from_before_there_were_direct_requirements_says_what_brings_it_up_to_date(project: Workspace) -> None:
    lock_writer.write(path(project), replace(lock_file.read(path(project)), direct=None))
    with pytest.raises(UserError, match=r"pylock\.the-service\.toml: it is from before") as caught:
        locked.read(project.discover(), project.settings())
    assert "run `make vendor`" in caught.value.hint


def test_what_has_changed_since_is_warned_of_and_does_not_stop(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write({"shared.txt": "flask\n"})
    assert ("svc", "runtime", "flask<3", "shared.txt:2") in written(project)
    warned = capsys.readouterr().err
    assert "warning: shared.txt: changed since vendor/pylock.the-service.toml was made; run `make vendor`" in warned
    assert "warning: vendor/flask-1.tar.gz: missing" in warned


def test_without_a_lock_there_is_nothing_to_explain(project: Workspace) -> None:
    (project.root / "vendor" / "other").touch()
    lock_file.path_of(project.root / "vendor", "the-service").unlink()
    with pytest.raises(UserError, match="there is no lock") as caught:
        lock_file.of_project(project.discover(), project.root / "vendor")
    assert caught.value.hint == "run `make vendor`"
