"""The first command of the README, on a machine that has git, make and python3, and nothing else."""

from __future__ import annotations

from tests.e2e.machine import TOOLKIT, Root, run


def test_make_example_installs_what_is_missing_and_builds_a_package(root: Root) -> None:
    root.run("apt-get", "--quiet", "update")
    root.run("apt-get", "--quiet", "--yes", "--no-install-recommends", "install", "git", "make", "python3")
    run(["git", "clone", "--quiet", "--no-hardlinks", TOOLKIT, root.path / "root/toolkit"])
    shown = root.run("make", "-C", "/root/toolkit", "example")
    assert "this machine lacks:" in shown
    [package] = (root.path / "root/toolkit/build/example/dist").glob("yc-example-service_*.deb")
    assert f"sudo apt-get install ./build/example/dist/{package.name}" in shown
    assert "python3" in run(["dpkg-deb", "--field", package, "Depends"])
