"""The reference project: one service with the requirements of reference31.in and little code of its own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOLKIT = HERE.parent

_FILES = {
    "reference_service/setup.py": """\
from setuptools import setup

setup(name="reference-service", version="1.0", packages=["yc_reference_service"], scripts=["bin/yc-reference-service"])
""",
    "reference_service/.python-version": "3.11\n",
    "reference_service/bin/yc-reference-service": """\
#!/usr/bin/env python3
from yc_reference_service import main

main()
""",
    "reference_service/yc_reference_service/__init__.py": """\
def main():
    import aiohttp, flask, requests, sqlalchemy, yaml

    print(aiohttp.__version__, sqlalchemy.__version__)
""",
    "debian/control": """\
Source: reference
Section: python
Priority: optional
Maintainer: Reference <reference@example.org>
Build-Depends: debhelper-compat (= 13), python3-dev, python3-packaging
Standards-Version: 4.6.2
Rules-Requires-Root: no

Package: yc-reference-service
Architecture: any
Depends: ${python3:Depends}, ${shlibs:Depends}, ${misc:Depends}
Description: the reference service
 It exists to be built.
""",
    "debian/changelog": """\
reference (1.0) bookworm; urgency=medium

  * First.

 -- Reference <reference@example.org>  Sun, 01 Nov 2026 12:00:00 +0000
""",
    "debian/rules": "#!/usr/bin/make -f\n%:\n\tdh $@\n",
    "debian/source/format": "3.0 (native)\n",
    # What the template of services leaves out, and tests.
    "debian/yc-reference-service.prune": "**/*.pxd\n**/*.pyx\n**/*.pyi\n**/*.h\n**/tests\n",
    ".gitignore": "/build/\n/dist/\n",
}


def create(directory: Path, toolkit: Path = TOOLKIT, requirements: Path = HERE / "reference31.in") -> Path:
    """Write the reference project anew at `directory`, a git repository with the toolkit's commit; return its path."""
    shutil.rmtree(directory, ignore_errors=True)
    for name, content in _FILES.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    for name in ("debian/rules", "reference_service/bin/yc-reference-service"):
        (directory / name).chmod(0o755)
    shutil.copy(requirements, directory / "reference_service" / "requirements.txt")
    git = ("git", "-C", str(directory), "-c", "protocol.file.allow=always")
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "submodule", "--quiet", "add", str(toolkit), "common"], check=True)
    (directory / "Makefile").symlink_to("common/project.mk")
    commit(directory)
    return directory


def commit(directory: Path) -> None:
    """Commit everything in the project."""
    git = ["git", "-C", str(directory), "-c", "user.name=Reference", "-c", "user.email=reference@example.org"]
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "reference"], check=True)
