"""The verb `tree`: who requires whom, in a tree that shows what each requires once, or in forms for other programs."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from toolkit.core.errors import UserError
from toolkit.explain import unlocked
from toolkit.model import requirement_texts
from toolkit.vendored.dependency_graph import DependencyGraph, Edge, name_of

#: What `FORMAT=` takes.
FORMATS = ("text", "dot", "mermaid", "json")
#: The form of the JSON: another number is another form.
_JSON_FORM = 1
ARROWS = {"runtime": "->", "build": "=>", "tests": "~>"}
LEGEND = "-> needs, => is built with, ~> is tested or developed with"
_FOLDED = "(*) what follows it is shown once"
#: Lines to a child and past it, for one that others follow and for the last.
_BRANCHES = (("├── ", "│   "), ("└── ", "    "))
_NO_HEADS: Mapping[str, str] = {}


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a tree shows of one lock: its `roots`, and the edges from each node by its key, in the order of names.

    With `inverted` they lead from what is required to what requires it.
    """

    graph: DependencyGraph
    roots: tuple[str, ...]
    edges: Mapping[str, tuple[Edge, ...]]
    inverted: bool = False

    def reached(self) -> list[str]:
        """Return the keys of all nodes, in the order in which they are met."""
        found: dict[str, None] = {}
        stack = [*reversed(self.roots)]
        while stack:
            key = stack.pop()
            if key not in found:
                found[key] = None
                stack += [self.end(edge) for edge in reversed(self.edges.get(key, ()))]
        return [*found]

    def end(self, edge: Edge) -> str:
        """Return the node that an edge leads to here."""
        return edge.source if self.inverted else edge.target


def part(graph: DependencyGraph, name: str = "", *, inverted: bool = False) -> Part:
    """Return what there is to show of a lock: all of it, or what `name` requires, or (`inverted`) what requires it.

    There are no roots where the lock does not hold it.
    """
    roots = tuple(graph.find(name)) if name else (graph.root,)
    # The same edge may be found in several environments.
    every = dict.fromkeys(edge for outgoing in graph.edges.values() for edge, _ in outgoing)
    edges: dict[str, list[Edge]] = {}
    for edge in every:
        edges.setdefault(edge.target if inverted else edge.source, []).append(edge)
    found = Part(graph=graph, roots=roots, edges={}, inverted=inverted)
    ordered = {key: tuple(sorted(own, key=lambda edge: _order(edge, found.end(edge)))) for key, own in edges.items()}
    return Part(graph=graph, roots=roots, edges=ordered, inverted=inverted)


def _order(edge: Edge, end: str) -> tuple[int, str, str]:
    return [*ARROWS].index(edge.kind), end, edge.text


def text(graphs: Sequence[DependencyGraph], names: Sequence[str], form: str, *, inverted: bool) -> str:
    """Return the trees of the locks, or of names in them, in one of `FORMATS`.

    Raises `UserError` for a name that no lock holds.
    """
    for name in names:
        if not any(graph.find(name) for graph in graphs):
            raise unlocked.error(graphs, name)
    parts = [part(graph, name, inverted=inverted) for graph in graphs for name in names or ("",)]
    parts = [item for item in parts if item.roots]
    if form == "text":
        return "".join(f"{line}\n" for line in _text(parts))
    return {"dot": _dot, "mermaid": _mermaid, "json": _json}[form](parts)


def _text(parts: Sequence[Part]) -> Iterator[str]:
    kinds: set[str] = set()
    is_folded = False
    for item in parts:
        drawing = Drawing(part=item)
        yield from drawing.lines()
        is_folded |= drawing.is_folded
        kinds |= drawing.kinds
    if kinds - {"runtime"}:
        yield LEGEND
    if is_folded:
        yield _FOLDED


@dataclass(kw_only=True)
class Drawing:
    """One tree as lines, and what had to be said in it: that nodes are folded, and the kinds of the edges."""

    part: Part
    is_folded: bool = False
    kinds: set[str] = field(default_factory=set)

    def lines(self) -> Iterator[str]:
        """Yield the lines of what each root needs, then those of what builds any of it; inverted, all in one tree."""
        item = self.part
        for root in item.roots:
            heading = label(item.graph, root)
            yield heading if root == item.graph.root else f"{heading} in {item.graph.lock.service}"
            if item.inverted:
                yield from self._below([root], {*ARROWS})
            else:
                yield from self._below([root], {"runtime", "tests"})
                yield from self._builds(root)

    def _builds(self, root: str) -> Iterator[str]:
        """Yield what builds anything that is reached, each with what it needs: what builds that has its own line."""
        built: dict[str, set[str]] = {}
        for key in replace(self.part, roots=(root,)).reached():
            for edge in self.part.edges.get(key, ()):
                if edge.kind == "build":
                    built.setdefault(edge.target, set()).add(name_of(key))
        tools = sorted(built)
        heads = {key: f"=> {label(self.part.graph, key)} builds {', '.join(sorted(built[key]))}" for key in tools}
        if tools:
            self.kinds.add("build")
            yield from self._below(tools, {"runtime"}, heads)

    def _below(self, roots: Sequence[str], kinds: Set[str], heads: Mapping[str, str] = _NO_HEADS) -> Iterator[str]:
        """Yield the lines below some roots, each after its head, if it has one.

        A node is unfolded where it is nearest to a root. No recursion: a chain may be longer than Python's stack.
        """
        unfolded = self._unfolded(roots, kinds)
        for root in roots:
            if root in heads:
                yield heads[root]
            pending = [("", edge) for edge in reversed(self._edges(root, kinds))]
            while pending:
                indent, edge = pending.pop()
                key = self.part.end(edge)
                further = self._edges(key, kinds)
                is_folded = bool(further) and unfolded[key] != edge
                self.is_folded |= is_folded
                self.kinds.add(edge.kind)
                is_last = edge == self._edges(self._begin(edge), kinds)[-1]
                branch, past = _BRANCHES[is_last]
                yield f"{indent}{branch}{self._told(edge)}{' (*)' if is_folded else ''}"
                if not is_folded:
                    pending += [(indent + past, below) for below in reversed(further)]

    def _unfolded(self, roots: Sequence[str], kinds: Set[str]) -> dict[str, Edge | None]:
        """Return each node with the edge to it behind which it is unfolded: the first of those nearest to a root."""
        found: dict[str, Edge | None] = dict.fromkeys(roots)
        queue = deque(roots)
        while queue:
            for edge in self._edges(queue.popleft(), kinds):
                if self.part.end(edge) not in found:
                    found[self.part.end(edge)] = edge
                    queue.append(self.part.end(edge))
        return found

    def _edges(self, key: str, kinds: Set[str]) -> list[Edge]:
        return [edge for edge in self.part.edges.get(key, ()) if edge.kind in kinds]

    def _begin(self, edge: Edge) -> str:
        return edge.target if self.part.inverted else edge.source

    def _told(self, edge: Edge) -> str:
        """Return the line of an edge: the arrow where it is no plain need, the node, and what asks for it."""
        shown = label(self.part.graph, self.part.end(edge))
        if self.part.inverted:
            return f"{shown} {edge.origin + ':' if edge.origin else ARROWS[edge.kind]} {edge.text}"
        arrow = "" if edge.kind == "runtime" else f"{ARROWS[edge.kind]} "
        if edge.origin:
            return f"{arrow}{shown} ({edge.origin}: {edge.text})"
        return f"{arrow}{shown}{f' ({edge.text})' if _is_special(edge.text) else ''}"


def _is_special(requirement: str) -> bool:
    """Tell whether a requirement holds for some machines only, or asks for more than the distribution alone."""
    found = requirement_texts.parse(requirement)
    return bool(found and (found.extras or found.marker))


def label(graph: DependencyGraph, key: str) -> str:
    """Return a node as a person reads it."""
    name, _, version = key.partition("==")
    path = next((item.path for item in graph.lock.local if item.name == key), "")
    return f"{name} {version}" if version else f"{name} ({path}/)"


def _graph_of(parts: Iterable[Part]) -> tuple[dict[str, str], list[Edge]]:
    """Return the nodes of some parts, with their labels, and the edges between them."""
    nodes: dict[str, str] = {}
    edges: dict[Edge, None] = {}
    for item in parts:
        for key in item.reached():
            nodes[key] = label(item.graph, key)
            edges.update(dict.fromkeys(item.edges.get(key, ())))
    return nodes, [*edges]


def _dot(parts: Sequence[Part]) -> str:
    """Return a graph for Graphviz, https://graphviz.org/doc/info/lang.html."""
    styles = {"runtime": "", "build": " [style=dashed]", "tests": " [style=dotted]"}
    nodes, edges = _graph_of(parts)
    lines = [f"  {_quoted(key)} [label={_quoted(shown)}];" for key, shown in nodes.items()]
    arrows = [f"  {_quoted(edge.source)} -> {_quoted(edge.target)}{styles[edge.kind]};" for edge in edges]
    return "\n".join(["digraph dependencies {", "  rankdir=LR;", *lines, *dict.fromkeys(arrows), "}\n"])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _mermaid(parts: Sequence[Part]) -> str:
    """Return a flowchart, https://mermaid.js.org/syntax/flowchart.html, whose identifiers are no names of ours."""
    arrows = {"runtime": "-->", "build": "-.->", "tests": "==>"}
    nodes, edges = _graph_of(parts)
    ids = {key: f"n{number}" for number, key in enumerate(nodes)}
    lines = [f'  {ids[key]}["{shown.replace(chr(34), "#quot;")}"]' for key, shown in nodes.items()]
    links = [f"  {ids[edge.source]} {arrows[edge.kind]} {ids[edge.target]}" for edge in edges]
    return "\n".join(["flowchart LR", *lines, *dict.fromkeys(links), ""])


def _json(parts: Sequence[Part]) -> str:
    told: dict[str, Any] = {"format": _JSON_FORM, "trees": [_tree(item) for item in parts]}
    return json.dumps(told, indent=1) + "\n"


def _tree(item: Part) -> dict[str, Any]:
    nodes, edges = _graph_of([item])
    packages = {local.name: local.path for local in item.graph.lock.local}
    markers = {locked.key: locked.marker for locked in item.graph.lock.distributions()}
    kinds: dict[str, Literal["package", "distribution"]] = {
        key: "package" if key in packages else "distribution" for key in nodes
    }
    return {
        "service": item.graph.lock.service,
        "roots": [*item.roots],
        "nodes": [
            {
                "id": key,
                "kind": kinds[key],
                "name": name_of(key),
                "version": key.partition("==")[2] or None,
                "path": packages.get(key),
                "marker": markers.get(key) or None,
            }
            for key in sorted(nodes)
        ],
        "edges": [
            {
                "source": edge.source,
                "target": edge.target,
                "kind": edge.kind,
                "requirement": edge.text,
                "origin": edge.origin or None,
            }
            for edge in edges
        ],
    }


def refuse_inverted_without_name(names: Sequence[str], *, inverted: bool) -> None:
    """Raise `UserError` where the tree of who needs something is asked for, and not of what."""
    if inverted and not names:
        raise UserError("INVERT needs NAME: of what?", "make tree NAME=flask INVERT=1 shows who needs flask")
