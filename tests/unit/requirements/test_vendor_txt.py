"""vendor.txt: binary by name, archives by URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from toolkit.core.errors import UserError
from toolkit.requirements import vendor_txt
from toolkit.requirements.vendor_txt import ArchiveRule, BinaryRule

if TYPE_CHECKING:
    from pathlib import Path


def read(tmp_path: Path, text: str) -> tuple[vendor_txt.Rule, ...]:
    (tmp_path / "vendor.txt").write_text(text, encoding="utf-8")
    return vendor_txt.read(tmp_path / "vendor.txt", tmp_path)


def test_a_missing_file_has_no_rules(tmp_path: Path) -> None:
    assert vendor_txt.read(tmp_path / "vendor.txt", tmp_path) == ()


def test_the_original_document_s_example(tmp_path: Path) -> None:
    text = """
yc-snapshot-client --platform macosx_10_6_intel --no-deps
yc-snapshot-client --platform linux_x86_64 --no-deps
https://launchpad.net/ubuntu/+archive/primary/+files/python-apt_1.1.0~beta1build1.tar.xz
"""
    url = "https://launchpad.net/ubuntu/+archive/primary/+files/python-apt_1.1.0~beta1build1.tar.xz"
    assert read(tmp_path, text) == (
        BinaryRule(name="yc-snapshot-client", origin="vendor.txt:2", platforms=("macosx_10_6_intel",), no_deps=True),
        BinaryRule(name="yc-snapshot-client", origin="vendor.txt:3", platforms=("linux_x86_64",), no_deps=True),
        ArchiveRule(url=url, origin="vendor.txt:4"),
    )


def test_every_option_in_both_spellings(tmp_path: Path) -> None:
    text = (
        "Foo.Bar>=1,<2 --platform=a --platform b --python-version 311 --python-version=3.12 --abi cp311 \\\n"
        "  --implementation cp --only-binary=:all: --no-deps  # because\n"
    )
    (rule,) = read(tmp_path, text)
    assert rule == BinaryRule(
        name="foo-bar",
        origin="vendor.txt:1",
        specifier="<2,>=1",
        platforms=("a", "b"),
        python_versions=("3.11", "3.12"),
        abis=("cp311",),
        implementations=("cp",),
        no_deps=True,
    )


@pytest.mark.parametrize(("spelled", "meant"), [("3", "3"), ("39", "3.9"), ("3.11.7", "3.11.7")])
def test_python_versions_as_pip_spells_them(tmp_path: Path, spelled: str, meant: str) -> None:
    (rule,) = read(tmp_path, f"a --python-version {spelled}")
    assert isinstance(rule, BinaryRule)
    assert rule.python_versions == (meant,)


@pytest.mark.parametrize("value", [":all:", "a", "x,A"])
def test_only_binary_may_say_what_is_implied(tmp_path: Path, value: str) -> None:
    assert read(tmp_path, f"a --only-binary {value}") == (BinaryRule(name="a", origin="vendor.txt:1"),)


@pytest.mark.parametrize("suffix", [".tar.gz", ".tar.bz2", ".tar.xz", ".zip", ".tgz"])
def test_archives_with_their_hash(tmp_path: Path, suffix: str) -> None:
    digest = "0123456789abcdef" * 4
    url = f"https://h/x{suffix}?token=1#sha256={digest.upper()}"
    assert read(tmp_path, url) == (ArchiveRule(url=url, origin="vendor.txt:1"),)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a\n--no-deps b", "vendor.txt:2: options without a name: `--no-deps b`"),
        ("a b", "vendor.txt:1: neither a distribution nor a URL: `a b`"),
        ("a=1", "vendor.txt:1: neither a distribution nor a URL"),
        ("a[x]", "vendor.txt:1: only a name (and a version) can stand here"),
        ("a; os_name == 'nt'", "vendor.txt:1: only a name (and a version) can stand here"),
        ("a @ https://h/a.zip", "vendor.txt:1: only a name (and a version) can stand here"),
        ("a --frobnicate", "vendor.txt:1: unknown option `--frobnicate`"),
        ("a --no-deps=yes", "vendor.txt:1: unknown option `--no-deps=yes`"),
        ("a --platform x y", "vendor.txt:1: unknown option `y`"),
        ("a --platform", "vendor.txt:1: --platform needs a value"),
        ("a --platform --no-deps", "vendor.txt:1: --platform needs a value"),
        ("a --abi=", "vendor.txt:1: --abi needs a value"),
        ("a --platform 'x", "vendor.txt:1: No closing quotation"),
        ("a --python-version three", "vendor.txt:1: not a Python version: `three`"),
        ("a --only-binary b", "vendor.txt:1: --only-binary b does not name a"),
        ("git+https://h/x.git", "vendor.txt:1: not the URL of an archive"),
        ("https://h/x.zip --no-deps", "vendor.txt:1: not the URL of an archive"),
        ("https://h/x.tar.zst", "vendor.txt:1: not an archive: `https://h/x.tar.zst`"),
        ("https://h/x-1-py3-none-any.whl", "vendor.txt:1: not an archive"),
        ("https://h/x.zip#sha256=12", "vendor.txt:1: neither a sha256 nor a version: `#sha256=12`"),
        ("https://h/x.zip#md5=12", "vendor.txt:1: neither a sha256 nor a version: `#md5=12`"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path, text)
    assert caught.value.what.startswith(what)
    assert caught.value.hint
