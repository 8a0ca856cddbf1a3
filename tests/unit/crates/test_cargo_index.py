"""A crate's file in the index of a registry."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.rust_trees import SHA256, dep, dependency, line
from toolkit.crates import cargo_index


def content(*lines: dict[str, Any]) -> bytes:
    return b"\n".join(json.dumps(item).encode() for item in lines) + b"\n"


def test_a_line_tells_what_a_version_needs() -> None:
    entry = line(
        "one",
        "1.0.0",
        dep("two", "^1", target="cfg(unix)", kind="build", features=["x"]),
        dep("three", "*", package="real-three", optional=True, default_features=False, kind=None),
        features={"default": ["three"], "both": ["a"]},
        features2={"new": ["dep:three", "three?/y"], "both": ["b"]},
        rust_version="1.70",
        v=2,
    )
    found = cargo_index.release(content(line("one", "0.9.0"), entry), "one", "1.0.0")
    assert found and (found.checksum, found.yanked, found.rust_version) == (SHA256, False, "1.70")
    assert found.manifest.dependencies == (
        dependency("two", requirement="^1", target="cfg(unix)", kind="build", features=("x",)),
        dependency("real-three", key="three", optional=True, default_features=False),
    )
    assert found.manifest.features == {"default": ("three",), "both": ("a", "b"), "new": ("dep:three", "three?/y")}


def test_lines_that_are_not_as_the_format_has_them_are_left_out() -> None:
    bad = [line("one", "1"), line("other", "1.0.0"), line("one", "1.0.0", v=3), line("one", "1.0.1", cksum="x")]
    text = b"[]\nnull\n{\n\n\xff\n" + content(*bad, line("one", "2.0.0", yanked=True))
    assert [(item.version, item.yanked) for item in cargo_index.releases(text, "one")] == [("2.0.0", True)]
    assert cargo_index.release(text, "one", "1.0.0") is None


@pytest.mark.parametrize("told", ["nightly", 3, None, ["1.70"], "1.70\n"])
def test_a_rust_version_that_is_none_is_not_told(told: object) -> None:
    assert [
        item.rust_version for item in cargo_index.releases(content(line("one", "1.0.0", rust_version=told)), "one")
    ] == [""]


@pytest.mark.parametrize(
    "entry",
    [
        line("one", "1.0.0", dep("two", "?")),
        line("one", "1.0.0", dep("../two")),
        line("one", "1.0.0", dep("two", kind="other")),
        line("one", "1.0.0", dep("two", kind=["normal"])),
        line("one", "1.0.0", features={"a": "b"}),
        line("one", "1.0.0", features=3),
        line("one", "1.0.0") | {"deps": {}},
    ],
)
def test_what_a_line_says_is_read_by_type(entry: dict[str, Any]) -> None:
    found = cargo_index.release(content(entry), "one", "1.0.0")
    assert found
    with pytest.raises(ValueError, match=r".+"):
        _ = found.manifest
