"""Source distributions and wheels made by tests, one kind a backend, none of which needs a network to be made."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import tomli_w

from toolkit.model.names import normalize

from .local_index import LocalIndex

Backend = Literal["tiny", "setuptools", "legacy", "flit", "hatchling", "poetry-core", "pdm-backend"]
_TINY = (Path(__file__).parent / "backend.py").read_text(encoding="utf-8")
_REQUIRES = {
    "tiny": (),
    "setuptools": ("setuptools",),
    "flit": ("flit_core",),
    "hatchling": ("hatchling",),
    "poetry-core": ("poetry-core",),
    "pdm-backend": ("pdm-backend",),
}
_HOOKS = {
    "tiny": "tiny_backend",
    "setuptools": "setuptools.build_meta",
    "flit": "flit_core.buildapi",
    "hatchling": "hatchling.build",
    "poetry-core": "poetry.core.masonry.api",
    "pdm-backend": "pdm.backend",
}
_EXTENSION = """
#include <Python.h>
static PyObject *answer(PyObject *self, PyObject *unused) { return PyLong_FromLong(42); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, 0}, {0, 0, 0, 0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "%(name)s", 0, -1, methods};
PyMODINIT_FUNC PyInit_%(name)s(void) { return PyModule_Create(&module); }
"""


def make_sdist(
    name: str,
    version: str,
    *,
    backend: Backend = "tiny",
    requires: Sequence[str] = (),
    build_requires: Sequence[str] | None = None,
    dynamic: Sequence[str] = (),
    needs_at_build: Sequence[str] = (),
    requires_python: str = "",
    modules: Mapping[str, str] | None = None,
    c_extension: bool = False,
    metadata: bool = True,
    files: Mapping[str, bytes | str] | None = None,
) -> bytes:
    """Return a .tar.gz.

    `backend` tiny carries its backend along (backend-path); the others ask for the real one by name, or as
    `build_requires` says. `dynamic` are requirements that only tiny's hook tells, `needs_at_build` modules that its
    build imports. `metadata=False` leaves Requires-Dist to the build (Metadata 2.1, as legacy sdists do). `files`
    adds to, or replaces, members (below the top directory).
    """
    stem = normalize(name).replace("-", "_")
    modules = {stem: f"VERSION = {version!r}\n"} if modules is None else modules
    members: dict[str, bytes | str] = {f"{module}.py": text for module, text in modules.items()}
    extension = _EXTENSION % {"name": f"_{stem}"} if c_extension else ""
    settings = {
        "name": name,
        "version": version,
        "requires": list(requires),
        "requires_python": requires_python,
        "modules": modules,
        "c_source": extension,
        "c_module": f"_{stem}",
        "dynamic": list(dynamic),
        "needs_at_build": list(needs_at_build),
    }
    members |= _backend_files(backend, settings, build_requires)
    members["PKG-INFO"] = core_metadata(name, version, requires, requires_python, complete=metadata)
    return _tar(f"{stem}-{version}", {**members, **(files or {})})


def make_backend(name: str, version: str, **options: Any) -> bytes:
    """Return an sdist that builds itself and is a backend for others: `fake-backend` has the module `fake_backend`."""
    module = normalize(name).replace("-", "_")
    return make_sdist(name, version, modules={module: _TINY}, **options)


def make_sdist_with_backend(name: str, version: str, backend: str, specifier: str = "", **options: Any) -> bytes:
    """Return an sdist built by a distribution that `make_backend` made."""
    module = normalize(backend).replace("-", "_")
    table = {"build-system": {"requires": [f"{backend}{specifier}"], "build-backend": module}}
    return make_sdist(name, version, files={"pyproject.toml": tomli_w.dumps(table)}, **options)


def make_wheel(
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    requires_python: str = "",
    modules: Mapping[str, str] | None = None,
    tag: str = "py3-none-any",
) -> bytes:
    """Return a wheel."""
    stem = f"{normalize(name).replace('-', '_')}-{version}"
    modules = {stem.split("-")[0]: f"VERSION = {version!r}\n"} if modules is None else modules
    pure = str(tag.endswith("-any")).lower()
    described = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: {pure}\nTag: {tag}\n"
    members = {f"{module}.py": text.encode() for module, text in modules.items()} | {
        f"{stem}.dist-info/METADATA": core_metadata(name, version, requires, requires_python).encode(),
        f"{stem}.dist-info/WHEEL": described.encode(),
    }
    record = "".join(f"{member},sha256={_digest(data)},{len(data)}\n" for member, data in members.items())
    members[f"{stem}.dist-info/RECORD"] = f"{record}{stem}.dist-info/RECORD,,\n".encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as wheel:
        for member, data in members.items():
            wheel.writestr(zipfile.ZipInfo(member), data)
    return stream.getvalue()


def publish(
    index: LocalIndex,
    name: str,
    version: str,
    *,
    requires_python: str = "",
    upload_time: str = "2026-01-01T00:00:00Z",
    yanked: bool | str = False,
    **options: Any,
) -> str:
    """Make an sdist, put it on an index and return its file name."""
    filename = f"{normalize(name).replace('-', '_')}-{version}.tar.gz"
    content = make_sdist(name, version, requires_python=requires_python, **options)
    index.add(filename, content, requires_python=requires_python, upload_time=upload_time, yanked=yanked)
    return filename


def publish_wheel(
    index: LocalIndex, name: str, version: str, *, tag: str = "py3-none-any", requires_python: str = "", **options: Any
) -> str:
    """Make a wheel, put it on an index and return its file name."""
    filename = f"{normalize(name).replace('-', '_')}-{version}-{tag}.whl"
    index.add(
        filename,
        make_wheel(name, version, tag=tag, requires_python=requires_python, **options),
        requires_python=requires_python,
    )
    return filename


def core_metadata(
    name: str, version: str, requires: Sequence[str] = (), requires_python: str = "", *, complete: bool = True
) -> str:
    """Return METADATA or PKG-INFO; not `complete`: of a version that says nothing of dependencies."""
    lines = [f"Metadata-Version: {'2.2' if complete else '1.2'}", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Python: {requires_python}"] if requires_python else []
    lines += [*extras_of(requires), *(f"Requires-Dist: {requirement}" for requirement in requires)] if complete else []
    return "\n".join(lines) + "\n"


def extras_of(requires: Sequence[str]) -> list[str]:
    """Return a Provides-Extra line for each extra that a requirement's marker names."""
    found = (re.search(r"extra == [\"']([^\"']+)", requirement) for requirement in requires)
    return [f"Provides-Extra: {extra}" for extra in dict.fromkeys(match[1] for match in found if match)]


def _backend_files(backend: Backend, settings: dict[str, Any], build_requires: Sequence[str] | None) -> dict[str, str]:
    if backend == "legacy":
        source = {"module.c": settings["c_source"]} if settings["c_source"] else {}
        return {"setup.py": _setup_py(settings), **source}
    wanted = list(_REQUIRES[backend] if build_requires is None else build_requires)
    system: dict[str, Any] = {"requires": wanted, "build-backend": _HOOKS[backend]}
    project: dict[str, Any] = {
        "name": settings["name"],
        "version": settings["version"],
        "dependencies": settings["requires"],
        "description": "Made by a test.",
    }
    if settings["requires_python"]:
        project["requires-python"] = settings["requires_python"]
    table: dict[str, Any] = {"build-system": system, "project": project}
    if backend == "tiny":
        system["backend-path"] = ["."]
        return {"pyproject.toml": tomli_w.dumps(table), "tiny.json": json.dumps(settings), "tiny_backend.py": _TINY}
    files: dict[str, str] = {}
    if backend == "setuptools":
        table["tool"] = {"setuptools": {"py-modules": list(settings["modules"])}}
        if settings["c_source"]:
            files |= {"setup.py": _setup_py(settings, only_extension=True), "module.c": settings["c_source"]}
    if backend == "hatchling":
        table["tool"] = {"hatch": {"build": {"targets": {"wheel": {"include": ["*.py"]}}}}}
    return {"pyproject.toml": tomli_w.dumps(table), **files}


def _setup_py(settings: dict[str, Any], *, only_extension: bool = False) -> str:
    extension = f"Extension({settings['c_module']!r}, ['module.c'])" if settings["c_source"] else ""
    words = {
        "name": settings["name"],
        "version": settings["version"],
        "py_modules": list(settings["modules"]),
        "install_requires": settings["requires"],
    }
    rest = "" if only_extension else ", ".join(f"{key}={value!r}" for key, value in words.items()) + ", "
    return f"from setuptools import Extension, setup\nsetup({rest}ext_modules=[{extension}])\n"


def _tar(top: str, members: Mapping[str, bytes | str]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in members.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(f"{top}/{name}")
            member.size, member.mtime, member.mode = len(data), 1_767_225_600, 0o644
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def as_zip(content: bytes) -> bytes:
    """Return the same tree in a .zip."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w") as new:
        for member in old.getmembers():
            source = old.extractfile(member)
            new.writestr(member.name, source.read() if source else b"")
    return stream.getvalue()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
