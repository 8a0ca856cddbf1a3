"""Locks of made-up distributions, with what those say of themselves."""

from __future__ import annotations

from toolkit.model.lock import Distribution, LocalPackage, Lock, VendoredFile
from toolkit.model.pins import Pinned
from toolkit.vendored.dependency_graph import Edge, Needs
from toolkit.vendored.vendored_metadata import Said


def distribution(name: str, *builds: str, size: int = 1000, version: str = "1") -> Distribution:
    """Return an sdist; `builds` is the closure that builds it."""
    file = VendoredFile(name=f"{name}-{version}.tar.gz", size=size, sha256=f"{name}{version}")
    closure = tuple(Pinned(other, "1") for other in builds)
    return Distribution(name=name, version=version, kind="sdist", files=(file,), build_requires=closure)


def needs() -> Needs:
    """Return a service `app` that uses `lib`.

    web -> wire -> small, web -> small; wire is built with maker, maker needs tool, and tool is built with maker; the
    tests use check.
    """
    lock = Lock(
        service="app",
        pythons=("3.11",),
        packages=(distribution("web", size=4_000_000), distribution("wire", "maker", "tool"), distribution("small")),
        build_packages=(distribution("maker"), distribution("tool", "maker"), distribution("check")),
        local=(LocalPackage(name="lib", path="lib"), LocalPackage(name="app", path="app")),
        test_requires=(Pinned("check", "1"),),
    )
    said = {
        "web==1": Said(requires=("wire>=1", "Small ; python_version >= '3'", "wire ; python_version < '3'")),
        "wire==1": Said(requires=("small",), build=("maker>0",)),
        "maker==1": Said(requires=("tool",)),
    }
    written = (
        Edge(source="app", target="lib", kind="runtime", text="lib[http]", origin="app/requirements.txt:1"),
        Edge(source="app", target="check", kind="tests", text="check", origin="app/test-requirements.txt:1"),
        Edge(source="lib", target="web", kind="runtime", text="web<2", origin="lib/requirements.txt:3"),
    )
    return Needs(lock=lock, said=said, written=written)
