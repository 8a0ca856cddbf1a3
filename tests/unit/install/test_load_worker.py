from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from toolkit.install import load_worker


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory of modules, from which the worker's processes import."""
    directory = tmp_path / "modules"
    directory.mkdir()
    return directory


def load(modules: Path, names: list[str], **more: Any) -> dict[str, Any]:
    """Run the worker, and return what it says of each that fails."""
    request, result = modules.parent / "request.json", modules.parent / "result.json"
    wanted = {
        "groups": [{"modules": names, "libraries": []}],
        "jobs": 2,
        "seconds": 60,
        "absent": [],
        "paths": [],
        **more,
    }
    request.write_text(json.dumps(wanted))
    code = f"import sys; sys.path.insert(0, {str(modules)!r}); import runpy; "
    code += f"sys.argv[1:] = {[str(request), str(result)]!r}; "
    code += f"runpy.run_path({load_worker.__file__!r}, run_name='__main__')"
    subprocess.run([sys.executable, "-I", "-B", "-c", code], check=True, timeout=60)
    return {failure["name"]: failure for failure in json.loads(result.read_text())}


def test_what_loads_is_not_told(modules: Path) -> None:
    (modules / "good.py").write_text("")
    assert load(modules, ["good", "json"]) == {}


def test_an_error_is_told_with_the_file_that_raised_it(modules: Path) -> None:
    (modules / "outer.py").write_text("import inner\n")
    (modules / "inner.py").write_text("import nowhere_to_be_found\n")
    found = load(modules, ["outer"])["outer"]
    assert (found["type"], found["about"], found["file"]) == (
        "ModuleNotFoundError",
        "nowhere_to_be_found",
        str(modules / "inner.py"),
    )
    assert "ImportError" in found["bases"]
    assert "load_worker" not in "".join(found["traceback"])


def test_a_crash_names_the_module_and_keeps_none_of_the_others_from_being_tried(modules: Path) -> None:
    (modules / "crashing.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    (modules / "ending.py").write_text("import os\nos._exit(0)\n")
    (modules / "bad.py").write_text("1 / 0\n")
    found = load(modules, ["bad", "crashing", "ending", "json"])
    assert {name: (failure["type"], failure["text"]) for name, failure in found.items()} == {
        "bad": ("ZeroDivisionError", "division by zero"),
        "crashing": ("Crash", "the interpreter was ended by SIGSEGV"),
        "ending": ("SystemExit", "the interpreter ended with status 0"),
    }


def test_what_waits_for_ever_is_ended(modules: Path) -> None:
    (modules / "waiting.py").write_text("import time\ntime.sleep(600)\n")
    assert load(modules, ["waiting"], seconds=1)["waiting"]["type"] == "Timeout"


@pytest.mark.parametrize("rest", ["pass", "raise SystemExit", "while not os.path.exists({over!r}): time.sleep(0.05)"])
def test_a_module_that_forks_holds_up_nothing_and_counts_once(modules: Path, rest: str) -> None:
    over = modules / "over"
    copy = rest.format(over=str(over))
    (modules / "forking.py").write_text(f"import os, time\nif not os.fork():\n    {copy}\n")
    (modules / "parent.py").write_text("import os\nif os.fork():\n    1 / 0\n")
    (modules / "bad.py").write_text("import time\ntime.sleep(0.1)\n1 / 0\n")
    try:
        found = load(modules, ["forking", "parent", "bad", "json"])
    finally:
        over.write_text("")
    assert {name: failure["type"] for name, failure in found.items()} == dict.fromkeys(
        ("bad", "parent"), "ZeroDivisionError"
    )


def test_what_fails_only_beside_others_does_not_count(modules: Path) -> None:
    (modules / "first.py").write_text("import sys\nsys.dirty = True\n")
    (modules / "second.py").write_text("import sys\nassert not hasattr(sys, 'dirty')\n")
    assert load(modules, ["first", "second"]) == {}


def test_modules_that_a_server_lacks_are_not_found(modules: Path) -> None:
    (modules / "using.py").write_text("import this_one, json.tool\n")
    (modules / "this_one.py").write_text("import xml.sax\n")
    found = load(modules, ["using"], absent=["xml.sax", "json"])
    # One that something else has put in the place of the system's is found.
    assert found["using"]["text"] == "No module named 'xml.sax'"


def test_a_text_is_one_line_that_can_be_printed(modules: Path) -> None:
    (modules / "odd.py").write_text("raise ValueError('a\\n\\x1b[31mb\\udc80' + 'x' * 5000)\n")
    text = load(modules, ["odd"])["odd"]["text"]
    assert text.isprintable()
    assert len(text) <= 1000


def test_a_library_that_does_not_load(modules: Path) -> None:
    (modules / "libx.so").write_bytes(b"\x7fELF")
    group = {"modules": ["json"], "libraries": [str(modules / "libx.so")]}
    found = load(modules, [], groups=[group])
    assert list(found) == [str(modules / "libx.so")]
    assert found[str(modules / "libx.so")]["is_module"] is False
    assert found[str(modules / "libx.so")]["type"] == "OSError"


def test_libraries_that_are_looked_for_in_vain_are_told(modules: Path) -> None:
    (modules / "asking.py").write_text("from ctypes.util import find_library\nfind_library('nowhere') + ''\n")
    (modules / "opening.py").write_text("import ctypes\nctypes.CDLL('/usr/lib/libnowhere-1.so.2')\n")
    (modules / "other.py").write_text("import ctypes.util\nassert ctypes.util.find_library('c')\n1 / 0\n")
    found = load(modules, ["asking", "opening", "other"])
    assert {name: failure["libraries"] for name, failure in found.items()} == {
        "asking": ["libnowhere.so"],
        "opening": ["libnowhere-1.so.2"],
        "other": [],
    }
    assert found["asking"]["type"] == "TypeError"
