"""A failed build names the Debian package to install."""

import pytest

from toolkit.build import headers


@pytest.mark.parametrize(
    ("output", "package"),
    [
        ("src/x.c:4:10: fatal error: Python.h: No such file or directory\n    4 | #include", "python3-dev"),
        ("a.h:1: fatal error: openssl/ssl.h: No such file or directory", "libssl-dev"),
        ("error: command 'gcc' failed: No such file or directory", "build-essential"),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'pg_config'", "libpq-dev"),
        ("/bin/sh: 1: xml2-config: not found", "libxml2-dev"),
        ("Command 'pkg-config --exists mysqlclient' returned non-zero exit status 1.", "default-libmysqlclient-dev"),
        (
            "/bin/sh: 1: pkg-config: not found\nCommand 'pkg-config --libs mysqlclient' returned non-zero",
            "pkgconf default-libmysqlclient-dev",
        ),
        ("No package 'libsystemd' found", "libsystemd-dev"),
        ("Package libxml-2.0 was not found in the pkg-config search path.", "libxml2-dev"),
        ("Package 'libvirt', required by 'virtual:world', not found", "libvirt-dev"),
        ("pkgconfig.pkgconfig.PackageNotFoundError: xmlsec1 not found", "libxmlsec1-dev"),
        ('../meson.build:3:8: ERROR: Dependency "cairo" not found, tried pkgconfig and cmake', "libcairo2-dev"),
        ("meson-python: error: Could not find ninja version 1.8.2 or newer.", "ninja-build"),
        ("scikit_build_core.errors.CMakeNotFoundError: Could not find CMake with version >=3.15", "cmake"),
        ("CMake Error at /usr/share/x.cmake:230 (message):\n  Could NOT find OpenSSL, try to set", "libssl-dev"),
        ("ERROR: Unknown compiler(s): [['gfortran'], ['flang']]", "gfortran"),
        ("Error: pg_config executable not found.", "libpq-dev"),
        ("sh: 1: net-snmp-config: not found", "libsnmp-dev"),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'llvm-config'", "llvm-dev"),
        ("Program 'swig' not found or not executable", "swig"),
        ("error: command 'cargo' failed: No such file", "cargo-web` or `apt install cargo"),
    ],
)
def test_known_things_that_are_missing(output: str, package: str) -> None:
    assert f"apt install {package}" in headers.suggestion(output)


def test_an_unknown_header_is_named_with_the_way_to_find_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert "apt-file search /odd/thing.h" in headers.suggestion("fatal error: odd/thing.h: No such file or directory")


@pytest.mark.parametrize("output", ["", "error: expected ';' before '}' token", "foo: not found"])
def test_nothing_is_guessed(output: str) -> None:
    assert headers.suggestion(output) == ""


def test_a_source_that_is_missing_is_no_header() -> None:
    assert headers.suggestion("cc1: fatal error: module.c: No such file or directory") == ""


def test_a_program_that_is_there_and_hidden_is_not_to_be_installed() -> None:
    output = "meson-python: error: Could not find ninja version 1.8.2 or newer."
    told = "builds find ninja where Build-Depends in debian/control has ninja-build: add it, and run `make vendor`"
    assert headers.suggestion(output, {"ninja"}) == told
