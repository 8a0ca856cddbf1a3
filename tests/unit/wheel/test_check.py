"""A wheel that is not sound is refused in one line, which names the wheel and the member, wherever it is from."""

from __future__ import annotations

import re
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.wheel_files import make_wheel
from toolkit.archives import archive_limits
from toolkit.core.errors import UserError
from toolkit.wheel import check

INSIDE = "pkg-1.0.dist-info"


def refused(wheel: Path, **options: Any) -> str:
    with pytest.raises(UserError) as caught:
        check.check(wheel, **{"origin": "index", **options})
    assert caught.value.what.isprintable()
    assert wheel.name in caught.value.what
    assert "vendor.txt" not in caught.value.hint
    return caught.value.what


def special(name: str, kind: int) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.external_attr = (kind | 0o644) << 16
    return member


def test_a_sound_wheel_is_read_and_tells_its_metadata(tmp_path: Path) -> None:
    wheel = make_wheel(
        tmp_path,
        "pkg",
        {
            "pkg/__init__.py": "",
            "pkg/Makefile": "a",
            "pkg/makefile": "b",
            "pkg/a,b.txt": "",
            "scripts/pkg": "#!python\n",
        },
        entry_points="[console_scripts]\npkg-run = pkg : main.x [extra]\nPkg-Run=pkg:main.x [extra]\n[x]\ny z = a\n",
        raw=[(special("pkg/empty/", stat.S_IFDIR), b"")],
        metadata="Summary: x\n",
    )
    assert check.check(wheel, "index", name="Pkg", version="1.0.0").summary == "x"


NAMES = {
    "../x": "leads out of the environment",
    "pkg/../../x": "leads out of the environment",
    "/etc/x": "leads out of the environment",
    "C:/x": "leads out of the environment",
    "c:x": "leads out of the environment",
    "pkg-1.0.data/data/../../x": "leads out of the environment",
    "..\\x": "has a backslash",
    "pkg\\x.py": "has a backslash",
    "pkg//x.py": "an empty part",
    "pkg/./x.py": "an empty part",
    "./x.py": "an empty part",
    "pkg/a\nb.py": "characters that nobody sees",
    "pkg/\x1b[2Jb.py": "characters that nobody sees",
    "pkg/\x85b.py": "characters that nobody sees",
    "pkg/\u202egnp.py": "characters that nobody sees",
    "pkg/\u2028.py": "characters that nobody sees",
    "pkg/" + "x" * 241: "too long for a file",
    "p/" * 600 + "x": "too long for a file",
    "pkg-1.0.data/data/bin": "replaces the environment's own",
    "pkg-1.0.data/data/lib/python3.11": "replaces the environment's own",
    "pkg-1.0.data/bogus/x": "no installation scheme `bogus`",
    "pkg-1.0.data/x": "no installation scheme `x`",
    "pkg-1.0.DATA/data/x": "looks like `pkg-1.0.data`",
    "other-2.data/data/x": "looks like `pkg-1.0.data`",
    "pkg/__init__.py/x.py": "lies below a file, `lib/pkg/__init__.py`",
    "PKG/__init__.PY/x.py": "lies below a file",
    "pkg/__INIT__.py": "are one file on other systems",
    "Pkg/__init__.py": "are one file on other systems",
    "pkg/__init\u200b__.py": "are one file on other systems",
    "pkg-1.0.data/scripts/RUN": "are one file on other systems",
    f"{INSIDE}/record": "are one file on other systems",
    f"{INSIDE}/installer": "are one file on other systems",
    f"{INSIDE}/INSTALLER/x": "lies below a file, `lib/pkg-1.0.dist-info/INSTALLER`",
}


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_that_no_wheel_needs_is_refused(tmp_path: Path, name: str) -> None:
    wheel = make_wheel(
        tmp_path, "pkg", {"pkg/__init__.py": ""}, raw=[(name, b"1")], entry_points="[console_scripts]\nrun=a:b\n"
    )
    said = refused(wheel)
    assert said.startswith("pkg-1.0-py3-none-any.whl looks like an attack: `")
    assert NAMES[name] in said


def test_a_directory_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "pkg", {"pkg.py": "1"}, raw=[(special("pkg.py/", stat.S_IFDIR), b"")])
    assert "`pkg.py` stands in it as a file, and as a directory" in refused(wheel)


def test_ways_to_write_an_accent_are_one_file_on_other_systems(tmp_path: Path) -> None:
    assert "are one file" in refused(make_wheel(tmp_path, "pkg", {"caf\u00e9.py": "1", "cafe\u0301.py": "2"}))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFDIR])
def test_special_files_are_refused(tmp_path: Path, kind: int) -> None:
    said = refused(make_wheel(tmp_path, "pkg", {}, raw=[(special("pkg/x", kind), b"/etc/passwd")]))
    assert re.search(r"`pkg/x` is (a symbolic link|neither a file nor a directory)", said)


def test_members_of_one_name_must_be_the_same(tmp_path: Path) -> None:
    same = make_wheel(tmp_path / "same", "pkg", {"a.py": "1"}, raw=[("a.py", b"1")])
    check.check(same, "index")
    both = make_wheel(tmp_path, "pkg", {"a.py": "1"}, raw=[("a.py", b"2")])
    assert "RECORD lists `a.py` twice" in refused(both)
    one = make_wheel(tmp_path, "pkg", {"a.py": "1"}, raw=[("a.py", b"2")], record=without_line(r"a\.py,sha256=1[^\n]*"))
    assert "not what RECORD says" in refused(one)


def without_line(pattern: str) -> Any:
    return lambda text: re.sub(rf"(?m)^{pattern}\n", "", text, count=1)


RECORDS = {
    "a file that is hidden": (without_line(r"pkg\.py,.*"), "`pkg.py` is hidden: RECORD does not list it"),
    "a file that is not there": (
        lambda text: f"{text}gone.py,sha256=AA,1\n",
        "RECORD lists `gone.py`, which is not in it",
    ),
    "another hash": (lambda text: re.sub("sha256=.{4}", "sha256=AAAA", text, count=1), "its hash is another"),
    "a short hash": (lambda text: re.sub("sha256=[^,]*", "sha256=AAAA", text, count=1), "its hash is another"),
    "another size": (
        lambda text: re.sub(",1\n", ",2\n", text, count=1),
        "`pkg.py` is not what RECORD says: it has 1 bytes",
    ),
    "no hash": (lambda text: re.sub("sha256=[^,]*", "", text, count=1), "RECORD has no hash of `pkg.py`"),
    "a weak hash": (lambda text: re.sub("sha256=", "md5=", text, count=1), "RECORD has no sha256 of `pkg.py`"),
    "a hash that is none": (lambda text: re.sub("sha256=[^,]*", "sha256=!é", text, count=1), "as a hash of `pkg.py`"),
    "a file twice": (lambda text: f"{text}pkg.py,sha256=AA,1\n", "RECORD lists `pkg.py` twice"),
    "a line of one word": (lambda text: f"{text}a\n", "RECORD has the line `a`"),
    "a size in words": (lambda text: f"{text}a,,many\n", "RECORD has the line `a,,many`"),
    "a negative size": (lambda text: f"{text}a,,-1\n", "RECORD has the line `a,,-1`"),
    "a quote that does not end": (lambda text: f'{text}"a\n', "RECORD cannot be read"),
    "bytes that are not UTF-8": (lambda text: f"{text}\udcff,,\n", "RECORD cannot be read"),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_that_is_not_true_is_refused(tmp_path: Path, name: str) -> None:
    record, said = RECORDS[name]
    assert said in refused(make_wheel(tmp_path, "pkg", {"pkg.py": "1"}, record=record))


def test_signatures_and_files_without_sizes_are_taken(tmp_path: Path) -> None:
    raw = [(f"{INSIDE}/RECORD.jws", b"x"), (f"{INSIDE}/RECORD.p7s", b"y")]
    record = lambda text: re.sub(r",1\n", ",\n", without_line(r".*RECORD\.jws.*")(text))  # noqa: E731
    check.check(make_wheel(tmp_path, "pkg", {"pkg.py": "1"}, raw=raw, record=record), "index")


METADATA: dict[str, tuple[dict[str, bytes], str]] = {
    "another name": ({"METADATA": b"Name: six\nVersion: 1.0\n"}, "its METADATA says `six 1.0`"),
    "another version": ({"METADATA": b"Name: pkg\nVersion: 2\n"}, "its METADATA says `pkg 2`"),
    "no name": ({"METADATA": b"Version: 1.0\n"}, "its METADATA has no Name"),
    "no version": ({"METADATA": b"Name: pkg\n"}, "its METADATA has no Version"),
    "a name twice": ({"METADATA": b"Name: pkg\nName: six\nVersion: 1.0\n"}, "its METADATA has Name twice"),
    "another standard": ({"WHEEL": b"Wheel-Version: 2.0\nTag: py3-none-any\n"}, "not of Wheel-Version 1"),
    "no standard": ({"WHEEL": b"\xff\0"}, "not of Wheel-Version 1"),
    "other tags": (
        {"WHEEL": b"Wheel-Version: 1.0\nTag: py2-none-any\n"},
        "its WHEEL has other tags than its name: `py2-none-any`",
    ),
    "no tags": ({"WHEEL": b"Wheel-Version: 1.0\n"}, "its WHEEL has other tags than its name"),
    "tags that are none": ({"WHEEL": b"Wheel-Version: 1.0\nTag: a\n"}, "its WHEEL has the tag `a`"),
}


@pytest.mark.parametrize("name", METADATA)
def test_metadata_that_is_of_another_wheel_is_refused(tmp_path: Path, name: str) -> None:
    inside, said = METADATA[name]
    assert f"is not a sound wheel: {said}" in refused(make_wheel(tmp_path, "pkg", {}, inside=inside)).replace(
        "it is not of", "not of"
    )


def test_a_wheel_renamed_for_other_releases_of_a_system_is_taken(tmp_path: Path) -> None:
    inside = {"WHEEL": b"Wheel-Version: 1.0\nTag: cp311-cp311-linux_x86_64\n"}
    check.check(
        make_wheel(tmp_path, "pkg", {}, tag="cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", inside=inside),
        "index",
    )
    assert "other tags" in refused(
        make_wheel(tmp_path, "pkg", {}, tag="cp311-cp311-manylinux_2_17_aarch64", inside=inside)
    )
    assert "other tags" in refused(make_wheel(tmp_path, "pkg", {}, inside=inside))


@pytest.mark.parametrize("directory", ["other-1.0.dist-info", "pkg-2.dist-info", "PKG-1.0.DIST-INFO"])
def test_metadata_of_two_distributions_is_refused(tmp_path: Path, directory: str) -> None:
    wheel = make_wheel(tmp_path, "pkg", {}, raw=[(f"{directory}/METADATA", b"Name: other\nVersion: 1.0\n")])
    assert "one directory of metadata, and has several" in refused(wheel)


@pytest.mark.parametrize("name", ["other-1.0-py3-none-any.whl", "pkg-2-py3-none-any.whl"])
def test_a_wheel_under_another_name_is_refused(tmp_path: Path, name: str) -> None:
    wheel = make_wheel(tmp_path, "pkg", {}).rename(tmp_path / name)
    assert "its name is not that of its directory" in refused(wheel)


@pytest.mark.parametrize("name", ["pkg.whl", "pkg-1.0.whl", "pkg-x-py3-none-any.whl", "a\x1bb-1.0-py3-none-any.whl"])
def test_what_is_not_named_as_a_wheel_is_refused(tmp_path: Path, name: str) -> None:
    wheel = make_wheel(tmp_path, "pkg", {}).rename(tmp_path / name)
    with pytest.raises(UserError, match="its name is not that of a wheel") as caught:
        check.check(wheel, "index")
    assert caught.value.what.isprintable()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("$(touch x) = pkg:main", "the command `$(touch x)` is no file name"),
        ("../../evil = pkg:main", "the command `../../evil` is no file name"),
        ("a/b = pkg:main", "is no file name"),
        (".. = pkg:main", "is no file name"),
        (" = pkg:main", "is no file name"),
        ("-rf = pkg:main", "is no file name"),
        ("a b = pkg:main", "is no file name"),
        ("a\x1b = pkg:main", "is no file name"),
        ("run = pkg", "the command `run` is to run `pkg`, which is no `module:object`"),
        ("run = pkg:main()", "which is no `module:object`"),
        ("run = pkg:main; import os", "which is no `module:object`"),
        ("run = os:system('x') or pkg:main", "which is no `module:object`"),
        ("run = 1:2", "which is no `module:object`"),
        ("run = import:class", "which is no `module:object`"),
        ("run = a:b\nrun = c:d", "the command `run` is to run two things, `a:b` and `c:d`"),
        ("run", "its entry_points.txt has the line `run`"),
    ],
)
def test_commands_that_are_none_are_refused(tmp_path: Path, line: str, said: str) -> None:
    wheel = make_wheel(tmp_path, "pkg", {}, entry_points=f"[console_scripts]\n{line}\n")
    assert said in refused(wheel)


def test_a_script_that_would_be_the_interpreter_is_refused_by_the_name_of_its_wheel(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "pkg", {"scripts/python3": "#!python\n"})
    assert "pkg-1.0-py3-none-any.whl looks like an attack: `bin/python3` replaces the environment's own" in refused(
        wheel
    )


def test_a_bomb_is_refused_before_it_unpacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_limits, "_ALWAYS_ALLOWED", 1 << 20)
    wheel = make_wheel(tmp_path, "pkg", {}, raw=[(special("zeros", stat.S_IFREG), b"")])
    with zipfile.ZipFile(wheel, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("more", bytes(6 << 20))
    assert "unpacks to far more than its size" in refused(wheel)


def test_it_is_said_where_a_wheel_came_from(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "pkg", {}, raw=[("../x", b"")])
    built = refused(wheel, origin="build", name="pkg", version="1.0")
    assert built.startswith(
        "pkg 1.0: its build made pkg-1.0-py3-none-any.whl, which looks like an attack: `../x` leads out"
    )
    assert refused(wheel, origin="vendor").startswith("vendor/pkg-1.0-py3-none-any.whl looks like an attack")


def test_a_wheel_of_another_version_than_the_locked_one_is_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "pkg", {})
    assert "it is pkg 1.0, not pkg 2" in refused(wheel, name="pkg", version="2")
    with pytest.raises(UserError, match=r"other 1: its build made pkg 1\.0"):
        check.check(wheel, "build", name="other", version="1")


@pytest.mark.parametrize(
    "name",
    [
        "pkg-1.0.data/purelib/six-1.0.dist-info/RECORD",
        "pkg-1.0.data/platlib/SIX-1.0.DIST-INFO/METADATA",
        "pkg-1.0.data/purelib/pkg-1.0.dist-info/direct_url.json",
        "pkg-1.0.data/data/lib/python3.11/site-packages/six-1.0.dist-info/METADATA",
        "pkg-1.0.data/purelib/six.egg-info",
        "six.egg-info/PKG-INFO",
    ],
)
def test_metadata_of_another_distribution_is_refused(tmp_path: Path, name: str) -> None:
    said = refused(make_wheel(tmp_path, "pkg", {"pkg/six-1.0.dist-info/METADATA": "carried along"}, raw=[(name, b"")]))
    assert "is metadata of another distribution" in said


@pytest.mark.parametrize(
    "name",
    [
        "scripts/activate",
        "scripts/activate.fish",
        "scripts/Activate.ps1",
        "scripts/activate_this.py",
        "scripts/deactivate",
        "scripts/postactivate",
        "scripts/predeactivate",
        "data/bin/activate",
        "data/.project",
        "data/.python-common.json",
        "data/pyvenv.cfg",
        "data/lib/python3.11/site-packages/_virtualenv.pth",
        "purelib/_python_common.pth",
    ],
)
def test_what_a_shell_or_the_toolkit_knows_an_environment_by_is_refused(tmp_path: Path, name: str) -> None:
    files = {"pkg.py": "", "scripts/activate-global-pkg": ""}
    wheel = make_wheel(tmp_path, "pkg", files, raw=[(f"pkg-1.0.data/{name}", b"")])
    assert "replaces the environment's own" in refused(wheel)


def test_what_is_little_in_the_archive_and_much_in_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = "-".join(".".join([letter] * 10_000) for letter in "abc")
    many_tags = {"WHEEL": f"Wheel-Version: 1.0\nTag: {tag}\n".encode()}
    assert "its WHEEL has more than 10000 tags" in refused(make_wheel(tmp_path, "pkg", {}, inside=many_tags))
    rows = make_wheel(tmp_path, "pkg", {}, record=lambda text: text + "a,,\n" * 1000)
    assert "RECORD has more than 6 lines" in refused(rows)
    commands = "[console_scripts]\n" + "".join(f"c{number} = a:b\n" for number in range(20_001))
    assert "it installs 20001 commands" in refused(make_wheel(tmp_path, "pkg", {}, entry_points=commands))
    monkeypatch.setattr(archive_limits, "DIRECTORIES", 40)
    deep = make_wheel(tmp_path, "pkg", {f"pkg/{number}/b/c/d/e/f": "" for number in range(9)})
    assert "it has more than 40 directories" in refused(deep)


def test_a_command_with_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "pkg", {}, entry_points=f"[console_scripts]\n{'é' * 121} = a:b\n")
    assert "is no file name" in refused(wheel)
