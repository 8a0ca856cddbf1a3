"""A project with two services and a library, packaged by the real dpkg-buildpackage."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import subprocess
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path

from tests.integration.sdists import make_sdist
from toolkit.core import files
from toolkit.model.lock import Distribution, LocalPackage, Lock, VendoredFile
from toolkit.vendored import lock_file
from toolkit.vendoring import lock_writer

TOOLKIT = Path(__file__).resolve().parents[2]
CONTROL = """\
Source: some-project
Section: net
Priority: optional
Maintainer: Some Developer <developer@example.com>
Build-Depends: bubblewrap, debhelper-compat (= 13), libseccomp2, python3-dev, python3-packaging
Standards-Version: 4.6.2
Rules-Requires-Root: no

Package: yc-api-service
Architecture: any
Depends: ${misc:Depends}, ${python3:Depends}, ${shlibs:Depends}
Description: service with compiled code
 It answers.

Package: worker
Architecture: all
Depends: ${misc:Depends}, ${python3:Depends}
Description: service without compiled code
 It works.
"""
CHANGELOG = """\
some-project (1.0) unstable; urgency=medium

  * First release.

 -- Some Developer <developer@example.com>  Mon, 02 Nov 2026 10:00:00 +0000
"""
# Calls a function of libc, so that the package has to depend on it.
EXTENSION = """
#include <Python.h>
#include <time.h>
static PyObject *answer(PyObject *self, PyObject *unused) { return PyLong_FromLong(time(NULL) > 0 ? 42 : 0); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, 0}, {0, 0, 0, 0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_native", 0, -1, methods};
PyMODINIT_FUNC PyInit__native(void) { return PyModule_Create(&module); }
"""
SCRIPT = "#!/usr/bin/env python3\nimport api_service\nprint(api_service.answer())\n"
TEST = """\
import pathlib, subprocess, unittest
import api_service, shared

class Answer(unittest.TestCase):
    def test_answers(self):
        self.assertEqual(api_service.answer(), 42)

    def test_is_the_one_that_was_built(self):
        self.assertIn("site-packages", api_service.__file__)

    def test_its_script_runs(self):
        done = subprocess.run(["yc-api"], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "42\\n")
"""


@dataclass(frozen=True)
class DebianProject:
    """A project at `root`; its wheel store is `store`. `user` runs make (default: who runs the tests)."""

    root: Path
    store: Path
    user: int | None = None

    @property
    def dist(self) -> Path:
        return self.root / "dist"

    def make(self, *words: str, umask: int = 0o022, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run make as a user would, whatever comes of it."""
        with self.start(*words, umask=umask, **variables) as running:
            try:
                output, _ = running.communicate(timeout=600)
            except BaseException:
                running.kill()
                raise
        return subprocess.CompletedProcess(running.args, running.returncode, output)

    def start(self, *words: str, umask: int = 0o022, **variables: str) -> subprocess.Popen[str]:
        """Start make, in a session of its own."""
        clean = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root.parent),
            "PYTHON_COMMON_WHEEL_STORE": str(self.store),
            **variables,
        }
        return subprocess.Popen(
            ["make", *words],
            cwd=self.root,
            env=clean,
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
            umask=umask,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def built(self, *words: str, umask: int = 0o022, **variables: str) -> str:
        """Run make and return what it printed; it has to succeed."""
        done = self.make(*words, umask=umask, **variables)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def add_wheel(self, service: str, wheel: Path, name: str, version: str) -> None:
        """Lock a wheel of vendor/ for a service, as a line of vendor.txt does."""
        file = VendoredFile(name=wheel.name, size=wheel.stat().st_size, sha256=files.sha256(wheel))
        path = lock_file.path_of(self.root / "vendor", service)
        old = lock_file.read(path)
        added = Distribution(name=name, version=version, kind="wheels", files=(file,))
        lock_writer.write(path, replace(old, packages=(*old.packages, added)))

    def commit(self) -> None:
        git = ["git", "-c", "user.name=A", "-c", "user.email=a@b.example", "-C", str(self.root)]
        for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "x"]):
            subprocess.run([*git, *words], check=True, capture_output=True)


def make_project(directory: Path) -> DebianProject:
    """Make the project, committed, with the toolkit in common/ and a vendor/ that holds one compiled distribution."""
    project = DebianProject(directory / "project", directory / "store")
    _toolkit(project.root / "common")
    (project.root / "Makefile").symlink_to("common/project.mk")
    project.write(".gitignore", "/build/\n/dist/\n__pycache__/\n")
    project.write("debian/control", CONTROL)
    project.write("debian/changelog", CHANGELOG)
    project.write("debian/source/format", "3.0 (native)\n")
    project.write("debian/rules", "#!/usr/bin/make -f\n%:\n\tdh $@\n")
    (project.root / "debian/rules").chmod(0o755)
    # Its time is what dh_strip_nondeterminism takes out, however that is started.
    (project.root / "stamp.gz").write_bytes(gzip.compress(b"", mtime=2**31 - 1))
    project.write("debian/worker.install", "stamp.gz usr/share/worker\n")
    project.write("debian/yc-api-service.prune", "native_probe.py  # nothing imports it\n")
    _packages(project)
    _vendor(project)
    project.commit()
    return project


def _toolkit(target: Path) -> None:
    for name in ("scripts", "yc_common"):
        shutil.copytree(TOOLKIT / name, target / name, symlinks=True)
    for name in ("project.mk", "setup.py", "pyproject.toml", "README.md", "requirements.txt"):
        if (TOOLKIT / name).exists():
            shutil.copy(TOOLKIT / name, target / name)
    (target / "tests").mkdir()
    (target / "tests/test_x.py").write_text("")


def _packages(project: DebianProject) -> None:
    answer = "import native\nimport shared\ndef answer():\n    return native.answer()\n"
    native = "from _native import answer\n"
    _unpack(project, "shared", make_sdist("shared", "1.0", modules={"shared": "VALUE = 1\n"}))
    _unpack(project, "api_service", make_sdist("api-service", "1.0", modules={"api_service": answer}))
    _unpack(project, "worker", make_sdist("worker", "1.0", modules={"worker": "import shared\n"}))
    project.write("api_service/bin/yc-api", SCRIPT)
    project.write("api_service/tests/test_answer.py", TEST)
    project.write("worker/bin/yc-work", "#!/usr/bin/python3 -u\nimport worker\n")
    project.write("worker/tests/test_work.py", "import pytest\n\ndef test_works():\n    import worker\n")
    settings = {
        "name": "native",
        "version": "2.0",
        "requires": [],
        "requires_python": "",
        "dynamic": [],
        "needs_at_build": [],
        "modules": {"native": native, "native_probe": "VALUE = 1\n"},
        "c_module": "_native",
        "c_source": EXTENSION,
    }
    sdist = make_sdist("native", "2.0", files={"tiny.json": json.dumps(settings)})
    (project.root / "vendor").mkdir()
    (project.root / "vendor/native-2.0.tar.gz").write_bytes(sdist)


def _unpack(project: DebianProject, name: str, sdist: bytes) -> None:
    with tarfile.open(fileobj=io.BytesIO(sdist)) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            if stream:
                path = project.root / name / member.name.partition("/")[2]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(stream.read())


def _vendor(project: DebianProject) -> None:
    vendor = project.root / "vendor"
    file = vendor / "native-2.0.tar.gz"
    vendored = VendoredFile(name=file.name, size=file.stat().st_size, sha256=files.sha256(file))
    native = Distribution(name="native", version="2.0", kind="sdist", files=(vendored,))
    shared = LocalPackage(name="shared", path="shared")
    for name, directory, packages in (("api-service", "api_service", (native,)), ("worker", "worker", ())):
        local = (shared, LocalPackage(name=name, path=directory))
        lock_writer.write(
            lock_file.path_of(vendor, name),
            Lock(service=name, pythons=("3.11", "3.12", "3.13"), platforms=("linux",), packages=packages, local=local),
        )
