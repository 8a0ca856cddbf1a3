"""Build requirements that only a hook of the backend knows.

https://peps.python.org/pep-0517/#get-requires-for-build-wheel
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement

from toolkit.build import interpreters, wheel_build
from toolkit.build.building_options import BuildOptions
from toolkit.build.plan import Planner
from toolkit.build.scheduler import Builder
from toolkit.build.wheel_build import Job
from toolkit.core import directories, files, process, threads
from toolkit.core.errors import UserError
from toolkit.model import markers, tags
from toolkit.model.interpreter import Interpreter
from toolkit.model.lock import Lock
from toolkit.model.pins import Pin
from toolkit.network.index_settings import Indexes
from toolkit.project import source_files
from toolkit.resolve import uv
from toolkit.resolve.source_tree import SourceTree, TreesWithClosures
from toolkit.wheel import environment
from toolkit.wheel.store import Store


@dataclass(kw_only=True)
class HookRunner:
    """Runs hooks with one interpreter, in throw-away environments of exactly the resolved versions, below `scratch`.

    Wheels of the index serve there, each checked against the index's hash: nothing of such an environment is shipped.
    What has no wheel is built by `builder`, as it will be for a service. Answers are cached.
    """

    indexes: Indexes
    interpreter: Interpreter
    scratch: Path
    builder: Builder
    _pythons: dict[str, Future[Path]] = field(default_factory=dict)

    def run(self, trees: TreesWithClosures, lock: Lock, fetched: Mapping[str, Path]) -> dict[str, tuple[str, ...]]:
        """Return, by key, what each tree's `get_requires_for_build_wheel` names; several run at once.

        `lock` says how to build what has no wheel, `fetched` has the files it names.
        """
        answers = {key: self._answer(*pair) for key, pair in trees.items()}
        closures = {
            key: [pin for pin in trees[key][1] if self.interpreter.matches(pin.marker)]
            for key, answer in answers.items()
            if not answer.exists()
        }
        planner = Planner(lock=lock, interpreter=self.interpreter, project=self.scratch, vendored=fetched.__getitem__)
        pins = {pin.key: pin for closure in closures.values() for pin in closure}
        nodes = {key: planner.node(key) for key, pin in pins.items() if not self.has_wheel(pin)}
        built = self.builder.build(nodes.values())
        wheels = {key: built[node] for key, node in nodes.items()}
        # Trees with the same closure share an environment.
        digests = {key: _digest(*sorted(pin.key for pin in closure)) for key, closure in closures.items()}
        order = sorted(closures, key=lambda key: -_size(closures[key]))
        with threads.pool(stop=process.end_children) as pool:
            # The largest environments take longest, so they are begun first, and waited for last.
            for key in order:
                if digests[key] not in self._pythons:
                    created = pool.submit(self._create, digests[key][:16], closures[key], wheels)
                    self._pythons[digests[key]] = created
            for key in reversed(order):
                pool.submit(self._run_one, trees[key][0], self._pythons[digests[key]], answers[key])
        return {key: tuple(json.loads(answer.read_text(encoding="utf-8"))) for key, answer in answers.items()}

    def has_wheel(self, pin: Pin) -> bool:
        """Tell whether the index has a wheel of a pin for this interpreter, or the pin is for others."""
        names = (file.name for file in pin.wheels)
        return not self.interpreter.matches(pin.marker) or bool(
            tags.best_wheel(names, tags.ranks(self.interpreter.version))
        )

    def _answer(self, tree: SourceTree, closure: Sequence[Pin]) -> Path:
        """Return the file in which a tree's answer is kept."""
        content = source_files.fingerprint(tree.path) if tree.path.is_dir() else files.sha256(tree.path)
        key = _digest(content, self.interpreter.version, *sorted(pin.key for pin in closure))
        return files.cache_root() / "build-requires" / f"{key}.json"

    def _run_one(self, tree: SourceTree, created: Future[Path], answer: Path) -> None:
        python = created.result()
        with directories.temporary(self.scratch, "hook-") as scratch:
            job = Job(
                name=tree.name,
                version="",
                source=wheel_build.unpack(tree.path, scratch),
                python=python,
                scratch=scratch,
                log=scratch / "log",
                sandbox=self.builder.sandbox,
                cheap=True,
            )
            try:
                found = wheel_build.call_hook(job, "get_requires_for_build_wheel", {"config_settings": None})
            except process.CommandError as error:
                raise UserError(
                    f"{tree.name}: its build backend failed to name its build requirements",
                    f"if it cannot be built here, add the line {tree.name} to vendor.txt to take its wheels",
                    "\n".join(error.output.splitlines()[-25:]),
                ) from error
        answer.parent.mkdir(parents=True, exist_ok=True)
        files.write_atomic(answer, json.dumps(list(found or [])))

    def _create(self, name: str, closure: Sequence[Pin], wheels: Mapping[str, Path]) -> Path:
        """Make an environment of a closure and return its interpreter."""
        directory = self.scratch / f"environment-{name}"
        python = environment.create(directory / "environment", self.interpreter)
        if not closure:
            return python
        requirements = directory / "requirements.txt"
        requirements.write_text("".join(f"{_line(pin, wheels)}\n" for pin in closure), encoding="utf-8")
        command: list[str | Path] = [uv.PROGRAM, "pip", "install", "--python", python, "-r", requirements, "--no-deps"]
        # uv must build nothing: it would choose by itself what builds it, and wait for itself where that is a circle.
        command += ["--no-build", "--require-hashes", "--quiet", "--cache-dir", files.cache_root() / "uv"]
        process.run(command, cwd=directory, env=uv.configure(directory, self.indexes))
        return python


def runners(
    indexes: Indexes, pythons: Sequence[str], scratch: Path, building: BuildOptions, logs: Path
) -> list[HookRunner]:
    """Return one for each interpreter of a lock that this machine has, or else for the one that runs this."""
    found: list[Interpreter | None] = []
    for python in pythons:
        with contextlib.suppress(UserError):
            found.append(interpreters.find((python,)))
    result = []
    for used in filter(None, found or [interpreters.probe(Path(sys.executable))]):
        own = Path(tempfile.mkdtemp(prefix="hooks-", dir=scratch))
        (own / "builds").mkdir()
        builder = Builder(
            interpreter=used,
            store=Store(building.store),
            scratch=own / "builds",
            logs=logs,
            jobs=building.jobs,
            sandbox=building.sandbox,
            advice="others are built with it: if it cannot be built here, add the line {name} to vendor.txt",
        )
        result.append(HookRunner(indexes=indexes, interpreter=used, scratch=own, builder=builder))
    return result


def together(answers: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return what the answers of several interpreters name, with a marker where not all name it."""
    found = []
    for text in dict.fromkeys(itertools.chain.from_iterable(answers.values())):
        marker = markers.for_pythons([python for python, named in answers.items() if text in named], list(answers))
        if marker:
            requirement = Requirement(text)
            requirement.marker = Marker(f"({requirement.marker}) and ({marker})" if requirement.marker else marker)
            found.append(str(requirement))
        else:
            found.append(text)
    return tuple(found)


def _line(pin: Pin, wheels: Mapping[str, Path]) -> str:
    """Return a pin as a line of requirements.txt; `wheels` are those that were built, by key."""
    if pin.key in wheels:
        wheel = wheels[pin.key]
        return f"{pin.name} @ {wheel.as_uri()} --hash=sha256:{files.sha256(wheel)}"
    hashes = " ".join(f"--hash=sha256:{file.sha256}" for file in pin.wheels if file.sha256)
    return f"{pin.key} {hashes}"


def _size(pins: Sequence[Pin]) -> int:
    return sum(pin.sdist.size or 0 for pin in pins if pin.sdist)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
