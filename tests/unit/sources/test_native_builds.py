"""What an sdist's build takes from the system is known before it is built, and nothing that it may do without."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from toolkit.sources import sdist

_SETUP = "from setuptools import Extension, setup\nsetup(name='thing', ext_modules=[{}])\n"
_EXTENSION = _SETUP.format("Extension('thing', ['src/thing.c'])")
_MESON = {"pyproject.toml": '[build-system]\nrequires = ["meson-python"]\nbuild-backend = "mesonpy"\n'}
_CMAKE = {
    "pyproject.toml": '[build-system]\nrequires = ["scikit-build-core"]\nbuild-backend = "scikit_build_core.build"\n'
}


def names(directory: Path, files: dict[str, str], name: str = "thing") -> set[str]:
    """Return what the build of an sdist of these files takes from the system."""
    path = directory / f"{name}-1.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for member, text in files.items():
            info = tarfile.TarInfo(f"{name}-1/{member}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return set(sdist.read(path, path.name).system_files)


@pytest.mark.parametrize(
    "source",
    [
        "#include <libpq-fe.h>",
        '/* #ifdef X */\n#include "libpq-fe.h"',
        "#ifdef X\n#endif\n  # include <libpq-fe.h>",
        "#ifndef GUARD\n#define GUARD\n#include <libpq-fe.h>\n#endif",
    ],
)
def test_a_compiled_source_needs_its_headers(tmp_path: Path, source: str) -> None:
    assert names(tmp_path, {"setup.py": _EXTENSION, "src/thing.c": f"{source}\n"}) == {"libpq-fe.h"}


@pytest.mark.parametrize(
    "source",
    [
        "#ifdef HAVE_PQ\n#include <libpq-fe.h>\n#endif",
        "#ifndef GUARD\n#include <libpq-fe.h>\n#endif",
        "/* #include <libpq-fe.h> */",
        "#if 0\n#else\n#include <libpq-fe.h>\n#endif",
        "#include <stdio.h>\n#include <Python.h>\n#include <zlib.h>\n#include <no/such/thing.h>",
        "/*" * 50000,
    ],
)
def test_what_a_condition_guards_or_every_build_has_is_not_asked_for(tmp_path: Path, source: str) -> None:
    assert names(tmp_path, {"setup.py": _EXTENSION, "src/thing.c": f"{source}\n"}) == set()


def test_headers_are_followed_and_those_of_the_tree_are_its_own(tmp_path: Path) -> None:
    found = names(
        tmp_path,
        {
            "setup.py": _EXTENSION,
            "src/thing.c": '#include "own.h"\n#include <sodium.h>\n',
            "src/own.h": "#include <lz4.h>\n",
            "bundled/include/sodium.h": "",
        },
    )
    assert found == {"lz4.h"}


def test_cython_is_followed_into_its_declarations(tmp_path: Path) -> None:
    setup = _SETUP.format("*[Extension(f'thing.{name}', [f'src/{name}.pyx']) for name in ('a',)]")
    files = {
        "setup.py": setup,
        "src/a.pyx": "from thing.api cimport run\n",
        "thing/api.pxd": 'cdef extern from "krb5.h":\n    int run()\n',
    }
    assert names(tmp_path, files) == {"krb5.h"}


@pytest.mark.parametrize(
    "setup",
    [
        _SETUP.format("Extension('thing', ['src/thing.c'], optional=True)"),
        f"import sys\nif sys.platform == 'win32':\n    x = ['src/thing.c']\n{_SETUP.format('')}",
        f"try:\n    x = ['src/thing.c']\nexcept OSError: pass\n{_SETUP.format('')}",
        f"from distutils.errors import CompileError\n{_EXTENSION}",
        _SETUP.format("Extension('thing', ['src/other.c'])"),
        "not python (",
    ],
)
def test_an_extension_that_may_be_left_out_needs_nothing(tmp_path: Path, setup: str) -> None:
    assert names(tmp_path, {"setup.py": setup, "src/thing.c": "#include <libpq-fe.h>\n"}) == set()


def test_sources_that_come_as_an_archive_may_have_the_headers(tmp_path: Path) -> None:
    files = {"setup.py": _EXTENSION, "src/thing.c": "#include <fitsio.h>\n", "cfitsio-4.tar.gz": ""}
    assert names(tmp_path, files) == set()


def test_extensions_of_pyproject_and_programs_of_cffi_count_and_swig_makes_code(tmp_path: Path) -> None:
    table = (
        '[build-system]\nrequires = ["setuptools"]\n[[tool.setuptools.ext-modules]]\nname = "x"\nsources = ["x.i"]\n'
    )
    code = 'ffi.set_source("_x", """\n#include <git2.h>\n""")\n'
    setup = "from setuptools import setup\nsetup(cffi_modules=['x/_build.py:ffi'])\n"
    files = {"pyproject.toml": table, "x.i": "%include <gpgme.h>\n", "setup.py": setup, "x/_build.py": code}
    assert names(tmp_path, files) == {"swig", "gpgme.h", "git2.h"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cairo = dependency('cairo', version: '>=1.15', required: true)", {"cairo.pc", "pkg-config"}),
        ("d = dependency('dbus-1', required: cc.get_id() != 'msvc')", {"dbus-1.pc", "pkg-config"}),
        ("project('x', 'c', 'fortran', version: run_command('v', check: true).stdout())", {"gfortran"}),
        ("find_program('swig')\ncc.find_library('z')", {"swig"}),
        ("subdir('deep')", {"libpq.pc", "pkg-config"}),
        ("d = dependency('cairo', required: false)", set()),
        ("d = dependency('cairo', required: get_option('cairo'))", set()),
        ("if x\n  d = dependency('cairo')\nendif", set()),
        ("# dependency('cairo')\nx = '# not' + 'a comment'", set()),
        ("d = dependency('libffi', fallback: ['ffi', 'ffi_dep'])", set()),
        ("d = dependency('libffi', fallback: ['other', 'dep'])", {"libffi.pc", "pkg-config"}),
        ("p = py.dependency()\nn = dependency('numpy')", set()),
        ("dependency(" * 2000, set()),
    ],
)
def test_meson_says_what_it_cannot_do_without(tmp_path: Path, text: str, expected: set[str]) -> None:
    files = {
        **_MESON,
        "meson.build": text,
        "deep/meson.build": "dependency('libpq')",
        "subprojects/ffi/meson.build": "",
    }
    assert names(tmp_path, files) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("find_package(ZLIB REQUIRED)\nfind_package(OpenSSL 3 REQUIRED)", {"OpenSSL.cmake"}),
        ("pkg_check_modules(GLIB REQUIRED IMPORTED_TARGET glib-2.0>=2.50)", {"glib-2.0.pc", "pkg-config"}),
        ("add_subdirectory(deep)", {"HDF5.cmake"}),
        ("find_package(OpenSSL)", set()),
        ("# find_package(OpenSSL REQUIRED)", set()),
        ("if(WITH_SSL)\nfind_package(OpenSSL REQUIRED)\nendif()", set()),
        ("function(x)\nfind_package(OpenSSL REQUIRED)\nendfunction()", set()),
        ("pkg_search_module(X REQUIRED glib-2.0 cairo)", set()),
    ],
)
def test_cmake_says_what_it_cannot_do_without(tmp_path: Path, text: str, expected: set[str]) -> None:
    files = {**_CMAKE, "CMakeLists.txt": text, "deep/CMakeLists.txt": "find_package(HDF5 REQUIRED)"}
    assert names(tmp_path, files) == expected


def test_external_dependencies_are_taken_by_their_word(tmp_path: Path) -> None:
    text = """\
[build-system]
requires = ["setuptools"]
[external]
build-requires = ["virtual:compiler/c", "virtual:compiler/rust", "dep:generic/ninja"]
host-requires = ["pkg:generic/openssl@3", "pkg:generic/xml2 ; platform_system == 'Windows'", "dep:generic/libxslt", 1]
"""
    assert names(tmp_path, {"pyproject.toml": text}) == {"cargo", "ninja", "openssl.pc", "libxslt.pc", "pkg-config"}


def test_what_only_code_tells_is_known_by_name(tmp_path: Path) -> None:
    assert names(tmp_path, {"PKG-INFO": "Name: mysqlclient\n"}, "mysqlclient") == {"mysql.h", "pkg-config"}
