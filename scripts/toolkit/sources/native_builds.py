"""What the build of an sdist takes from the system, as far as its files say so for certain: names of `debian_names`.

A demand for what a build can do without would be worse than none: what an option, a condition or an error that is
caught may spare is left out.
"""

from __future__ import annotations

import ast
import fnmatch
import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from packaging.markers import InvalidMarker, Marker, UndefinedEnvironmentName

from toolkit.archives.archive import Survey
from toolkit.core import documents
from toolkit.model import debian_names
from toolkit.project.pyproject import BuildSystem, table, texts
from toolkit.sources import build_files, c_sources, downloads

#: Where these stand in setup.py, an extension that does not build is left out, and the rest is built all the same.
_FORGIVING = re.compile(rb"\b(?:CompileError|CCompilerError|LinkError|BuildFailed|BuildExtFailed|DistutilsExecError)\b")
#: Sources of others inside of an sdist, which may have the headers that are missed.
_ARCHIVES = (".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".zip")
#: Programs that tell cffi what to compile.
_SCRIPT = re.compile(r"(?:.*/)?[^/]*(?:build|ffi|_run)[^/]*\.py")
_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*<([\w./+-]{1,255})>", re.MULTILINE)
#: PEP 725: `dep:generic/openssl`, `pkg:generic/openssl@3`; `virtual:compiler/fortran`.
_EXTERNAL = re.compile(r"(?:dep|pkg):generic/(?P<name>[\w.+-]+)[^;]*(?:;(?P<marker>.*))?")
_VIRTUAL = {"fortran": "gfortran", "rust": "cargo", "blas": "openblas.pc", "lapack": "lapack.pc", "mpi": "mpi.h"}
#: By distribution: what only the code of a build tells, or what its files seem to need and it can do without.
_KNOWN = {
    "cffi": "ffi.h",
    "fiona": "gdal.h",
    "gdal": "gdal.h",
    "gmpy2": "gmp.h mpfr.h mpc.h",
    "gssapi": "gssapi/gssapi.h",
    "h5py": "hdf5.h pkg-config",
    "mariadb": "mariadb_config",
    "mpi4py": "mpi.h",
    "mysqlclient": "mysql.h pkg-config",
    "netcdf4": "netcdf.h hdf5.h",
    "pikepdf": "qpdf/QPDF.hh",
    "pillow": "jpeglib.h",
    "psycopg2": "libpq-fe.h",
    "pycurl": "curl/curl.h openssl/ssl.h",
    "pyfuse3": "fuse3.pc",
    "pyicu": "unicode/utypes.h pkg-config",
    "pyodbc": "sql.h",
    "pyproj": "proj.h proj",
    "pyscard": "winscard.h swig",
    "python-ldap": "ldap.h sasl/sasl.h",
    "rasterio": "gdal.h",
    "scipy": "gfortran openblas.pc pkg-config",
    "shapely": "geos_c.h",
    "tables": "hdf5.h",
}


def reader(path: str) -> Callable[[bytes], object] | None:
    """Return what reads a file that may tell of a native build, for `archive.survey`."""
    suffix = posixpath.splitext(path)[1]
    if suffix in c_sources.COMPILED or suffix in c_sources.INCLUDED:
        return partial(c_sources.includes, path)
    is_read = posixpath.basename(path) in (build_files.CMAKE, build_files.MESON) or _SCRIPT.fullmatch(path)
    # Most archives have a directory at the top, which is not known yet.
    below = path.partition("/")[2]
    return bytes if is_read or downloads.reads(path) or downloads.reads(below) else None


def names(distribution: str, system: BuildSystem, found: Survey) -> frozenset[str]:
    """Return what a build needs beside a C compiler and Python's headers.

    `found` is what `reader` has read, with setup.py and pyproject.toml among the named files.
    """
    content = documents.toml(found.named["pyproject.toml"]) if found.named.get("pyproject.toml") else {}
    requires = " ".join(system.requires).lower()
    needed = set(_external(table(content, "external")))
    if distribution in _KNOWN:
        needed |= set(_KNOWN[distribution].split())
    elif "meson-python" in requires:
        needed |= _of_meson(found)
    elif re.search(r"\bscikit[-_]build", requires):
        needed |= _of_cmake(content, found)
    else:
        needed |= _of_extensions(content, found)
    known = frozenset(debian_names.beyond_every_build(needed))
    by_name = any(name.endswith(".pc") for name in known) or (known and re.search(r"\bpkgconfig\b", requires))
    return known | ({"pkg-config"} if by_name else set())


def _external(external: Mapping[str, Any]) -> Iterator[str]:
    """Yield what `[external]` names (PEP 725)."""
    entries = [entry for key in ("build-requires", "host-requires") for entry in texts(external.get(key))]
    for entry in entries:
        if entry.startswith("virtual:"):
            name = re.split(r"[/;@ ]", entry)[1:2]
            yield from (_VIRTUAL[each] for each in name if each in _VIRTUAL)
        elif (match := _EXTERNAL.fullmatch(entry)) and _holds(match["marker"]):
            likely = (match["name"], f"{match['name']}.pc", f"lib{match['name']}.pc", f"lib{match['name']}.so")
            yield from [name for name in likely if debian_names.package(name)][:1]


def _holds(marker: str | None) -> bool:
    try:
        return not marker or Marker(marker).evaluate({"sys_platform": "linux", "platform_system": "Linux"})
    except (InvalidMarker, UndefinedEnvironmentName):
        return False


def _of_meson(found: Survey) -> frozenset[str]:
    files = {path: b"" for path in found.paths if path.startswith("subprojects/")}
    files |= {path: text for path, text in found.read.items() if posixpath.basename(path) == build_files.MESON}
    # What finds a program of the source tree itself finds that.
    return build_files.meson(files, ".") - found.paths


def _of_cmake(content: Mapping[str, Any], found: Survey) -> frozenset[str]:
    top = table(content, "tool", "scikit-build", "cmake").get("source-dir", ".")
    files = {path: text for path, text in found.read.items() if posixpath.basename(path) == build_files.CMAKE}
    return build_files.cmake(files, top if isinstance(top, str) else ".")


def _of_extensions(content: Mapping[str, Any], found: Survey) -> frozenset[str]:
    """Return the headers that the extension modules of setuptools include, and swig where it makes their code."""
    setup = found.named.get("setup.py", b"")
    if _FORGIVING.search(setup) or any(path.endswith(_ARCHIVES) for path in found.paths):
        return frozenset()
    texts = {*_constants(setup), *_named(table(content, "tool", "setuptools").get("ext-modules"))}
    compiled = set(_matching(texts, found.paths))
    included = set(c_sources.headers(_sources(found), compiled, found.paths))
    for script in {text.partition(":")[0] for text in texts if ".py:" in text} & found.read.keys():
        # cffi's, of which the text of a program is compiled.
        code = _constants(found.read[script])
        included |= {header for text in code for header in _INCLUDE.findall(text) if not _is_own(header, found.paths)}
    return frozenset(included | ({"swig"} if any(path.endswith(".i") for path in compiled) else set()))


def _sources(found: Survey) -> Mapping[str, Sequence[str]]:
    return {path: value for path, value in found.read.items() if isinstance(value, tuple)}


def _is_own(header: str, paths: Iterable[str]) -> bool:
    return any(f"/{path}".endswith(f"/{header}") for path in paths)


def _named(value: object) -> Iterator[str]:
    entries = value if isinstance(value, list) else ()
    for entry in entries:
        if isinstance(entry, dict) and entry.get("optional") is not True:
            yield from texts(entry.get("sources"))


def _matching(texts: Iterable[str], paths: Collection[str]) -> Iterator[str]:
    """Yield the compiled files of a source tree that texts name: whole, or by their ends, or by a pattern of names."""
    by_name: dict[str, list[str]] = {}
    for path in paths:
        if posixpath.splitext(path)[1] in c_sources.COMPILED:
            by_name.setdefault(posixpath.basename(path), []).append(path)
    for text in texts:
        plain = posixpath.normpath(text).lstrip("./")
        directory, name = posixpath.split(plain)
        if posixpath.splitext(name)[1] not in (*c_sources.COMPILED, ".*"):
            continue
        likely = fnmatch.filter(by_name, name) if "*" in name and name.count("*") < 4 else [name]
        end = f"/{directory}/" if directory and "*" not in directory else "/"
        yield from (
            path for each in likely for path in by_name.get(each, ()) if f"/{posixpath.dirname(path)}/".endswith(end)
        )


def _constants(code: bytes) -> Iterator[str]:
    """Yield the texts in a program that no condition guards, and that are not of an extension that may fail.

    What a text is put together with is a star.
    """
    try:
        left: list[ast.AST] = [documents.python(code)]
    except ValueError:
        return
    while left:
        node = left.pop()
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.JoinedStr(values=values):
                yield "".join(str(item.value) if isinstance(item, ast.Constant) else "*" for item in values)
            case ast.If():
                left += node.body if _is_main(node.test) else []
            case ast.Try() | ast.IfExp() | ast.While():
                continue
            case ast.Call() if any(_is_optional(keyword) for keyword in node.keywords):
                continue
            case _:
                left += ast.iter_child_nodes(node)


def _is_main(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def _is_optional(keyword: ast.keyword) -> bool:
    return keyword.arg == "optional" and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
