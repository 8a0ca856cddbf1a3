"""Where the wheels of a development environment come from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.build import plan, wheels
from toolkit.build.building_options import BuildOptions
from toolkit.build.plan import Node, Planner
from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.develop.sync import TargetDistribution
from toolkit.model import tags
from toolkit.model.interpreter import Interpreter
from toolkit.model.lock import Lock, VendoredFile
from toolkit.network import tools_environment
from toolkit.network.index_options import IndexOptions
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings
from toolkit.vendored import check
from toolkit.wheel.image import Image, Images


@dataclass(frozen=True, kw_only=True)
class ReadyWheel:
    """pip's wheel, or one of a developer's own requirements; `path` may have gone from the cache."""

    name: str
    version: str
    sha256: str
    path: Path


def nodes(locks: Iterable[Lock], used: Interpreter, settings: Settings, linked: Collection[str]) -> dict[str, Node]:
    """Return the nodes of these locks for run time, tests and development, by name, without the `linked` packages.

    Raises `UserError` when two services lock different versions of one distribution.
    """
    chosen: dict[str, Node] = {}
    owners: dict[str, str] = {}
    for lock in locks:
        planner = Planner(lock=lock, interpreter=used, project=settings.project, vendored=settings.vendor.joinpath)
        for node in (*planner.dependencies(), *planner.tests(), *planner.development()):
            first = chosen.get(node.name)
            if first and first.version != node.version:
                raise UserError(
                    f"{owners[node.name]} has {first.label}, but {lock.service} has {node.label}",
                    "one environment holds one of them: name one service (--services DIRECTORY), or make them agree",
                )
            if node.name not in linked and (not first or first.cheap):
                chosen[node.name], owners[node.name] = node, lock.service
    return dict(sorted(chosen.items()))


def local_nodes(locks: Iterable[Lock], used: Interpreter, settings: Settings) -> dict[str, Node]:
    """Return the nodes of the project's own packages that these locks are for, by name."""
    planners = (
        Planner(lock=lock, interpreter=used, project=settings.project, vendored=settings.vendor.joinpath)
        for lock in locks
    )
    return {node.name: node for planner in planners for node in planner.local()}


def offered(locks: Iterable[Lock], chosen: Mapping[str, Node], used: Interpreter) -> dict[str, VendoredFile]:
    """Return the wheel of the index that the locks offer for each of the nodes, by name, where one fits.

    What has settings or patches of its own is built: a wheel of the index has none.
    """
    found: dict[str, VendoredFile] = {}
    for distribution in (d for lock in locks for d in lock.distributions()):
        node = chosen.get(distribution.name)
        if distribution.settings or distribution.patches:
            continue
        if node and node.key == distribution.key:
            wheels = {wheel.name: wheel for wheel in distribution.offered}
            best = wheels.get(tags.best_wheel(wheels, tags.ranks(used.version)))
            found |= {distribution.name: best} if best else {}
    return found


@dataclass(frozen=True, kw_only=True)
class WheelSources:
    """Wheels for an environment of the interpreter `used`; extensions are built by `building`. All are by name.

    `nodes` are from vendor/; those in `binary` come from the `indexes` instead. `local` are of the project's own
    packages, `ready` are pip's wheel and those of the developer's own requirements.
    """

    project: Project
    settings: Settings
    options: BuildOptions
    used: Interpreter
    building: Interpreter
    nodes: Mapping[str, Node]
    local: Mapping[str, Node]
    binary: Mapping[str, VendoredFile]
    ready: Mapping[str, ReadyWheel]
    indexes: IndexOptions

    def distributions(self) -> list[TargetDistribution]:
        """Return all that the environment is to hold."""
        identities = {name: node.identity for name, node in self.nodes.items()}
        identities |= {name: wheel.sha256 for name, wheel in self.binary.items()}
        found = [(node.name, node.version, identities[node.name]) for node in self.nodes.values()]
        found += [(wheel.name, wheel.version, wheel.sha256) for wheel in self.ready.values()]
        return [TargetDistribution(name=name, version=version, identity=key) for name, version, key in sorted(found)]

    def images(self, names: Sequence[str]) -> dict[str, Image]:
        """Return images of wheels by name: those made before, else from the index, the wheel store, or built."""
        keys = {name: self._key(name) for name in names}
        images = Images(store=self.options.store, interpreter=self.used, jobs=self.options.jobs)
        found = self.kept(names)
        missing = [name for name in keys if name not in found]
        found |= self._fetched({name: self.binary[name] for name in missing if name in self.binary}, images)
        sources = [node.label for name, node in self.nodes.items() if name in keys and name not in self.binary]
        if self.binary and sources:
            console.step("SOURCE", f"no wheel fits, so built from vendor/: {', '.join(sources)}")
        paths, incomplete = self._wheels(name for name in missing if name not in self.binary)
        made = images.add({keys[name]: path for name, path in paths.items() if name not in incomplete})
        # What lacks something is looked at each time: the next build may have it.
        lacking = [name for name in paths if name in incomplete]
        found |= dict(zip(lacking, images.get([paths[name] for name in lacking]), strict=True))
        return found | {name: made[keys[name]] for name in paths if name not in incomplete}

    def kept(self, names: Iterable[str]) -> dict[str, Image]:
        """Return images of wheels by name, as far as they were made before."""
        images = Images(store=self.options.store, interpreter=self.used, jobs=self.options.jobs)
        return {name: image for name in names if (image := images.find(self._key(name)))}

    @property
    def _built(self) -> Mapping[str, Node]:
        return {**self.nodes, **self.local}

    def _key(self, name: str) -> str:
        if name in self.ready:
            return self.ready[name].sha256
        if name in self.binary:
            return self.binary[name].sha256
        # Without the compilers, which take a program to ask for and change nothing for a developer.
        return plan.store_key(self._built[name], self.building, {}, self.options.sandbox.mode)

    def _fetched(self, wheels: Mapping[str, VendoredFile], images: Images) -> dict[str, Image]:
        if not wheels:
            return {}
        tools_environment.enter(self.indexes)
        # Above the network line: only the tools environment has what this needs.
        from toolkit.develop import index_wheels

        versions = {name: (self.nodes[name].version, file) for name, file in wheels.items()}
        return index_wheels.images(versions, self.indexes, images)

    def _wheels(self, names: Iterable[str]) -> tuple[dict[str, Path], set[str]]:
        """Return wheels by name, and the names of those that lack something which did not compile."""
        wanted = set(names)
        found = {name: item.path for name, item in self.ready.items() if name in wanted}
        chosen = {name: node for name, node in self._built.items() if name in wanted}
        if chosen:
            # Only now is anything of vendor/ opened.
            check.require(self.project, self.settings)
            built, incomplete = wheels.build_nodes(chosen.values(), self.building, self.settings, self.options)
            found |= {name: built[node] for name, node in chosen.items()}
            return found, {name for name, node in chosen.items() if node in incomplete}
        return found, set()
