"""Rust: a service with two distributions that cargo compiles becomes a package for two releases, and runs there."""

from __future__ import annotations

import pytest

from tests.e2e.machine import TOOLKIT, run, run_installed
from tests.integration.debian_project import DebianProject
from toolkit.vendored import lock_file

CONTROL = """\
Source: rusty
Section: net
Priority: optional
Maintainer: Some Developer <developer@example.com>
Build-Depends: bubblewrap, cargo-web, debhelper-compat (= 13), libseccomp2, python3-dev, python3-packaging, rustc-web
Standards-Version: 4.6.2
Rules-Requires-Root: no

Package: yc-rusty-service
Architecture: any
Depends: ${misc:Depends}, ${python3:Depends}, ${shlibs:Depends}
Description: service that is compiled from Rust
 It checks a word.
"""
CHANGELOG = """\
rusty (1.0) unstable; urgency=medium

  * First release.

 -- Some Developer <developer@example.com>  Mon, 02 Nov 2026 10:00:00 +0000
"""
SETUP = 'from setuptools import setup\n\nsetup(name="rusty-service", scripts=["bin/yc-rusty"])\n'
SCRIPT = """\
#!/usr/bin/env python3
import bcrypt, rpds

kept = rpds.HashTrieMap({"somebody": bcrypt.hashpw(b"word", bcrypt.gensalt(4))})
print(bcrypt.checkpw(b"word", kept["somebody"]), bcrypt.checkpw(b"sword", kept["somebody"]))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> DebianProject:
    """Return a vendored project whose service needs what setuptools-rust builds, and what maturin does."""
    directory = tmp_path_factory.mktemp("rust")
    project = DebianProject(directory / "project", directory / "store")
    project.root.mkdir()
    git = ["git", "-C", str(project.root), "-c", "protocol.file.allow=always"]
    run([*git, "init", "--quiet"])
    run([*git, "submodule", "--quiet", "add", str(TOOLKIT), "common"])
    (project.root / "Makefile").symlink_to("common/project.mk")
    for name, text in {
        ".gitignore": "/build/\n/dist/\n",
        "debian/control": CONTROL,
        "debian/changelog": CHANGELOG,
        "debian/source/format": "3.0 (native)\n",
        "debian/rules": "#!/usr/bin/make -f\n%:\n\tdh $@\n",
        "rusty_service/.python-version": "3.11\n3.13\n",
        "rusty_service/setup.py": SETUP,
        "rusty_service/bin/yc-rusty": SCRIPT,
        "rusty_service/requirements.txt": "bcrypt\nrpds-py\n",
        # Built from source it takes minutes; what it does is the same.
        "rusty_service/vendor.txt": "maturin\n",
    }.items():
        project.write(name, text)
    (project.root / "debian/rules").chmod(0o755)
    project.commit()
    run(["make", "vendor"], cwd=project.root, env=environment)
    project.commit()
    lock = lock_file.read(lock_file.path_of(project.root / "vendor", "rusty-service"))
    assert {item.name for item in lock.packages if item.crates} == {"bcrypt", "rpds-py"}
    return project


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_what_is_compiled_from_rust_runs_where_it_is_installed(
    project: DebianProject, environment: dict[str, str], suite: str
) -> None:
    run(["make", "sbuild", f"SUITES={suite}"], cwd=project.root, env=environment)
    [package] = (project.dist / suite).glob("yc-rusty-service_*.deb")
    assert [*(project.dist / suite).glob("yc-rusty-service-dbgsym_*.deb")]
    assert "True False" in run_installed([package], suite, "yc-rusty")
