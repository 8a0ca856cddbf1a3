"""What only one of two packages of the same source has is told."""

from __future__ import annotations

import subprocess
import tracemalloc
from pathlib import Path

import pytest

from toolkit.debian.proof import deb_contents, two_builds

DSC = "relay_1.0.dsc"
SAME = f"Checksums-Sha256:\n {'a' * 64} 1000 relay_1.0.tar.gz\nFiles:\n"
OTHER = SAME.replace("a" * 64, "b" * 64)
SITE = "usr/lib/yc/relay/lib/python3.11/site-packages"
YAML = f"{SITE}/yaml/_yaml.cpython-311-x86_64-linux-gnu.so"
PLAIN = f"{SITE}/yaml/__init__.py"
LIBC = "libc6 (>= 2.34), python3 (>= 3.11~)"


class Builds:
    """Two directories of packages."""

    def __init__(self, root: Path) -> None:
        self.root, self.here, self.clean = root, root / "dist", root / "dist/bookworm"

    def package(
        self, directory: Path, *files: str, depends: str = LIBC, name: str = "relay", source: str = SAME
    ) -> None:
        tree = self.root / "tree" / directory.name / name
        for file in files:
            (tree / file).parent.mkdir(parents=True, exist_ok=True)
            (tree / file).write_text(directory.name)
        (tree / "DEBIAN").mkdir(parents=True)
        version = "1.0" if directory == self.here else "1.0~bookworm1"
        fields = {"Package": name, "Version": version, "Architecture": "amd64", "Maintainer": "A <a@b.example>"}
        fields |= {"Depends": depends, "Description": "x"}
        (tree / "DEBIAN/control").write_text("".join(f"{key}: {value}\n" for key, value in fields.items()))
        directory.mkdir(parents=True, exist_ok=True)
        deb = directory / f"{name}_{version}_amd64.deb"
        subprocess.run(["dpkg-deb", "--build", "-Znone", tree, deb], check=True, capture_output=True)
        (directory / DSC).write_text(source)


@pytest.fixture
def builds(tmp_path: Path) -> Builds:
    return Builds(tmp_path)


def told(builds: Builds, capsys: pytest.CaptureFixture[str]) -> list[str]:
    two_builds.warn(builds.here, builds.clean, DSC)
    return [line.strip() for line in capsys.readouterr().err.splitlines()]


def test_an_extension_and_its_library_that_one_build_found(builds: Builds, capsys: pytest.CaptureFixture[str]) -> None:
    builds.package(builds.here, PLAIN, YAML, depends=f"{LIBC}, libyaml-0-2")
    builds.package(builds.clean, PLAIN, f"{SITE}/yaml/slow.py", depends=LIBC.replace("2.34", "2.36"))
    assert told(builds, capsys) == [
        "warning: relay: `make deb` and `make sbuild` made different packages of the same source",
        f"only in that of `make deb`: /{YAML}",
        f"only in that of `make sbuild`: /{SITE}/yaml/slow.py",
        "only that of `make deb` depends on libyaml-0-2",
        "what a build uses where it finds it belongs in Build-Depends, or in Build-Conflicts",
    ]


def test_the_same_files_with_other_bytes_are_no_difference(builds: Builds, capsys: pytest.CaptureFixture[str]) -> None:
    for directory in (builds.here, builds.clean):
        builds.package(directory, PLAIN, YAML)
    # The entry that gives a suite's packages their version.
    builds.package(
        builds.clean, "usr/share/doc/data/changelog.amd64.gz", "usr/share/doc/data/changelog.gz", name="data"
    )
    builds.package(builds.here, "usr/share/doc/data/changelog.gz", name="data")
    builds.package(builds.here, "usr/lib/debug/x.debug", name="relay-dbgsym")
    builds.package(builds.clean, "usr/lib/debug/y.debug", name="relay-dbgsym")
    assert told(builds, capsys) == []


def test_many_differences_are_cut(builds: Builds, capsys: pytest.CaptureFixture[str]) -> None:
    builds.package(builds.here, *(f"{SITE}/m{n:02}.py" for n in range(30)))
    builds.package(builds.clean, f"{SITE}/m00.py")
    lines = told(builds, capsys)
    assert (len(lines), lines[-2]) == (13, "and 19 more")


def test_a_damaged_package_is_told_and_no_error(builds: Builds, capsys: pytest.CaptureFixture[str]) -> None:
    for directory in (builds.here, builds.clean):
        builds.package(directory, PLAIN, YAML)
    [deb] = builds.here.glob("*.deb")
    whole = deb.read_bytes()
    for content in (b"", whole[:200], whole[:-3000], whole.replace(b"ustar", b"\0\0\0\0\0")):
        deb.write_bytes(content)
        [line] = told(builds, capsys)
        damaged = f"{builds.here} and {builds.clean} cannot be compared: {deb}: damaged: dpkg-deb cannot unpack it"
        assert line == f"warning: {damaged}"
    (builds.clean / DSC).write_bytes(b"\xff")
    [line] = told(builds, capsys)
    assert f"{builds.clean / DSC}: not UTF-8" in line


def test_a_package_may_be_longer_than_memory(builds: Builds) -> None:
    builds.package(builds.here, PLAIN, "large")
    with (builds.root / "tree/dist/relay/large").open("wb") as stream:
        stream.truncate(64 << 20)
    [deb] = builds.here.glob("*.deb")
    subprocess.run(["dpkg-deb", "--build", "-Znone", builds.root / "tree/dist/relay", deb], check=True)
    tracemalloc.start()
    try:
        assert deb_contents.paths(deb) == {"/large", f"/{PLAIN}"}
        assert deb_contents.differing(deb, deb) == ["the packages differ in how they are packed"]
        assert tracemalloc.get_traced_memory()[1] < 8e6
    finally:
        tracemalloc.stop()


def test_another_source_is_not_compared(builds: Builds, capsys: pytest.CaptureFixture[str]) -> None:
    builds.package(builds.here, YAML, source=OTHER)
    builds.package(builds.clean, PLAIN)
    assert told(builds, capsys) == []
    (builds.here / DSC).unlink()
    assert told(builds, capsys) == []


def test_another_interpreter_is_not_compared(builds: Builds, capsys: pytest.CaptureFixture[str]) -> None:
    builds.package(builds.here, YAML)
    builds.package(builds.clean, YAML.replace("python3.11", "python3.13"))
    assert told(builds, capsys) == []


def test_a_name_cannot_act_on_the_terminal(builds: Builds, capsys: pytest.CaptureFixture[str]) -> None:
    builds.package(builds.here, f"{SITE}/x\x1b[2J.py")
    builds.package(builds.clean, PLAIN)
    assert any(r"x\x1b[2J.py" in line for line in told(builds, capsys))
