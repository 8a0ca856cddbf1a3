"""One sdist for each real backend, from vendoring to an installed environment."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.machine import TOOLKIT, run
from tests.integration.local_index import LocalIndex, serving
from tests.integration.sdists import Backend, publish

pytestmark = pytest.mark.e2e

BACKENDS: tuple[Backend, ...] = ("setuptools", "legacy", "flit", "hatchling", "poetry-core", "pdm-backend")
COMPILED = ("setuptools", "legacy")


def module(backend: str) -> str:
    return f"zz_made_by_{backend.replace('-', '_')}"


@pytest.fixture
def index() -> Iterator[LocalIndex]:
    with serving() as found:
        for backend in BACKENDS:
            publish(found, module(backend).replace("_", "-"), "1.0", backend=backend, c_extension=backend in COMPILED)
        # Two sdists that cannot agree on one version of their backend.
        publish(found, "zz-old", "1.0", backend="flit", build_requires=["flit_core<4"])
        publish(found, "zz-new", "1.0", backend="flit", build_requires=["flit_core>=4"])
        yield found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    service = tmp_path / "project" / "mixed"
    names = [module(backend) for backend in BACKENDS] + ["zz_old", "zz_new"]
    extensions = [f"_{module(backend)}" for backend in COMPILED]
    (service / "bin").mkdir(parents=True)
    (service / "bin" / "yc-mixed").write_text(
        "#!/usr/bin/env python3\nimport importlib\n"
        f"for name in {names}: print(name, importlib.import_module(name).VERSION)\n"
        f"for name in {extensions}: print(importlib.import_module(name).answer())\n"
    )
    setup = 'from setuptools import setup\nsetup(name="mixed", version="1.0", py_modules=[])\n'
    (service / "setup.py").write_text(setup)
    (service / "requirements.txt").write_text("".join(f"{name}\n" for name in names))
    version = run(["/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
    (service / ".python-version").write_text(version)
    (service.parent / "Makefile").symlink_to(TOOLKIT / "project.mk")
    return service.parent


def test_every_backend_is_vendored_built_and_installed(index: LocalIndex, project: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    # The backends themselves come from the index that this machine is configured with.
    run(["make", "vendor", f"EXTRA_INDEX_URL={index.url}"], project, environment)
    run(["make", "install", f"DESTDIR={root}"], project, environment)
    flit = sorted(path.name for path in (project / "vendor").glob("flit_core-*"))
    assert len(flit) == 2, f"each of the two has the version it needs: {flit}"
    # The script's first line names the final path, so the environment is put there for it.
    program = root / "usr" / "lib" / "yc" / "mixed"
    python = next((program / "bin").glob("python3.*"))
    site = next(program.glob("lib/python3.*/site-packages"))
    script = (program / "bin" / "yc-mixed").read_text()
    assert script.startswith("#!/usr/lib/yc/mixed/bin/python\n")
    done = subprocess.run(
        [python.resolve(), "-I", "-c", f"import sys; sys.path.insert(0, {str(site)!r})\n{script}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[:-1] == [
        *(f"{module(backend)} 1.0" for backend in BACKENDS),
        "zz_old 1.0",
        "zz_new 1.0",
        "42",
        "42",
    ]
