"""Where the wheels of a development environment come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.build import plan, scheduler, wheels
from toolkit.build.building_options import BuildOptions
from toolkit.build.plan import Node, Planner
from toolkit.core import files
from toolkit.core.errors import UserError
from toolkit.develop.personal_wheel import PersonalWheel
from toolkit.develop.sync import TargetDistribution
from toolkit.model import tags
from toolkit.model.interpreter import Interpreter
from toolkit.model.lock import Lock, VendoredFile
from toolkit.model.names import normalize
from toolkit.network.index_options import IndexOptions
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings
from toolkit.vendored import check
from toolkit.wheel.image import Image, Images


def nodes(locks: Iterable[Lock], used: Interpreter, settings: Settings, own: Iterable[str]) -> dict[str, Node]:
    """Return what a developer of these services needs, by name: run time, tests and development; not what is `own`.

    Raises `UserError` when two services lock different versions of one distribution.
    """
    chosen: dict[str, Node] = {}
    owners: dict[str, str] = {}
    passed = set(own)
    for item in locks:
        planner = Planner(lock=item, interpreter=used, project=settings.project, vendored=settings.vendor.joinpath)
        for node in (*planner.dependencies(), *planner.tests(), *planner.development()):
            first = chosen.get(node.name)
            if first and first.version != node.version:
                raise UserError(
                    f"{owners[node.name]} has {first.label}, but {item.service} has {node.label}",
                    "one environment holds one of them: name one service (--services DIRECTORY), or make them agree",
                )
            if node.name not in passed and (not first or first.cheap):
                chosen[node.name], owners[node.name] = node, item.service
    return dict(sorted(chosen.items()))


def offered(locks: Iterable[Lock], chosen: Mapping[str, Node], used: Interpreter) -> dict[str, VendoredFile]:
    """Return the wheel that the lock offers for each of the nodes, by name; not those where none fits."""
    found: dict[str, VendoredFile] = {}
    for distribution in (d for item in locks for d in item.distributions()):
        node = chosen.get(distribution.name)
        if node and node.key == distribution.key:
            wheels = {wheel.name: wheel for wheel in distribution.offered}
            best = wheels.get(tags.best_wheel(wheels, tags.ranks(used.version)))
            found |= {distribution.name: best} if best else {}
    return found


@dataclass(frozen=True, kw_only=True)
class WheelSources:
    """Gets wheels for the environment's interpreter `used`; extensions are built by `building`.

    `nodes` are from vendor/; for those in `binary` a wheel of the index stands, which is not got here. `bundled` are
    wheels that are there already, `personal` those of requirements that are not the project's.
    """

    project: Project
    settings: Settings
    options: BuildOptions
    used: Interpreter
    building: Interpreter
    nodes: Mapping[str, Node]
    indexes: IndexOptions
    binary: Mapping[str, VendoredFile] = field(default_factory=dict)
    bundled: Mapping[str, Path] = field(default_factory=dict)
    personal: Mapping[str, PersonalWheel] = field(default_factory=dict)

    def wanted(self) -> tuple[TargetDistribution, ...]:
        """Return all that the environment is to hold."""
        found = [
            *map(self._from_node, self.nodes.values()),
            *map(_from_bundled, self.bundled.values()),
            *map(_from_personal, self.personal.values()),
        ]
        return tuple(sorted(found, key=lambda item: item.name))

    def _from_node(self, node: Node) -> TargetDistribution:
        wheel = self.binary.get(node.name)
        return TargetDistribution(
            name=node.name, version=node.version, identity=wheel.sha256 if wheel else node.identity
        )

    def get(self, wanted: Sequence[TargetDistribution]) -> dict[str, Image]:
        """Return images of wheels by name: those made before, else from the wheel store, or built."""
        keys = {item.name: self._key(item.name) for item in wanted if item.name not in self.binary}
        images = Images(store=self.options.store, interpreter=self.used, jobs=self.options.jobs)
        found = {name: there for name, key in keys.items() if (there := images.find(key))}
        missing = [name for name in keys if name not in found]
        paths = self._wheels(missing) if missing else {}
        taken = images.take({keys[name]: paths[name] for name in missing})
        return found | {name: taken[keys[name]] for name in missing}

    def _key(self, name: str) -> str:
        if name in self.bundled:
            return files.sha256(self.bundled[name])
        if name in self.personal:
            return self.personal[name].sha256
        # Without the compiler's flags, which take a program to ask for and change nothing for a developer.
        return plan.store_key(self.nodes[name], self.building, {}, scheduler.system())

    def _wheels(self, names: Iterable[str]) -> dict[str, Path]:
        chosen = {name: self.nodes[name] for name in names if name in self.nodes}
        if chosen:
            # Only now is anything of vendor/ opened.
            check.require(self.project, self.settings)
        built = wheels.build_nodes(chosen.values(), self.building, self.settings, self.options) if chosen else {}
        ready = {**self.bundled, **{name: item.path for name, item in self.personal.items()}}
        return {**ready, **{name: built[node] for name, node in chosen.items()}}


def _from_bundled(wheel: Path) -> TargetDistribution:
    name, version = wheel.name.split("-")[:2]
    return TargetDistribution(name=normalize(name), version=version, identity=wheel.name)


def _from_personal(wheel: PersonalWheel) -> TargetDistribution:
    return TargetDistribution(name=wheel.name, version=wheel.version, identity=wheel.sha256)
