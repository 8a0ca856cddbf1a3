"""What end-to-end tests share: a scrubbed environment, the built example, and clean roots of this machine's release."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.machine import TOOLKIT, Root, run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this directory as end-to-end."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of a user whose caches are empty; pip's own configuration is this machine's."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_")) or name == "TMPDIR"}
    cache = tmp_path_factory.mktemp("cache")
    return {**kept, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": os.environ["HOME"], "XDG_CACHE_HOME": str(cache)}


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    """Return the project that `make example` makes, vendored and built, with its log beside it as `log`."""
    directory = tmp_path_factory.mktemp("example") / "example-service"
    log = run(["make", "example", f"EXAMPLE={directory}"], cwd=TOOLKIT, env=environment)
    (directory.parent / "log").write_text(log)
    return directory


@pytest.fixture(scope="session")
def root_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tar of a minimal system of this machine's own release."""
    if os.geteuid() != 0:
        pytest.skip("installing into a root of its own needs root: run it through sudo")
    archive = tmp_path_factory.mktemp("root") / "root.tar"
    suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
    # Roots are thrown away: dpkg, then and later, does not wait until each file is on the disk.
    run(["mmdebstrap", "--quiet", "--variant=minbase", "--dpkgopt=force-unsafe-io", suite, archive])
    return archive


@pytest.fixture
def root(root_archive: Path, tmp_path: Path) -> Iterator[Root]:
    """Return a fresh minimal system, removed after the test."""
    directory = tmp_path / "root"
    directory.mkdir()
    run(["tar", "--extract", "--numeric-owner", "--file", root_archive, "--directory", directory])
    yield Root(directory)
    shutil.rmtree(directory)
