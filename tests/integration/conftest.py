"""A local index, and a cache of its own, for every test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.local_index import LocalIndex, serving
from tests.integration.workshop import HERE, Workshop
from toolkit.network import retry, tools_environment


@pytest.fixture(autouse=True)
def _own_machine(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the machine's caches, indexes and proxies out of the tests, and the pauses between requests short."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("NETRC", str(tmp_path_factory.mktemp("home") / "netrc"))
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_")) or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setattr(retry, "BACKOFF", 0.01)


@pytest.fixture(autouse=True, scope="module")
def _own_git() -> Iterator[None]:
    """Keep the machine's configuration of git out of the tests; whoever commits is some developer."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("GIT_")]:
            patch.delenv(name)
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        identity = {"user.name": "Some Developer", "user.email": "developer@example.com"}
        patch.setenv("GIT_CONFIG_COUNT", str(len(identity)))
        for number, (key, value) in enumerate(identity.items()):
            patch.setenv(f"GIT_CONFIG_KEY_{number}", key)
            patch.setenv(f"GIT_CONFIG_VALUE_{number}", value)
        yield


@pytest.fixture
def index() -> Iterator[LocalIndex]:
    """Return an empty index that runs as long as the test."""
    with serving() as running:
        yield running


@pytest.fixture
def shop(index: LocalIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    """Return a project without packages, for this interpreter; tests are run in what has the toolkit's tools."""
    monkeypatch.setattr(tools_environment, "enter", lambda *indexes: None)
    project = Workshop(tmp_path / "project", index)
    yield project.write({".python-version": f"{HERE}\n"})
    project.close()
