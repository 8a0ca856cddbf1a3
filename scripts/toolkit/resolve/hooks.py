"""Ask backends for the build requirements that only their PEP 517 hook knows."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import sys
import tempfile
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import tomli_w
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
from toolkit.resolve.build_closure import Built, SourceTree
from toolkit.wheel import environment
from toolkit.wheel.store import Store

Result = TypeVar("Result")


@dataclass(kw_only=True)
class Asker:
    """Runs hooks with one interpreter, in throw-away environments of exactly the resolved versions, below `scratch`.

    Wheels of the index serve there, each checked against the index's hash: nothing of such an environment is shipped.
    What has no wheel is built by `builder`, as it will be for a service. Answers are kept, by what was asked.
    """

    indexes: Indexes
    uv: Path
    interpreter: Interpreter
    scratch: Path
    builder: Builder
    _made: dict[str, Future[Path]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, trees: Built, lock: Lock, fetched: Mapping[str, Path]) -> dict[str, tuple[str, ...]]:
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
        # The largest environments take longest, so they are begun first.
        order = sorted(closures, key=lambda key: -_size(closures[key]))
        threads.each(
            lambda key: self._run(trees[key][0], self._environment(closures[key], wheels), answers[key]),
            order,
            process.end_children,
        )
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

    def _run(self, tree: SourceTree, python: Path, answer: Path) -> None:
        with directories.temporary(self.scratch, "hook-") as scratch:
            source, log = wheel_build.unpack(tree.path, scratch / "source"), scratch / "log"
            job = Job(name=tree.name, version="", source=source, python=python, scratch=scratch, log=log, cheap=True)
            try:
                wheel_build.call_hook(job, "get_requires_for_build_wheel", {"config_settings": None})
            except process.CommandError as error:
                raise UserError(
                    f"{tree.name}: its build backend failed to say what it needs",
                    f"if it cannot be built here, add the line {tree.name} to vendor.txt to take its wheels",
                    "\n".join(error.output.splitlines()[-25:]),
                ) from error
            result = json.loads((scratch / "result.json").read_text(encoding="utf-8"))
        answer.parent.mkdir(parents=True, exist_ok=True)
        files.write_atomic(answer, json.dumps(list(result.get("return", []))))

    def _environment(self, closure: Sequence[Pin], wheels: Mapping[str, Path]) -> Path:
        """Return the interpreter of an environment; trees that need the same share one."""
        key = _digest(*sorted(pin.key for pin in closure))
        return self._once(key, lambda: self._create(self.scratch / f"environment-{key[:16]}", closure, wheels))

    def _once(self, key: str, make: Callable[[], Path]) -> Path:
        """Return what the first to ask makes; the others wait for it."""
        with self._lock:
            future = self._made.get(key)
            mine = future is None
            if future is None:
                future = self._made[key] = Future()
        if mine:
            try:
                future.set_result(make())
            except BaseException as error:
                future.set_exception(error)
        return future.result()

    def _create(self, directory: Path, closure: Sequence[Pin], wheels: Mapping[str, Path]) -> Path:
        python = environment.create(directory / "environment", self.interpreter, ())
        if not closure:
            return python
        wanted = directory / "requirements.txt"
        wanted.write_text("".join(f"{_line(pin, wheels)}\n" for pin in closure), encoding="utf-8")
        # The indexes' settings stand in a file: an address may hold a password, which is no argument's business.
        settings = directory / "pyproject.toml"
        settings.touch(mode=0o600)
        settings.write_text(tomli_w.dumps({"tool": {"uv": self.indexes.uv_settings()}}), encoding="utf-8")
        variables = {**self.indexes.uv_environment(), "XDG_CONFIG_HOME": str(directory)}
        # Not built by uv: it would choose by itself what builds it, and wait for itself where that is a circle.
        options = ["--no-deps", "--no-build", "--require-hashes", "--quiet", "--python", str(python), "-r", str(wanted)]
        cache = str(files.cache_root() / "uv")
        process.run([self.uv, "pip", "install", *options, "--cache-dir", cache], cwd=directory, env=variables)
        return python


def askers(
    indexes: Indexes, uv: Path, pythons: Sequence[str], scratch: Path, building: BuildOptions, logs: Path
) -> tuple[Asker, ...]:
    """Return one for each interpreter of a lock that is there; where none is, as on a laptop, for the one running."""
    found = []
    for python in pythons:
        with contextlib.suppress(UserError):
            found.append(interpreters.find((python,)))
    here = interpreters.probe(Path(sys.executable))
    return tuple(
        _asker(indexes, uv, used, Path(tempfile.mkdtemp(prefix="hooks-", dir=scratch)), building, logs)
        for used in found or filter(None, (here,))
    )


def _asker(indexes: Indexes, uv: Path, used: Interpreter, scratch: Path, building: BuildOptions, logs: Path) -> Asker:
    builds = scratch / "builds"
    builds.mkdir()
    builder = Builder(
        interpreter=used,
        store=Store(building.store),
        scratch=builds,
        logs=logs,
        jobs=building.jobs,
        advice="it builds what others need: if that cannot be done here, add the line {name} to vendor.txt",
    )
    return Asker(indexes=indexes, uv=uv, interpreter=used, scratch=scratch, builder=builder)


def together(answers: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return what the answers of several interpreters name, with a marker where not all name it."""
    texts = dict.fromkeys(itertools.chain.from_iterable(answers.values()))
    return tuple(_for([python for python, named in answers.items() if text in named], answers, text) for text in texts)


def _for(chosen: Sequence[str], pythons: Collection[str], text: str) -> str:
    marker = markers.for_pythons(chosen, tuple(pythons))
    if not marker:
        return text
    requirement = Requirement(text)
    requirement.marker = Marker(f"({requirement.marker}) and ({marker})" if requirement.marker else marker)
    return str(requirement)


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
