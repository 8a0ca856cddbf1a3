"""Where the wheels of a development environment come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from toolkit import check, files, graph, lock, plan, ui, wheels
from toolkit.binary_records import Records
from toolkit.interpreter import Interpreter
from toolkit.lock import Lock
from toolkit.personal import PersonalWheel
from toolkit.places import Places
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


def source_hashes(locks: Iterable[Lock]) -> dict[str, str]:
    """Return the sha256 of the locked sources that come from an index, by name: wheels can stand for these."""
    return {d.name: d.files[0].sha256 for item in locks for d in item.distributions() if d.kind == "sdist"}


@dataclass(frozen=True, kw_only=True)
class Supply:
    """Gets wheels for the environment's interpreter `used`; extensions are built by `building`.

    `nodes` are from vendor/; for those in `binary` (name -> sha256 of the source) a wheel of the index may stand.
    `bundled` are wheels that are there already, `personal` those of requirements that are not the project's.
    """

    project: Project
    settings: Settings
    options: BuildOptions
    used: Interpreter
    building: Interpreter
    nodes: Mapping[str, Node]
    places: Places
    binary: Mapping[str, str] = field(default_factory=dict)
    bundled: Mapping[str, Path] = field(default_factory=dict)
    personal: Mapping[str, PersonalWheel] = field(default_factory=dict)

    def wanted(self) -> tuple[Wanted, ...]:
        """Return all that the environment is to hold."""
        found = [*map(self._from_node, self.nodes.values()), *map(_from_bundled, self.bundled.values()),
                 *map(_from_personal, self.personal.values())]
        return tuple(sorted(found, key=lambda item: item.name))

    def _from_node(self, node: Node) -> Wanted:
        identity = f"binary {node.source.name}" if node.name in self.binary else node.identity
        return Wanted(name=node.name, version=node.version, identity=identity)

    def get(self, wanted: Sequence[Wanted]) -> dict[str, Unpacked]:
        """Return unpacked wheels by name: those unpacked before, else from the index, the wheel store, or built."""
        shelf = self.shelf
        found = {item.name: there for item in wanted if (there := shelf.find(self._key(item.name)))}
        missing = [item.name for item in wanted if item.name not in found]
        binary = [self.nodes[name] for name in missing if name in self.binary]
        if binary:
            found |= self._fetch(binary, shelf)
        missing = [name for name in missing if name not in found]
        paths = self._wheels(missing) if missing else {}
        keys = {name: self._built_key(name) for name in missing}
        taken = shelf.take({keys[name]: paths[name] for name in missing})
        return found | {name: taken[keys[name]] for name in missing}

    @property
    def shelf(self) -> Shelf:
        """Return where wheels are unpacked for this interpreter."""
        return Shelf(store=self.options.store, interpreter=self.used, jobs=self.options.jobs)

    def _key(self, name: str) -> str:
        """Return what a wheel is found by; a wheel of the index by its hash, as it was when it was first chosen."""
        if name not in self.binary:
            return self._built_key(name)
        record = Records().read(self.nodes[name].key)
        return record.get(plan.best_wheel(list(record), self.used), "")

    def _built_key(self, name: str) -> str:
        if name in self.bundled:
            return files.sha256(self.bundled[name])
        if name in self.personal:
            return self.personal[name].sha256
        # Without the compiler's flags, which take a program to ask for and change nothing for a developer.
        return plan.store_key(self.nodes[name], self.building, {}, graph.system())

    def _fetch(self, wanted: Sequence[Node], shelf: Shelf) -> dict[str, Unpacked]:
        indexes = self.places.enter()
        # Above the network line: only the tools environment has what this needs.
        from toolkit.binary_wheels import BinaryWheels

        found: dict[str, Unpacked] = {}

        def take(node: Node, wheel: Path, sha256: str) -> None:
            found[node.name] = shelf.take_one(sha256, wheel)

        BinaryWheels(indexes=indexes, interpreter=self.used, hashes=self.binary).fetch(wanted, take)
        rest = [node.label for node in wanted if node.name not in found]
        if rest:
            ui.step("SOURCE", f"no wheel fits, so built from vendor/: {', '.join(rest)}")
        return found

    def _wheels(self, names: Iterable[str]) -> dict[str, Path]:
        chosen = {name: self.nodes[name] for name in names if name in self.nodes}
        if chosen:
            # Only now is anything of vendor/ opened.
            check.require(self.project, self.settings)
        built = wheels.build_nodes(chosen.values(), self.building, self.settings, self.options) if chosen else {}
        ready = {**self.bundled, **{name: item.path for name, item in self.personal.items()}}
        return {**ready, **{name: built[node] for name, node in chosen.items()}}


def _from_bundled(wheel: Path) -> Wanted:
    name, version = wheel.name.split("-")[:2]
    return Wanted(name=lock.normalize(name), version=version, identity=wheel.name)


def _from_personal(wheel: PersonalWheel) -> Wanted:
    return Wanted(name=wheel.name, version=wheel.version, identity=wheel.sha256)
