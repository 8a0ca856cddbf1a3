"""The Debian package of a library, by the library's name."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from toolkit.install import library_packages

NAMES = [
    *("libmagic1", "libmagic1t64", "libmagic-dev", "libmagic-mgc", "libpq5", "libpq-dev", "libfoo-1.2-3"),
    *("libglib2.0-0t64", "libboost-python1.74.0", "libgl1", "libgl1-mesa-dri", "libffi7", "libffi8", "libffi10"),
    *(
        "libstdc++6",
        "libre2-11",
        "libharfbuzz0b",
        "libpam0g",
        "libusb-0.1-4",
        "libusb-1.0-0",
        "libusb3380-0",
        "libenchant-2-2",
    ),
    *(
        "libldap-2.5-0",
        "libldap-common",
        "libgeos-c1v5",
        "libgeos3.11.1",
        "libgeos++-dev",
        "libsdl2-2.0-0",
        "libsdl2-dev",
    ),
]


@pytest.mark.parametrize(
    ("library", "package"),
    [
        ("libmagic.so", "libmagic1t64"),
        ("libmagic.so.1", "libmagic1t64"),
        ("libpq.so.5", "libpq5"),
        ("libpq.so.4", ""),
        ("libfoo-1.2.so.3", "libfoo-1.2-3"),
        ("libglib-2.0.so.0", ""),
        ("libGL.so.1", "libgl1"),
        ("libffi.so", "libffi10"),
        ("libstdc++.so.6", "libstdc++6"),
        ("libre2.so", "libre2-11"),
        ("libharfbuzz.so.0", "libharfbuzz0b"),
        ("libharfbuzz.so", "libharfbuzz0b"),
        ("libpam.so.0", "libpam0g"),
        ("libusb-1.0.so", "libusb-1.0-0"),
        ("libusb.so", "libusb-1.0-0"),
        ("libsdl2.so", "libsdl2-2.0-0"),
        ("libsdl2-image.so", ""),
        ("libenchant-2.so", "libenchant-2-2"),
        ("libldap.so", "libldap-2.5-0"),
        ("libgeos_c.so.1", "libgeos-c1v5"),
        ("libgeos_c.so", "libgeos-c1v5"),
        ("libcuda.so.1", ""),
        ("lib(a+)+$.so", ""),
        ("x.so", ""),
    ],
)
def test_a_library_is_in_the_package_that_policy_calls_after_it(library: str, package: str) -> None:
    assert library_packages.package(library, NAMES) == package


def test_only_what_was_looked_for_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "result.json"
    path.write_text(json.dumps([{"libraries": ["libpq.so.5", "libcuda.so.1"]}, {"libraries": []}]))
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(NAMES)))
    library_packages.main(str(path))
    assert json.loads(capsys.readouterr().out) == {"libpq.so.5": "libpq5"}
