"""The packages of this system that a service runs with."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.wheel_files import make_wheel
from toolkit.build import interpreters
from toolkit.core import process
from toolkit.core.errors import UserError
from toolkit.install import system_packages

SYSTEM = interpreters.find([f"3.{minor}" for minor in range(11, 20)], "/usr/bin/python3")


def library(directory: Path, name: str, *needed: str) -> bytes:
    """Return a shared library that is linked to others, used or not."""
    (directory / "x.c").write_text("int x;\n")
    words = ["gcc", "-shared", "-fPIC", "-Wl,--no-as-needed", f"-Wl,-soname,{name}", f"-L{directory}"]
    subprocess.run([*words, "-o", directory / name, directory / "x.c", *needed], check=True)
    return (directory / name).read_bytes()


def installed(wheels: list[Path]) -> dict[str, str]:
    return {package.name: package.version for package in system_packages.of(wheels, SYSTEM)}


def test_the_interpreter_and_what_libraries_are_linked_to(tmp_path: Path) -> None:
    own = library(tmp_path, "libown.so")
    wheel = make_wheel(
        tmp_path,
        "native",
        {"native/_x.so": library(tmp_path, "_x.so", "-lz", "-l:libown.so"), "native.libs/libown.so": own},
    )
    found = installed([wheel, make_wheel(tmp_path, "pure", {"pure.py": ""})])
    words = ["dpkg-query", "--show", "--showformat=${Version}", "zlib1g"]
    assert found["zlib1g"] == subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert {"libc6", "zlib1g"} < found.keys()
    assert [name for name in found if name.startswith("python3.")] != []
    assert len(found) == 3


def test_a_library_of_another_machine_or_none_needs_nothing(tmp_path: Path) -> None:
    other = bytearray(library(tmp_path, "_x.so", "-lz"))
    other[4] = 1
    wheel = make_wheel(tmp_path, "odd", {"odd/_x.so": bytes(other), "odd/text.so": "INPUT(libz.so)"})
    assert "zlib1g" not in installed([wheel])


def test_a_system_without_dpkg_has_no_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(words: list[str]) -> str:
        raise UserError(f"{words[0]}: no such program")

    wheel = make_wheel(tmp_path, "native", {"native/_x.so": library(tmp_path, "_x.so", "-lz")})
    monkeypatch.setattr(process, "read", read)
    assert system_packages.of([wheel], SYSTEM) == ()
