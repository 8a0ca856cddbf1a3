"""What patterns mean, and that what is left is consistent."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.core.errors import UserError
from toolkit.install import pruning
from toolkit.install.pruning import Rule

SITE = "lib/python3.11/site-packages"
NAMES = (
    "bin/tool",
    "include/site/python3.11/thing/thing.h",
    f"{SITE}/thing/__init__.py",
    f"{SITE}/thing/__pycache__/__init__.cpython-311.pyc",
    f"{SITE}/thing/fast.pyx",
    f"{SITE}/thing/tests/__init__.py",
    f"{SITE}/thing/tests/__pycache__/__init__.cpython-311.pyc",
    f"{SITE}/thing/tests/data/a.txt",
    f"{SITE}/thing/inner/fast.pyx",
    f"{SITE}/top.py",
    f"{SITE}/__pycache__/top.cpython-311.pyc",
    f"{SITE}/thing-1.0.dist-info/RECORD",
    f"{SITE}/thing-1.0.dist-info/METADATA",
)


def chosen(*patterns: str) -> set[str]:
    rules = [Rule(pattern=pattern, origin="debian/x.prune:1") for pattern in patterns]
    return {name.removeprefix(f"{SITE}/") for name in pruning.chosen(NAMES, rules, SITE)}


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        (
            "thing/tests",
            {"thing/tests/__init__.py", "thing/tests/__pycache__/__init__.cpython-311.pyc", "thing/tests/data/a.txt"},
        ),
        (
            "**/tests/",
            {"thing/tests/__init__.py", "thing/tests/__pycache__/__init__.cpython-311.pyc", "thing/tests/data/a.txt"},
        ),
        ("**/*.pyx", {"thing/fast.pyx", "thing/inner/fast.pyx"}),
        ("*/*.pyx", {"thing/fast.pyx"}),
        ("to?.py", {"top.py", "__pycache__/top.cpython-311.pyc"}),
        ("/include", {"include/site/python3.11/thing/thing.h"}),
        ("/bin/tool", {"bin/tool"}),
    ],
)
def test_a_pattern_means(pattern: str, names: set[str]) -> None:
    assert chosen(pattern) == names


def test_metadata_and_byte_code_by_itself_stay(capsys: pytest.CaptureFixture[str]) -> None:
    assert chosen("*.dist-info", "**/__pycache__", "**/*.pyc") == set()
    assert capsys.readouterr().err.count("matches nothing") == 3


def test_everything_means_all_but_metadata() -> None:
    assert {name for name in NAMES if ".dist-info" in name}.isdisjoint(chosen("/**"))
    assert len(chosen("/**")) == len(NAMES) - 2


def test_a_file_has_comments_and_lines_with_numbers(tmp_path: Path) -> None:
    path = tmp_path / "x.prune"
    path.write_text("# why\n\nthing/tests  # they are large\n**/*.h\n")
    assert [(rule.pattern, rule.origin) for rule in pruning.read(path, "debian/x.prune")] == [
        ("thing/tests", "debian/x.prune:3"),
        ("**/*.h", "debian/x.prune:4"),
    ]
    assert pruning.read(tmp_path / "none", "none") == ()


def test_nothing_outside_of_the_environment_can_be_meant(tmp_path: Path) -> None:
    path = tmp_path / "x.prune"
    path.write_text("thing/../../../../../../etc/passwd\n")
    with pytest.raises(UserError, match=r"debian/x\.prune:1: .* leads out of the environment"):
        pruning.read(path, "debian/x.prune")


def test_a_file_in_another_encoding_is_said_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "debian" / "x.prune"
    path.parent.mkdir()
    path.write_bytes(b"thing/tests\ncaf\xe9\n")
    with pytest.raises(UserError, match=r"debian/x\.prune:2: not UTF-8"):
        pruning.read(path, "debian/x.prune")


def test_a_record_no_longer_lists_what_is_not_there(tmp_path: Path) -> None:
    record = tmp_path / SITE / "thing-1.0.dist-info/RECORD"
    record.parent.mkdir(parents=True)
    kept = 'thing/__init__.py,sha256=a,1\n"thing/a,b.txt",sha256=b,2\nthing-1.0.dist-info/RECORD,,\n'
    record.write_text(f"../../../bin/tool,sha256=c,3\nthing/fast.pyx,sha256=d,4\n{kept}")
    pruning.rewrite_records(tmp_path, {"bin/tool", f"{SITE}/thing/fast.pyx"})
    assert record.read_text() == kept
