"""Which wheels a Python takes."""

import pytest

from toolkit.model import tags

OLD = "a-1-cp311-cp311-manylinux2014_x86_64.whl"
NEW = "a-1-cp311-cp311-manylinux_2_28_x86_64.whl"
PURE = "a-1-py3-none-any.whl"


@pytest.mark.parametrize(
    ("names", "best"),
    [
        ((PURE, OLD), OLD),
        ((PURE, "a-1-cp312-cp312-manylinux2014_x86_64.whl"), PURE),
        ((OLD, NEW), NEW),
        (("a-1-9-py3-none-any.whl", "a-1-10-py3-none-any.whl", PURE), "a-1-10-py3-none-any.whl"),
        (("a-1-cp311-cp311-macosx_11_0_arm64.whl", "no wheel"), ""),
        ((), ""),
    ],
)
def test_the_most_specific_wheel_then_the_later_build(names: tuple[str, ...], best: str) -> None:
    assert tags.best_wheel(names, tags.ranks("3.11", ("manylinux_2_28_x86_64",))) == best


def test_an_older_c_library_does_not_take_wheels_of_a_newer() -> None:
    ranks = tags.ranks("3.11", ("manylinux2014_x86_64",))
    assert tags.best_wheel((NEW,), ranks) == ""
    assert tags.best_wheel((OLD.replace("2014", "1"),), ranks) == OLD.replace("2014", "1")


def test_a_newer_macos_takes_wheels_of_an_older() -> None:
    name = "a-1-cp311-cp311-macosx_10_9_x86_64.whl"
    assert tags.best_wheel((name,), tags.ranks("3.11", ("macosx_13_0_x86_64",))) == name
    assert tags.best_wheel((name,), tags.ranks("3.11", ("macosx_13_0_arm64",))) == ""


def test_an_abi_and_another_implementation_are_as_pip_reads_them() -> None:
    assert tags.best_wheel(("a-1-cp311-abi3-linux_x86_64.whl",), tags.ranks("3.11", ("linux_x86_64",), ("abi3",)))
    pypy = "a-1-pp311-pypy311_pp73-linux_x86_64.whl"
    assert tags.best_wheel((pypy,), tags.ranks("3.11.9", ("linux_x86_64",), ("pypy311_pp73",), "pp")) == pypy
    assert tags.best_wheel((pypy,), tags.ranks("3.11", ("linux_x86_64",))) == ""


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("a-1-py3-none-any.whl", True),
        ("a-1-py2.py3-none-win32.whl", True),
        ("a-1-1-py310-none-any.whl", True),
        ("a-1-cp311-cp311-win_amd64.whl", True),
        ("a-1-cp38-abi3-win_amd64.whl", True),
        ("a-1-cp311-none-any.whl", True),
        ("a-1-cp310-cp310-win_amd64.whl", False),
        ("a-1-cp312-abi3-win_amd64.whl", False),
        ("a-1-py312-none-any.whl", False),
        ("a-1-py2-none-any.whl", False),
        ("a-1-pp311-pypy311_pp73-win32.whl", False),
        ("a-1.whl", False),
    ],
)
def test_a_wheel_is_for_a_python_on_some_machine(name: str, fits: bool) -> None:
    assert tags.is_for(name, ["3.11"]) is fits
