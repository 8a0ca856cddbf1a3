from __future__ import annotations

import pytest
from packaging.markers import Marker

from toolkit.model import markers

LINUX = ("linux",)


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("", True),
        ("python_version >= '3.11'", True),
        ("sys_platform == 'win32'", False),
        ("python_full_version < '3.11.3'", True),
        ("python_version < '3.11'", False),
        ("platform_machine == 'aarch64'", True),
        ("platform_machine == 's390x'", False),
        ("implementation_name == 'pypy'", False),
        ("extra == 'http'", False),
    ],
)
def test_possible_looks_for_one_machine(marker: str, expected: bool) -> None:
    assert markers.possible(marker, ("3.11", "3.13"), LINUX) is expected


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("", True),
        ("python_full_version >= '3.11'", True),
        ("python_full_version < '3.11.3'", False),
        ("platform_machine == 'aarch64' or platform_machine == 'x86_64'", True),
        ("python_version == '3.11'", False),
    ],
)
def test_always_looks_at_every_machine(marker: str, expected: bool) -> None:
    assert (markers.simplify(marker, ("3.11", "3.13"), LINUX) == "") is expected


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("(python_full_version == '3.11.*' or python_full_version == '3.13.*') and sys_platform == 'linux'", ""),
        ("python_full_version == '3.11.*' and sys_platform == 'linux'", "python_version == '3.11'"),
        ("python_full_version >= '3.12'", "python_version == '3.12' or python_version == '3.13'"),
        ("platform_machine == 'x86_64' and sys_platform == 'linux'", "platform_machine == 'x86_64'"),
        (
            "python_full_version >= '3.11' and python_full_version < '3.11.3'",
            "python_full_version >= '3.11' and python_full_version < '3.11.3'",
        ),
        (
            "python_version == '3.11' and platform_machine == 'x86_64'",
            "python_version == '3.11' and platform_machine == 'x86_64'",
        ),
    ],
)
def test_simplify_names_only_what_the_machines_differ_in(marker: str, expected: str) -> None:
    assert (
        markers.simplify(marker, ("3.11", "3.12", "3.13") if "3.12" in expected else ("3.11", "3.13"), LINUX)
        == expected
    )


def test_simplify_keeps_a_platform_when_there_are_several() -> None:
    assert (
        markers.simplify("os_name == 'posix' and sys_platform != 'darwin'", ("3.11",), ("linux", "darwin"))
        == "sys_platform == 'linux'"
    )


def test_for_pythons_needs_no_marker_for_all_of_them() -> None:
    assert markers.for_pythons(("3.11", "3.13"), ("3.13", "3.11")) == ""
    assert markers.for_pythons(("3.13",), ("3.11", "3.13")) == "python_version == '3.13'"


def test_patch_levels_on_both_sides_of_a_bound_are_seen() -> None:
    environments = markers.python_environments("python_full_version < '3.11.4'", "3.11")
    found = {item["python_full_version"] for item in environments}
    assert {"3.11.3", "3.11.4"} <= found


@pytest.mark.parametrize(
    "marker", ["sys_platform ~= 'x'", "'x' in 'y'", "platform_release ~= '1'", "'linux' ~= sys_platform"]
)
def test_a_marker_that_compares_what_cannot_be_compared_does_not_hold(marker: str) -> None:
    environment = next(markers.environments("", ("3.11",), LINUX))
    assert not markers.holds(marker, environment)
    assert not markers.holds(Marker(marker), environment)
    assert not markers.possible(marker, ("3.11",), LINUX)
    assert markers.holds("", environment) and markers.holds(None, environment)
