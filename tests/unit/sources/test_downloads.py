"""Files of an sdist tell that its build may download; what only its tests or its people fetch is none of that."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from toolkit.sources import sdist

_FETCH = "import urllib.request\n\nurllib.request.urlretrieve('https://x.example/a', 'a')\n"
_DECLARE = "FetchContent_Declare(\n  {} URL https://x.example/a.tar.gz)\n"
_CMAKE = '[build-system]\nrequires = ["scikit-build-core"]\nbuild-backend = "scikit_build_core.build"\n'
_IN_TREE = '[build-system]\nrequires = []\nbuild-backend = "make_it"\nbackend-path = ["."]\n'


def place(directory: Path, files: dict[str, str], name: str = "thing") -> str:
    """Return the place in an sdist of these files that tells of a download."""
    path = directory / f"{name}-1.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for member, text in files.items():
            info = tarfile.TarInfo(f"{name}-1/{member}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return sdist.read(path, path.name).downloads


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"setup.py": _FETCH}, "setup.py:3: urllib.request.urlretrieve("),
        ({"setup.py": "import subprocess\nsubprocess.run(['git', 'clone', URL])\n"}, "setup.py:2: subprocess.run("),
        ({"setup.py": "import os\nos.system('git clone --depth 1 https://x.example')\n"}, "setup.py:2: os.system("),
        ({"setup.py": "run(['npm', 'ci'])\n"}, "setup.py:1: run("),
        (
            {"setup.py": "run(['./fetch.sh'])\n", "fetch.sh": "#!/bin/sh\ncurl -O https://x.example/a\n"},
            "fetch.sh:2: curl",
        ),
        ({"setup.py": "import helper\n", "_build/helper.py": _FETCH}, "_build/helper.py:3: "),
        ({"pyproject.toml": _IN_TREE, "make_it.py": _FETCH}, "make_it.py:3: "),
        (
            {"pyproject.toml": '[build-system]\nrequires = ["hatchling"]\n', "hatch_build.py": _FETCH},
            "hatch_build.py:3: ",
        ),
        (
            {"pyproject.toml": _CMAKE, "CMakeLists.txt": _DECLARE.format("zmq")},
            "CMakeLists.txt:1: FetchContent_Declare( zmq",
        ),
        (
            {"pyproject.toml": _CMAKE, "cmake/get.cmake": "file(DOWNLOAD https://x.example/a a)\n"},
            "cmake/get.cmake:1: ",
        ),
        (
            {"setup.py": "run(['cmake', '.'])\n", "src/CMakeLists.txt": "ExternalProject_Add(absl)\n"},
            "src/CMakeLists.txt:1: ",
        ),
        (
            {"pyproject.toml": "", "subprojects/zlib.wrap": "[wrap-file]\nsource_url = https://x.example\n"},
            "subprojects/zlib.wrap:2: ",
        ),
    ],
)
def test_what_a_build_may_fetch_is_found(tmp_path: Path, files: dict[str, str], found: str) -> None:
    assert place(tmp_path, files).startswith(found)


@pytest.mark.parametrize(
    "files",
    [
        {"setup.py": "# urlopen(url)\n"},
        {"setup.py": "print('a git clone has all of it')\n"},
        # An sdist has no submodules.
        {"setup.py": "print('run git submodule update --init')\n"},
        {"setup.py": "", "noxfile.py": _FETCH, "release.sh": "curl https://x.example\n"},
        {"setup.py": "", "thing/client.py": _FETCH},
        {"setup.py": "run(['cmake', '.'])\n", "tests/CMakeLists.txt": _DECLARE.format("x")},
        {"pyproject.toml": _CMAKE, "CMakeLists.txt": _DECLARE.format("googletest")},
        {"pyproject.toml": _CMAKE, "CMakeLists.txt": f"# {_DECLARE.format('x')}"},
        # Nothing calls CMake.
        {"setup.py": "", "lib/CMakeLists.txt": _DECLARE.format("x")},
        # Meson has no need to fetch what is there.
        {"subprojects/zlib.wrap": "source_url = https://x.example\n", "subprojects/zlib/meson.build": ""},
    ],
)
def test_what_no_build_fetches_is_not(tmp_path: Path, files: dict[str, str]) -> None:
    assert place(tmp_path, {"pyproject.toml": "", **files}) == ""


def test_an_sdist_that_has_all_that_its_backend_would_fetch_is_known(tmp_path: Path) -> None:
    files = {"setup.py": _FETCH}
    assert place(tmp_path, files)
    assert place(tmp_path, files, "cmake") == ""


def test_what_is_shown_is_one_short_line(tmp_path: Path) -> None:
    shown = place(tmp_path, {"setup.py": f"x = urlopen(\x1b[2J{'a' * 1000})\n"})
    assert shown.isprintable()
    assert len(shown) < 100
