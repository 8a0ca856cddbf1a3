"""Where the wheels of a development environment come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from toolkit import builder, check, files, graph, lock, plan, ui, wheels
from toolkit.interpreter import Interpreter
from toolkit.lock import Lock
from toolkit.plan import Node, Planner
from toolkit.project import Project
from toolkit.settings import Settings
from toolkit.sync import Wanted
from toolkit.unpacked import Shelf, Unpacked
from toolkit.wheels import BuildOptions


def nodes(locks: Iterable[Lock], used: Interpreter, settings: Settings, own: Iterable[str]) -> dict[str, Node]:
    """Return what a developer of these services needs, by name: run time, tests and development; not what is `own`.

    Raises `UserError` when two services lock different versions of one distribution.
    """
    chosen: dict[str, Node] = {}
    owners: dict[str, str] = {}
    passed = set(own)
    for item in locks:
        planner = Planner(lock=item, interpreter=used, project=settings.project, vendor=settings.vendor)
        for node in (*planner.dependencies(), *planner.tests(), *planner.development()):
            first = chosen.get(node.name)
            if first and first.version != node.version:
                raise ui.UserError(
                    f"{owners[node.name]} has {first.label}, but {item.service} has {node.label}",
                    "one environment holds one of them: name one service (--services DIRECTORY), or make them agree")
            if node.name not in passed and (not first or first.cheap):
                chosen[node.name], owners[node.name] = node, item.service
    return dict(sorted(chosen.items()))


@dataclass(frozen=True, kw_only=True)
class Supply:
    """Gets wheels for the environment's interpreter `used`; extensions are built by `building`."""

    project: Project
    settings: Settings
    options: BuildOptions
    used: Interpreter
    building: Interpreter
    nodes: Mapping[str, Node]
    bundled: Mapping[str, Path] = field(default_factory=dict)

    def wanted(self) -> tuple[Wanted, ...]:
        """Return all that the environment is to hold."""
        return tuple(sorted((*map(_from_node, self.nodes.values()), *map(_from_wheel, self.bundled.values())),
                            key=lambda item: item.name))

    def get(self, wanted: Sequence[Wanted]) -> dict[str, Unpacked]:
        """Return unpacked wheels by name: those unpacked before, else found in the wheel store, else built."""
        keys = {item.name: self._key(item.name) for item in wanted}
        shelf = Shelf(store=self.options.store, interpreter=self.used, jobs=self.options.jobs)
        found = {name: there for name, key in keys.items() if (there := shelf.find(key))}
        missing = [name for name in keys if name not in found]
        if missing:
            paths = self._wheels(missing)
            taken = shelf.take({keys[name]: paths[name] for name in missing})
            found |= {name: taken[keys[name]] for name in missing}
        return found

    def _key(self, name: str) -> str:
        if name in self.bundled:
            return files.sha256(self.bundled[name])
        return plan.store_key(self.nodes[name], self.building, builder.build_flags(), graph.system())

    def _wheels(self, names: Iterable[str]) -> dict[str, Path]:
        chosen = {name: self.nodes[name] for name in names if name in self.nodes}
        if chosen:
            # Only now is anything of vendor/ opened.
            check.require(self.project, self.settings)
        built = wheels.build_nodes(chosen.values(), self.building, self.settings, self.options) if chosen else {}
        return {**self.bundled, **{name: built[node] for name, node in chosen.items()}}


def _from_node(node: Node) -> Wanted:
    return Wanted(name=node.name, version=node.version, identity=node.identity)


def _from_wheel(wheel: Path) -> Wanted:
    name, version = wheel.name.split("-")[:2]
    return Wanted(name=lock.normalize(name), version=version, identity=wheel.name)
