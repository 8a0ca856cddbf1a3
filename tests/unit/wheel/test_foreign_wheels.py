"""Whatever a wheel or a file of our caches holds, it is read or is one error; nothing is written outside."""

from __future__ import annotations

import json
import stat
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.foreign_values import lines, one_error, values
from tests.wheel_files import make_wheel
from toolkit.model.interpreter import Interpreter
from toolkit.wheel import check, entry_points, record, unpacking
from toolkit.wheel.image import Images
from toolkit.wheel.store import Store

PYTHON = Interpreter(
    path=Path("/usr/bin/python3"),
    version="3.11",
    full_version="3.11.2",
    soabi="",
    include=Path("/"),
    marker_environment={},
)
INSIDE = "pkg-1.0.dist-info"
NAMES = st.lists(
    st.sampled_from(
        [
            "..",
            ".",
            "",
            "pkg",
            "PKG",
            "x.py",
            "pkg-1.0.data",
            INSIDE,
            "scripts",
            "data",
            "bin",
            "python3",
            "a\\b",
            "\n",
            "é",
        ]
    ),
    min_size=1,
    max_size=4,
).map("/".join)
RECORD_LINES = lines("pkg.py,sha256=", ",", "1", '"', f"{INSIDE}/RECORD,,\n", "../x", "sha256=AAAA", "-1")
COMMAND_LINES = lines("[console_scripts]\n", "run", "=", "pkg:main", "[", "]", "../", "$(x)", "os:system('x')")


def use(wheel: Path, directory: Path) -> None:
    """Check and unpack a wheel, and see that nothing stands beside the environment."""
    with one_error():
        check.check(wheel, "index")
    root = directory / "deep" / "deep" / "environment"
    root.mkdir(parents=True)
    with one_error():
        unpacking.unpack(wheel, root, PYTHON, root / "bin" / "python")
    outside = {path for path in directory.rglob("*") if path.is_file() and not path.is_relative_to(root)}
    assert outside == {wheel}
    assert not any(path.is_symlink() for path in directory.rglob("*"))


@given(NAMES, st.sampled_from([0, stat.S_IFREG, stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO]), st.binary(max_size=8))
def test_any_member(name: str, kind: int, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        member = zipfile.ZipInfo(name.replace("\0", "") or "x")
        member.external_attr = (kind | 0o755) << 16
        use(make_wheel(Path(directory), "pkg", {"pkg.py": "1"}, raw=[(member, content)]), Path(directory))


@given(
    st.sampled_from(["METADATA", "WHEEL", "RECORD", "entry_points.txt"]),
    lines("Name: pkg\n", "Version: 1.0\n", "Tag: ", "Wheel-Version: 1.0\n"),
)
def test_any_file_of_the_metadata(name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        use(make_wheel(Path(directory), "pkg", {"pkg.py": "1"}, inside={name: content}), Path(directory))


@given(RECORD_LINES, COMMAND_LINES)
def test_any_record_and_commands(rows: bytes, commands: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        wheel = make_wheel(
            Path(directory),
            "pkg",
            {"pkg.py": "1"},
            inside={"entry_points.txt": commands},
            record=lambda text: text + rows.decode("utf-8", "surrogateescape"),
        )
        use(wheel, Path(directory))
    for read, content in ((record.parse, rows), (entry_points.commands, commands)):
        try:
            read(content)
        except ValueError as error:
            assert str(error).isprintable() or isinstance(error, UnicodeDecodeError)


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 255)), min_size=1, max_size=3))
def test_any_changed_bytes(changes: list[tuple[int, int]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        wheel = make_wheel(Path(directory), "pkg", {"pkg.py": "1"}, entry_points="[console_scripts]\nrun = pkg:main\n")
        content = bytearray(wheel.read_bytes())
        for place, value in changes:
            content[place % len(content)] = value
        wheel.write_bytes(content)
        use(wheel, Path(directory))


@given(st.one_of(st.binary(max_size=60), values("wheel", "sha256", "files").map(json.dumps).map(str.encode)))
def test_any_entry_of_our_caches(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        store = Store(Path(directory))
        with store.reserved("0" * 64):
            (store._directory("0" * 64) / "entry.json").write_bytes(content)
        assert store.get("0" * 64) is None
        images = Images(store=Path(directory), interpreter=PYTHON, jobs=1)
        for name in ("one", content.decode("latin-1")[:20]):
            images._directory(name).mkdir(parents=True, exist_ok=True)
            (images._directory(name) / "image.json").write_bytes(content)
        (images._directory("one") / "image").write_bytes(content)
        found: Any = images.find("one")
        assert found is None or not found.files
