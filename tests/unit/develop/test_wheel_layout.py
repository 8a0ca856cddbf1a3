"""Where the files of a wheel are found in the source that it was built from."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from toolkit.develop import wheel_layout
from toolkit.develop.wheel_layout import Layout

SOURCES = {
    "setup.py": "setup",
    "svc/__init__.py": "",
    "svc/part.py": "part",
    "svc/data.txt": "data",
    "src/one/__init__.py": "one",
    "src/single.py": "single",
    "code/__init__.py": "",
    "code/deep/__init__.py": "deep",
    "extra/renamed.py": "renamed",
    "tests/__init__.py": "",
    "tests/fixtures/svc/__init__.py": "",
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for name, text in SOURCES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def read(source: Path, contents: dict[str, str]) -> Layout:
    return wheel_layout.read({n: hashlib.sha256(text.encode()).hexdigest() for n, text in contents.items()}, source)


def test_a_flat_layout_is_found_from_the_top(source: Path) -> None:
    found = read(source, {"svc/__init__.py": "", "svc/part.py": "part", "svc/data.txt": "data"})
    assert found == Layout(roots=(source,))


def test_several_directories_may_be_on_the_path(source: Path) -> None:
    found = read(source, {"svc/part.py": "part", "one/__init__.py": "one", "single.py": "single"})
    assert found.roots == (source / "src", source)
    assert not found.mapped and not found.made


def test_what_a_build_has_written_into_a_module_is_found_in_the_source(source: Path) -> None:
    assert read(source, {"svc/__init__.py": "", "svc/part.py": "VERSION = 1"}) == Layout(roots=(source,))


def test_a_build_may_change_every_module(source: Path) -> None:
    assert read(source, {"svc/__init__.py": "more", "svc/part.py": "more"}) == Layout(roots=(source,))


def test_what_is_in_no_source_was_made(source: Path) -> None:
    found = read(source, {"svc/__init__.py": "", "svc/_fast.so": "elf", "svc/_version.py": "1", "top.so": "elf"})
    assert found == Layout(roots=(source,), made=("svc/_fast.so", "svc/_version.py", "top.so"))


def test_packages_of_other_names_are_mapped_with_all_below_them(source: Path) -> None:
    found = read(source, {"acme/mapped/__init__.py": "", "acme/mapped/deep/__init__.py": "deep"})
    assert found == Layout(mapped={"acme.mapped": source / "code"})


def test_of_several_sources_of_one_content_those_of_tests_come_last(source: Path) -> None:
    assert read(source, {"other/__init__.py": ""}).mapped == {"other": source / "code"}


def test_a_package_in_a_mapped_one_may_stand_elsewhere(source: Path) -> None:
    found = read(source, {"a/__init__.py": "deep", "a/b/__init__.py": "one", "a/_fast.so": "elf"})
    assert found.mapped == {"a": source / "code/deep", "a.b": source / "src/one"}
    assert found.made == ("a/_fast.so",)


def test_a_module_of_another_name_is_mapped_by_its_content(source: Path) -> None:
    found = read(source, {"svc/__init__.py": "", "svc/part.py": "part", "svc/forced.py": "renamed", "svc/empty.py": ""})
    assert found.mapped == {"svc.forced": source / "extra/renamed.py"}
    assert found.made == ("svc/empty.py",)


def test_path_files_have_to_be_in_site_packages(source: Path) -> None:
    (source / "more.pth").write_text("x")
    assert read(source, {"svc/part.py": "part", "more.pth": "x"}).made == ("more.pth",)
