"""Packages with what is opened by name, by what dpkg and apt of this system know."""

from __future__ import annotations

import re

import pytest

from toolkit.install import system_libraries
from toolkit.install.system_libraries import Depends


@pytest.mark.parametrize(
    ("files", "package"),
    [
        (["libc.so.6"], r"libc6"),
        (["libc.so"], r"libc6"),
        (["libnowhere.so.1", "libstdc++.so"], r"libstdc\+\+6"),
        (["libz.so.1"], r"zlib1g"),
        (["libcrypto.so"], r"libssl\d(t64)?"),
        (["/usr/lib/pkcs11/opensc-pkcs11.so"], r"opensc-pkcs11"),
        (["libusb-0.1.so", "libusb.so", "libusb-1.0.so"], r"(libusb-1\.0-0)?"),
        (["libgeos_c.so", "libGEOS.so"], r"(libgeos-c1(v5|t64)?)?"),
        (["libnowhere.so.1", "Nowhere-1.0.typelib", "*", ""], r""),
    ],
)
def test_the_package_that_has_one_of_several_files(files: list[str], package: str) -> None:
    assert re.fullmatch(package, system_libraries.package_of(files))


@pytest.mark.parametrize(
    ("relations", "is_brought"),
    [
        ("libmagic1", True),
        ("${shlibs:Depends}, libmagic1t64 (>= 5) [amd64] <!nocheck>", True),
        ("other (= ${binary:Version}) | libmagic9:any", True),
        ("libmagic-dev", True),
        ("", False),
        ("${misc:Depends}, libmagic-mgc, libmagick", False),
    ],
)
def test_what_is_named_brings_any_version_of_a_library(relations: str, is_brought: bool) -> None:
    assert Depends(relations).bring("libmagic.so", "libmagic1") is is_brought


def test_what_is_depended_on_brings_what_that_depends_on() -> None:
    assert not Depends("${python3:Depends}").bring("libpython3.so", "libpython3-stdlib")
    assert Depends("python3 (>= 3.11~)").bring("libpython3.so", "libpython3-stdlib")


def test_what_every_system_has_is_brought() -> None:
    assert Depends("").bring("libc.so.6", "libc6")
    assert Depends("").bring("libselinux.so.1", "libselinux1")


def test_a_system_without_apt_and_dpkg_knows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert Depends("libmagic1 | x").bring("libmagic.so", "libmagic1")
    assert not Depends("x").bring("libmagic.so", "libmagic1")
