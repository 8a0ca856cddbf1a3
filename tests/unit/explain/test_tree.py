"""`make tree`: who requires whom, each once, and the same for other programs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from tests.unit.locks import distribution, line, lock_of, needs
from toolkit.core.errors import UserError
from toolkit.explain import tree
from toolkit.model.lock import LocalPackage
from toolkit.vendored.dependency_graph import DependencyGraph
from toolkit.verbs import command_line


def lines(*names: str, inverted: bool = False, item: DependencyGraph | None = None) -> list[str]:
    return tree.text([item or needs()], names, "text", inverted=inverted).splitlines()


def test_what_is_needed_comes_first_and_what_builds_it_after_that() -> None:
    assert lines() == [
        "app (app/)",
        "├── lib (lib/) (app/requirements.txt:1: lib[http])",
        "│   └── web 1 (lib/requirements.txt:3: web<2)",
        "│       ├── small 1 (Small ; python_version >= '3')",
        "│       └── wire 1",
        "│           └── small 1",
        "└── ~> check 1 (app/test-requirements.txt:1: check)",
        "=> maker 1 builds tool, wire",
        "└── tool 1",
        "-> needs, => is built with, ~> is tested or developed with",
    ]


def test_a_name_is_where_the_tree_begins() -> None:
    assert lines("Wire") == [
        "wire 1 in app",
        "└── small 1",
        "=> maker 1 builds tool, wire",
        "└── tool 1",
        "-> needs, => is built with, ~> is tested or developed with",
    ]


def test_inverted_it_shows_who_needs_a_name() -> None:
    assert lines("small", inverted=True) == [
        "small 1 in app",
        "├── web 1 -> Small ; python_version >= '3'",
        "│   └── lib (lib/) lib/requirements.txt:3: web<2",
        "│       └── app (app/) app/requirements.txt:1: lib[http]",
        "└── wire 1 -> small",
        "    └── web 1 -> wire>=1 (*)",
        "(*) what follows it is shown once",
    ]


def chain(length: int) -> DependencyGraph:
    names = [f"d{number}" for number in range(length)]
    packages = [
        replace(distribution(name), requires=(following,))
        for name, following in zip(names, [*names[1:], "d0"], strict=True)
    ]
    local = (LocalPackage(name="app", path="app"),)
    return DependencyGraph(lock=lock_of(*packages, local=local, direct=(line("app", "d0", "d0", "app/r.txt:1"),)))


def test_a_circle_ends_and_a_chain_may_be_as_long_as_it_likes() -> None:
    found = lines(item=chain(3000))
    assert found[-3].endswith("└── d2999 1") and found[-2].endswith("└── d0 1 (*)")
    assert len(found) == 3003


def test_a_node_is_unfolded_where_it_is_nearest_to_the_root() -> None:
    far, near = replace(distribution("far"), requires=("near",)), replace(distribution("near"), requires=("end",))
    direct = (line("app", "far", "far", "r:1"), line("app", "near", "near", "r:2"))
    lock = lock_of(far, near, distribution("end"), local=(LocalPackage(name="app", path="app"),), direct=direct)
    assert lines(item=DependencyGraph(lock=lock))[1:5] == [
        "├── far 1 (r:1: far)",
        "│   └── near 1 (*)",
        "└── near 1 (r:2: near)",
        "    └── end 1",
    ]


def test_the_json_form_is_that_of_the_reference() -> None:
    found = json.loads(tree.text([needs()], ["wire"], "json", inverted=False))
    assert found["format"] == 1
    [told] = found["trees"]
    assert (told["service"], told["roots"]) == ("app", ["wire==1"])
    assert told["nodes"][0] == {
        "id": "maker==1",
        "kind": "distribution",
        "name": "maker",
        "version": "1",
        "path": None,
        "marker": None,
    }
    assert {
        "source": "wire==1",
        "target": "maker==1",
        "kind": "build",
        "requirement": "maker>0",
        "origin": None,
    } in told["edges"]
    whole = json.loads(tree.text([needs()], (), "json", inverted=False))["trees"][0]
    assert [node["path"] for node in whole["nodes"] if node["kind"] == "package"] == ["app", "lib"]
    assert {edge["origin"] for edge in whole["edges"]} >= {"lib/requirements.txt:3", None}


@pytest.mark.skipif(not shutil.which("dot"), reason="graphviz is not installed: `make setup` installs it")
@pytest.mark.parametrize("inverted", [False, True])
def test_graphviz_reads_the_dot_form(inverted: bool) -> None:
    text = tree.text([needs()], ["small"] if inverted else (), "dot", inverted=inverted)
    told = subprocess.run(["dot", "-Tplain"], input=text, text=True, capture_output=True, check=True)
    assert told.stderr == ""
    edges = re.findall(r"^edge (\S+) (\S+) .* (solid|dashed|dotted) ", told.stdout, re.MULTILINE)
    assert ('"web==1"', '"wire==1"', "solid") in edges
    assert inverted or {('"wire==1"', '"maker==1"', "dashed"), ("app", '"check==1"', "dotted")} <= {*edges}


def test_the_mermaid_form_names_each_node_and_links_them() -> None:
    first, *others = tree.text([needs()], (), "mermaid", inverted=False).splitlines()
    nodes = {found[1]: found[2] for text in others if (found := re.fullmatch(r'  (n\d+)\["([^"]+)"\]', text))}
    links = [re.fullmatch(r"  (n\d+) (-->|-\.->|==>) (n\d+)", text) for text in others if "[" not in text]
    assert first == "flowchart LR" and all(links)
    told = {(nodes[link[1]], link[2], nodes[link[3]]) for link in links if link}
    assert {("web 1", "-->", "wire 1"), ("wire 1", "-.->", "maker 1"), ("app (app/)", "==>", "check 1")} <= told


def test_what_cannot_be_shown_is_said_with_a_hint() -> None:
    with pytest.raises(UserError, match="nothing locked is called smal") as caught:
        lines("smal")
    assert caught.value.hint == "did you mean small?"
    with pytest.raises(UserError, match="INVERT needs NAME"):
        tree.refuse_inverted_without_name((), inverted=True)
    with pytest.raises(UserError, match="FORMAT=svg: no such form") as caught:
        command_line.parse("tree", ["FORMAT=svg"])
    assert caught.value.hint == "write text, dot, mermaid or json: FORMAT=dot"
