"""The rooms are as docs/architecture.md has them, and an import that breaks a rule is found and told."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import import_rules
import room_picture
import rooms

ROOT = Path(__file__).resolve().parents[3]


MODULES = {
    "core/process.py": "import subprocess",
    "core/files.py": "import os",
    "build/plan.py": "from toolkit.core import files, process",
    "network/index_pages.py": "import requests",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a small toolkit in the rooms of the real one, with no fault in it."""
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / rooms.DOCUMENT, tmp_path / "docs")
    (tmp_path / "yc_common").mkdir()
    for name, text in MODULES.items():
        path = tmp_path / "scripts" / "toolkit" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    assert list(import_rules.faults(tmp_path)) == []
    return tmp_path


def test_every_import_keeps_the_rules() -> None:
    assert list(import_rules.faults(ROOT)) == []


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("toolkit/model/wrong.py", "from toolkit.build import plan", "rule 1: .* build/ is below model/"),
        ("toolkit/model/wrong.py", "def f():\n    from toolkit.build import plan", "rule 1: .* build/ is below model/"),
        ("toolkit/core/wrong.py", "import toolkit.stand", "rule 1: .* stand/ is below core/"),
        ("toolkit/core/wrong.py", "from toolkit import attic", "rule 1: a room imports only rooms"),
        ("toolkit/core/wrong.py", "import packaging.version", "rule 2: .* core/ has nothing"),
        ("toolkit/build/wrong.py", "import requests", "rule 2: .* build/ has packaging; requests is for network"),
        ("toolkit/debian/wrong.py", "def f():\n    import tomli_w", "rule 2: .* tomli_w is for engines, vendoring"),
        ("toolkit/stand/wrong.py", "from yaml import safe_load", "rule 2: .* yaml is for no room"),
        ("wrong.py", "import requests", "rule 2: a program imports the standard library"),
        ("wrong.py", "from toolkit.network import index_pages", "wrong loads .*rule 3: a program enters the tools"),
        ("toolkit/build/wrong.py", "import subprocess", "rule 4: only toolkit.core.process starts processes"),
        ("wrong.py", "def f():\n    import subprocess", "rule 4: only toolkit.core.process starts processes"),
        ("toolkit/build/wrong.py", "from toolkit.build import wrong", "wrong import each other .rule 5: no circle"),
        ("toolkit/model/wrong.py", "import shutil", "rule 6: model/ is data"),
        ("toolkit/model/wrong.py", "from toolkit.core import files", "rule 6: model/ is data"),
        ("toolkit/attic/wrong.py", "import os", "attic/ is a room without a row"),
    ],
)
def test_a_wrong_import_is_told_with_its_rule(checkout: Path, path: str, text: str, told: str) -> None:
    wrong = checkout / "scripts" / path
    wrong.parent.mkdir(exist_ok=True)
    wrong.write_text(text + "\n")
    (fault,) = import_rules.faults(checkout)
    assert fault.startswith(f"scripts/{path}:")
    assert re.search(told, fault), fault


def test_modules_in_a_circle_are_named(checkout: Path) -> None:
    for name, other in zip("abc", "bca", strict=True):
        text = f"def later():\n    from toolkit.core import wrong_{other}\n"
        (checkout / "scripts" / "toolkit" / "core" / f"wrong_{name}.py").write_text(text)
    names = ", ".join(f"toolkit.core.wrong_{name}" for name in "abc")
    expected = f"scripts/toolkit/core/wrong_a.py:1: {names} import each other (rule 5: no circle of modules)"
    assert list(import_rules.faults(checkout)) == [expected]


def test_the_program_ends_with_status_1_where_a_rule_is_broken(checkout: Path) -> None:
    program = ROOT / "tests" / "architecture" / "import_rules.py"
    wrong = checkout / "scripts" / "toolkit" / "core" / "wrong.py"
    wrong.write_text("import subprocess\n")
    run = subprocess.run([sys.executable, program, checkout], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "scripts/toolkit/core/wrong.py:1: toolkit.core.wrong imports subprocess (rule 4" in run.stdout
    assert run.stdout.endswith("imports: 1 break a rule of docs/architecture.md\n")


def test_lint_runs_the_rules() -> None:
    lint = (ROOT / "tox.ini").read_text().partition("[testenv:lint]")[2]
    assert "python tests/architecture/import_rules.py" in lint


def test_the_table_has_every_room() -> None:
    directories = {
        path.parent.relative_to(ROOT / "scripts" / "toolkit") for path in ROOT.glob("scripts/toolkit/*/**/*.py")
    }
    assert {str(path) for path in directories} == set(rooms.rooms())


def test_the_picture_shows_the_rooms_in_the_order_of_the_table() -> None:
    text = (ROOT / room_picture.PICTURE).read_text()
    assert re.findall(r'class="name"[^>]*>([^<]+)/<', text) == list(rooms.rooms())


def test_an_arrow_that_follows_from_others_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / rooms.DOCUMENT).write_text("".join(f"| `{name}/` | it | |\n" for name in "abc"))
    for name, text in {
        "a": "",
        "b": "from toolkit.a import m",
        "c": "from toolkit.a import m\nfrom toolkit.b import m",
    }.items():
        (tmp_path / "scripts" / "toolkit" / name).mkdir(parents=True)
        (tmp_path / "scripts" / "toolkit" / name / "m.py").write_text(text)
    assert room_picture.arrows(tmp_path) == {"a": set(), "b": {"a"}, "c": {"b"}}
