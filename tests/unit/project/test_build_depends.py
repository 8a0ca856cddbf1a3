"""Build-Depends gets what builds need, and nothing else of debian/control changes."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.locks import distribution, lock_of
from toolkit.core.errors import UserError
from toolkit.model.lock import Crate, Distribution, VendoredFile
from toolkit.project import build_depends

_TAIL = "Standards-Version: 4.6.2\n# why\nX-Own: a\n  b\n\nPackage: x\nArchitecture: any\nBuild-Depends: not this\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Build-Depends: a, b\n", "Build-Depends: a, b, new, two | three\n"),
        ("Build-Depends: a, b,\n", "Build-Depends: a, b, new, two | three,\n"),
        (
            "build-depends:\n a,\n b (>= 1) [amd64] <!x>\n",
            "build-depends:\n a,\n b (>= 1) [amd64] <!x>,\n new,\n two | three\n",
        ),
        ("Build-Depends: a,\n# of a\n\tb,\n", "Build-Depends: a,\n# of a\n\tb,\n\tnew,\n\ttwo | three,\n"),
        ("Build-Depends: a\n  , b\n# end\n", "Build-Depends: a\n  , b\n  , new\n  , two | three\n# end\n"),
        ("Build-Depends: a,\r\n b\r\n", "Build-Depends: a,\r\n b,\r\n new,\r\n two | three\r\n"),
        ("Build-Depends:\n", "Build-Depends: new, two | three\n"),
    ],
)
def test_the_field_keeps_its_style(tmp_path: Path, before: str, after: str) -> None:
    control = tmp_path / "control"
    control.write_bytes(f"# top\nSource: x\n{before}{_TAIL}".encode())
    control.chmod(0o640)
    build_depends.add(control, ["new", "two | three"])
    assert control.read_bytes().decode() == f"# top\nSource: x\n{after}{_TAIL}"
    assert stat.S_IMODE(control.stat().st_mode) == 0o640


def test_a_field_that_is_missing_or_ends_the_file_is_written(tmp_path: Path) -> None:
    control = tmp_path / "control"
    control.write_text("Source: x\nSection: y")
    build_depends.add(control, ["new"])
    assert control.read_text() == "Source: x\nBuild-Depends: new\nSection: y"
    control.write_text("Source: x\nBuild-Depends:\n a,\n b")
    build_depends.add(control, ["new", "more"])
    assert control.read_text() == "Source: x\nBuild-Depends:\n a,\n b,\n new,\n more"


def test_a_file_that_could_lose_something_is_left_alone(tmp_path: Path) -> None:
    control = tmp_path / "control"
    control.write_text("Source: x\nBuild-Depends: a\n two\n")
    with pytest.raises(UserError, match="is not as it can be added to"):
        build_depends.add(control, ["new, \nOther: x"])
    assert control.read_text() == "Source: x\nBuild-Depends: a\n two\n"


def test_only_what_is_built_and_not_there_in_any_form_is_lacking() -> None:
    def needing(name: str, *system_files: str) -> Distribution:
        return replace(distribution(name), system_files=system_files)

    lock = lock_of(
        needing("one", "ffi.h", "pkg-config"),
        replace(needing("wheel", "libpq-fe.h"), kind="wheels"),
        build_packages=(
            replace(needing("two", "ffi.h", "curl/curl.h"), rust=True),
            needing("odd", "of/another/toolkit.h"),
        ),
    )
    declared = {"pkg-config", "libcurl4-gnutls-dev"}
    assert build_depends.lacking([lock], declared) == {
        "cargo-web | cargo": ("two 1",),
        "libffi-dev": ("one 1", "two 1"),
    }
    assert build_depends.lacking([lock], {*declared, "libffi-dev", "cargo"}) == {}


def test_the_line_is_whole(tmp_path: Path) -> None:
    control = tmp_path / "control"
    control.write_text("Source: x\nBuild-Depends: a,\n b (>= 1),\n")
    assert build_depends.line(build_depends.source(control), ["new"]) == "Build-Depends: a, b (>= 1), new"


def test_what_crates_take_from_the_system_is_lacking_too() -> None:
    def crate(name: str, **more: Any) -> Crate:
        return Crate(name=name, version="1", sha256="0" * 64, source="registry", **more)

    def found(*names: str) -> dict[str, tuple[str, ...]]:
        file = VendoredFile(name="x-1.crate", size=1, sha256="0" * 64)
        # The last one no machine compiles that is built for.
        crates = (*(crate(name, file=file) for name in names), crate("pq-sys", index_line="{}"))
        secret = replace(distribution("secret"), crates=tuple(item.key for item in crates), rust=True)
        return build_depends.lacking([lock_of(secret, crates=crates)], {"cargo-web"})

    assert found("openssl-sys") == {"libssl-dev": ("secret 1",), "pkgconf": ("secret 1",)}
    assert found("openssl-sys", "openssl-src") == {}
    assert found("mysqlclient-sys") == {"default-libmysqlclient-dev": ("secret 1",)}
    assert found("serde") == {}
