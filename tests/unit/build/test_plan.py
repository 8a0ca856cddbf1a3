"""From a lock to a graph of wheels."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from toolkit.build import interpreters
from toolkit.build.plan import Node, Planner, store_key
from toolkit.core.errors import UserError
from toolkit.model.lock import Distribution, LocalPackage, Lock, VendoredFile
from toolkit.model.pins import Pinned

PYTHON = interpreters.find([f"3.{sys.version_info.minor}"], sys.executable)


def distribution(name: str, *build_requires: str, marker: str = "") -> Distribution:
    file = VendoredFile(name=f"{name}-1.tar.gz", size=1, sha256=name * 4)
    return Distribution(
        name=name,
        version="1",
        kind="sdist",
        files=(file,),
        build_requires=tuple(map(Pinned.parse, build_requires)),
        marker=marker,
    )


def planner(tmp_path: Path, *packages: Distribution, build: tuple[Distribution, ...] = (), **more: Any) -> Planner:
    lock = Lock(
        service="s", pythons=(PYTHON.version,), platforms=("linux",), packages=packages, build_packages=build, **more
    )
    return Planner(lock=lock, interpreter=PYTHON, project=tmp_path, vendored=tmp_path.joinpath)


def test_only_what_is_not_shipped_is_built_cheaply(tmp_path: Path) -> None:
    (shipped, both) = planner(
        tmp_path, distribution("a", "tool==1", "both==1"), distribution("both"), build=(distribution("tool"),)
    ).runtime()
    assert [(node.name, node.cheap) for node in (shipped, both, *shipped.requires)] == [
        ("a", False),
        ("both", False),
        ("tool", True),
        ("both", False),
    ]


def test_a_marker_that_does_not_hold_leaves_its_distribution_out(tmp_path: Path) -> None:
    nodes = planner(tmp_path, distribution("a"), distribution("b", marker="sys_platform == 'win32'")).runtime()
    assert [node.name for node in nodes] == ["a"]


def test_identity_covers_what_builds_it(tmp_path: Path) -> None:
    tools = distribution("tool"), replace(distribution("tool"), files=(VendoredFile(name="t", size=1, sha256="x"),))
    first, second = (planner(tmp_path, distribution("a", "tool==1"), build=(tool,)).runtime()[0] for tool in tools)
    assert first.identity != second.identity


def test_a_circle_of_build_requirements_is_shown(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a==1 -> b==1 -> a==1") as caught:
        planner(tmp_path, distribution("a", "b==1"), build=(distribution("b", "a==1"),)).runtime()
    assert "vendor.txt" in caught.value.hint


def test_a_build_requirement_the_lock_does_not_hold_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"pylock\.s\.toml: a==1 needs b==2"):
        planner(tmp_path, distribution("a", "b==2")).runtime()


def test_the_best_of_several_wheels_is_taken(tmp_path: Path) -> None:
    tag = f"cp3{sys.version_info.minor}"
    names = ["a-1-py3-none-any.whl", f"a-1-{tag}-{tag}-linux_aarch64.whl", f"a-1-{tag}-{tag}-linux_x86_64.whl"]
    if sys.platform != "linux":
        pytest.skip("wheels of Linux")
    files = tuple(VendoredFile(name=name, size=1, sha256=name) for name in names)
    (node,) = planner(tmp_path, Distribution(name="a", version="1", kind="wheels", files=files)).runtime()
    assert node.ready
    assert node.source.name == f"a-1-{tag}-{tag}-linux_{PYTHON.marker_environment['platform_machine']}.whl"


def test_no_wheel_for_this_machine_says_which_line_to_add(tmp_path: Path) -> None:
    file = VendoredFile(name="a-1-cp311-cp311-win_amd64.whl", size=1, sha256="x")
    with pytest.raises(UserError, match="no vendored wheel") as caught:
        planner(tmp_path, Distribution(name="a", version="1", kind="wheels", files=(file,))).runtime()
    assert "vendor.txt" in caught.value.hint


def test_a_local_package_is_known_by_its_files(tmp_path: Path) -> None:
    package = tmp_path / "lib"
    package.mkdir()
    (package / "setup.py").write_text("one")
    local = (LocalPackage(name="lib", path="lib"),)
    (first,) = planner(tmp_path, local=local).runtime()
    (package / "setup.py").write_text("two")
    (second,) = planner(tmp_path, local=local).runtime()
    assert first.local
    assert first.identity != second.identity


def test_the_store_key_depends_on_all_that_shapes_a_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node(name="a", version="1", source=Path("a"), identity="x")
    keys = {
        store_key(node, PYTHON, {}, "on"),
        store_key(node, PYTHON, {"CFLAGS": "-O2"}, "on"),
        store_key(node, replace(PYTHON, soabi="other"), {}, "on"),
        store_key(replace(node, cheap=True), PYTHON, {}, "on"),
        store_key(node, replace(PYTHON, path=Path("/opt/bin/python"), include=Path("/opt/include")), {}, "on"),
        store_key(replace(node, identity="y"), PYTHON, {}, "on"),
        store_key(node, PYTHON, {}, "off"),
    }
    assert store_key(node, PYTHON, {}, "required") in keys
    monkeypatch.setattr("toolkit.build.plan.system", lambda: "another release")
    assert len(keys | {store_key(node, PYTHON, {}, "on")}) == 8
