"""Who needs whom: from closures and metadata to edges, each in the environment that it is true of."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.locks import distribution, needs
from toolkit.model.lock import Lock
from toolkit.model.pins import Pinned
from toolkit.vendored.dependency_graph import Edge, Needs
from toolkit.vendored.vendored_metadata import Said


def edges(item: Needs) -> set[tuple[str, str, str, str]]:
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
        ("tool==1", "build", "maker==1", ""),
    }


def chosen(packages: tuple[object, ...], said: dict[str, Said], *written: str, **more: object) -> Needs:
    lines = tuple(Edge(source="app", target=text.partition("[")[0], kind="runtime", text=text) for text in written)
    lock = Lock(service="app", pythons=("3.11",), packages=packages, **more)  # type: ignore[arg-type]
    return Needs(lock=lock, said=said, written=lines)


def app(item: Needs) -> Needs:
    return replace(item, lock=replace(item.lock, local=needs().lock.local[1:]))


def test_an_extra_counts_only_where_it_is_asked_for() -> None:
    packages = (distribution("web"), distribution("fast"), distribution("slow"))
    said = {"web==1": Said(requires=("fast ; extra == 'quick'", "slow ; extra == 'lazy'", "web[lazy] ; extra == 'x'"))}
    found = edges(app(chosen(packages, said, "web[quick]", "slow", "fast")))
    assert ("web==1", "runtime", "fast==1", "fast ; extra == 'quick'") in found
    assert not any(source == "web==1" and target == "slow==1" for source, _, target, _ in found)


def test_what_a_build_needs_is_the_version_of_that_build() -> None:
    old, new = distribution("maker", version="1"), distribution("maker", version="2")
    one = replace(distribution("one"), build_requires=(Pinned("maker", "1"),))
    two = replace(distribution("two"), build_requires=(Pinned("maker", "2"),))
    said = {key: Said(build=("maker",)) for key in ("one==1", "two==1")}
    found = edges(app(chosen((one, two), said, "one", "two", build_packages=(old, new))))
    assert {(s, t) for s, kind, t, _ in found if kind == "build"} == {("one==1", "maker==1"), ("two==1", "maker==2")}


def test_a_backend_that_builds_itself_is_not_said_to_be_built_with_what_it_needs() -> None:
    maker = replace(distribution("maker"), build_requires=(Pinned("tool", "1"),))
    said = {"maker==1": Said(requires=("tool",))}
    found = edges(app(chosen((maker, distribution("tool")), said, "maker")))
    assert [kind for source, kind, _, _ in found if source == "maker==1"] == ["runtime"]


def test_what_is_not_a_requirement_is_passed_over() -> None:
    said = {"web==1": Said(requires=("what (is) this?", "small"))}
    found = edges(app(chosen((distribution("web"), distribution("small")), said, "web")))
    assert ("web==1", "runtime", "small==1", "small") in found
