"""Who needs whom: from closures and metadata to edges, each in the environment that it is true of."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.locks import distribution, line, lock_of, needs
from toolkit.model.lock import Distribution
from toolkit.model.pins import Pinned
from toolkit.vendored.dependency_graph import DependencyGraph


def edges(item: DependencyGraph) -> set[tuple[str, str, str, str]]:
    found = {edge for needed in item.edges.values() for edge, _ in needed}
    return {(edge.source, edge.kind, edge.target, edge.text) for edge in found}


def test_edges_follow_what_files_of_the_project_and_distributions_say() -> None:
    assert edges(needs()) == {
        ("app", "runtime", "lib", "lib[http]"),
        ("app", "tests", "check==1", "check"),
        ("lib", "runtime", "web==1", "web<2"),
        ("web==1", "runtime", "wire==1", "wire>=1"),
        ("web==1", "runtime", "small==1", "Small ; python_version >= '3'"),
        ("wire==1", "runtime", "small==1", "small"),
        ("wire==1", "build", "maker==1", "maker>0"),
        ("maker==1", "runtime", "tool==1", "tool"),
        ("tool==1", "build", "maker==1", "maker"),
    }


def app(*packages: Distribution, build_packages: tuple[Distribution, ...] = ()) -> DependencyGraph:
    """Return the graph of a service that asks for all of its packages."""
    direct = tuple(line("app", item.name, item.name, "r.txt:1") for item in packages)
    local = needs().lock.local[1:]
    return DependencyGraph(lock=lock_of(*packages, build_packages=build_packages, local=local, direct=direct))


def test_what_a_build_needs_is_the_version_of_that_build() -> None:
    old, new = distribution("maker", version="1"), distribution("maker", version="2")
    one = replace(distribution("one"), build_requires=(Pinned("maker", "1"),), build_dependencies=("maker",))
    two = replace(distribution("two"), build_requires=(Pinned("maker", "2"),), build_dependencies=("maker",))
    found = edges(app(one, two, build_packages=(old, new)))
    assert {(s, t) for s, kind, t, _ in found if kind == "build"} == {("one==1", "maker==1"), ("two==1", "maker==2")}


def test_a_backend_that_builds_itself_is_not_built_with_itself() -> None:
    maker = replace(distribution("maker", "maker"), build_dependencies=("maker",))
    assert [kind for source, kind, _, _ in edges(app(maker)) if source == "maker==1"] == []
