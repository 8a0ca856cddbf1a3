"""Build a graph of wheels in parallel, each in an environment of exactly its locked build requirements."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from toolkit.build import system_headers, uncompiled, wheel_build
from toolkit.build.crate_layout import CrateLayout
from toolkit.build.plan import Node, store_key
from toolkit.build.system_programs import SystemPrograms
from toolkit.build.wheel_build import Job
from toolkit.core import console, directories, process, progress, threads
from toolkit.core.errors import Gathering, UserError
from toolkit.core.progress import Progress
from toolkit.model.interpreter import Interpreter
from toolkit.sandbox.confined import Sandbox
from toolkit.wheel import check, environment
from toolkit.wheel.image import Images
from toolkit.wheel.store import Built, Lacking, Store

#: What makes a build tool faster to build, for tools that are not shipped. Cython compiles itself for minutes, and
#: translates nearly as fast without (https://github.com/cython/cython/blob/master/setup.py, --no-cython-compile).
_CHEAP_SETTINGS = {"cython": {"--build-option": ["--no-cython-compile"]}}


@dataclass(kw_only=True)
class Builder:
    """Builds nodes for one interpreter, at most `jobs` at once, below `scratch`; finished wheels go to `store`.

    What `may_lack` an extension that did not compile is told by a warning; else that is an error. All of them are
    `incomplete`.
    """

    interpreter: Interpreter
    store: Store
    scratch: Path
    logs: Path
    jobs: int
    sandbox: Sandbox
    system: SystemPrograms
    may_lack: Callable[[str], bool] = lambda _: True
    incomplete: set[Node] = field(default_factory=set)
    _wheels: dict[Node, Path] = field(default_factory=dict)
    _environments: dict[tuple[str, ...], Path] = field(default_factory=dict)
    _environment_lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)
    _lacking: Gathering = field(default_factory=Gathering)

    def __post_init__(self) -> None:
        self._layout = CrateLayout(unpacked=self.scratch / "crates")

    @property
    def programs(self) -> Path | None:
        """Return the directory of the programs that builds find, where that is not all that the system has."""
        with self._environment_lock:
            return self.system.link(self.scratch / "programs")

    def build(self, nodes: Iterable[Node], failed: dict[Node, UserError] | None = None) -> dict[Node, Path]:
        """Return the wheel of every node, building what the store does not hold.

        Raises `UserError`; or that is put into `failed`, and the rest is built that needs none of those.
        """
        missing = self._missing(nodes)
        if missing:
            # Tried here once, not by the first two threads at the same time.
            console.step("SANDBOX", self.sandbox.require())
            self.logs.mkdir(parents=True, exist_ok=True)
            with progress.counting("BUILD", len(missing), "wheels") as bar:
                self._run(missing, bar, failed)
        self._lacking.end()
        return self._wheels

    def _missing(self, nodes: Iterable[Node]) -> dict[Node, set[Node]]:
        """Return the nodes to build, each with those of them it waits for.

        What builds a wheel is looked at only where the store does not hold that wheel.
        """
        missing: dict[Node, set[Node]] = {}
        stack = list(nodes)
        while stack:
            node = stack.pop()
            if node in missing or node in self._wheels:
                continue
            wheel = node.source if node.ready else self._stored(node)
            if wheel:
                if node.ready:
                    check.check(wheel, "vendor", name=node.name, version=node.version, whole=False)
                self._wheels[node] = wheel
                continue
            missing[node] = set(node.requires)
            stack.extend(node.requires)
        return {node: {n for n in requires if n in missing} for node, requires in missing.items()}

    def _stored(self, node: Node) -> Path | None:
        """Return a node's wheel in the store; none where its headers have changed, or it lacks what may compile now."""
        key = self._key(node)
        wheel = self.store.get(key)
        built = self.store.built(key) if wheel else Built()
        if system_headers.now(built.headers) != built.headers:
            return None
        if built.lacking and uncompiled.now(name for name in built.lacking.state if name) != built.lacking.state:
            return None
        self._judge(node, built.lacking)
        return wheel

    def _judge(self, node: Node, lacking: Lacking | None) -> None:
        """Tell what a wheel lacks, which is an error at the end where it may not; tools are not shipped."""
        if not lacking or node.cheap:
            return
        self.incomplete.add(node)
        hint = lacking.hint or f"see {self._log(node)} for what it misses; `WHEEL_STORE= make build` builds it again"
        if self.may_lack(node.name):
            console.warn(f"{lacking.text}\n{hint}")
        else:
            self._lacking.add(UserError(lacking.text, f"{hint}; or name what may lack it: EXTENSIONS={node.name}"))

    def _log(self, node: Node) -> Path:
        return self.logs / f"{node.label.replace(' ', '-')}.log"

    def _key(self, node: Node) -> str:
        found = {"programs": " ".join(self.system.visible)} if self.system.visible else {}
        tools = {**wheel_build.toolchain(rust=node.rust), **found}
        return store_key(node, self.interpreter, tools, self.sandbox.mode)

    def _run(self, waiting: dict[Node, set[Node]], bar: Progress, failed: dict[Node, UserError] | None) -> None:
        urgency = _urgency(waiting)
        running: dict[Future[Path], Node] = {}
        with threads.pool(self.jobs, self.stop) as pool:
            while waiting or running:
                ready = sorted((n for n, others in waiting.items() if not others), key=lambda n: -urgency[n])
                for node in ready[: self.jobs - len(running)]:
                    del waiting[node]
                    running[pool.submit(self._build_one, node, bar)] = node
                future = pool.next()
                node = running.pop(future)
                try:
                    self._wheels[node] = future.result()
                except UserError as error:
                    if failed is None:
                        raise
                    failed[node] = error
                    _drop(node, waiting)
                    continue
                bar.advance(node.label)
                for others in waiting.values():
                    others.discard(node)

    def stop(self) -> None:
        """End what is being built, and wait for no other process that builds."""
        self._stop.set()
        process.end_children()

    def _build_one(self, node: Node, bar: Progress) -> Path:
        key = self._key(node)
        with self.store.reserved(key, self._stop):
            # Another process may have built it while this one waited.
            found = self._stored(node)
            if found:
                return found
            own = self.scratch / f"{node.name}-{key[:12]}"
            with bar.running(node.label), directories.at(own) as scratch:
                made, built = self._wheel(node, scratch)
                self._judge(node, built.lacking)
                wheel = self.store.put(key, made, built)
            if not built.lacking:
                # A development environment asks without the compilers.
                images = Images(store=self.store.root, interpreter=self.interpreter, jobs=1)
                images.add({store_key(node, self.interpreter, {}, self.sandbox.mode): wheel})
            return wheel

    def _wheel(self, node: Node, scratch: Path) -> tuple[Path, Built]:
        cheap = _CHEAP_SETTINGS.get(node.name, {}) if node.cheap else {}
        job = Job(
            name=node.name,
            version=node.version,
            source=wheel_build.unpack(node.source, scratch, node.patches, given=node.given, beside=node.beside),
            python=self._environment(node),
            scratch=scratch,
            log=self._log(node),
            sandbox=self.sandbox,
            identity=node.identity,
            cheap=node.cheap,
            rust=node.rust,
            crates=node.crates,
            layout=self._layout,
            config_settings={**cheap, **node.settings.config_settings},
            variables=dict(node.settings.environment),
            given=node.given,
            local=node.local,
            programs=self.programs,
            hidden=self.system.hidden,
            jobs=self.jobs,
        )
        return wheel_build.build_wheel(job), wheel_build.how(job)

    def _environment(self, node: Node) -> Path:
        """Return the interpreter of an environment of exactly the node's build requirements.

        Nodes with the same build requirements share one.
        """
        key = tuple(sorted(required.identity for required in node.requires))
        with self._environment_lock:
            if key not in self._environments:
                name = hashlib.sha256("".join(key).encode()).hexdigest()[:12]
                prefix = self.scratch / f"environment-{name}"
                wheels = [self._wheels[required] for required in node.requires]
                final = self.sandbox.environment_path(prefix)
                self._environments[key] = environment.create(prefix, self.interpreter, wheels, final)
            return self._environments[key]


def _drop(failed: Node, waiting: dict[Node, set[Node]]) -> None:
    """Take away what cannot be built without a node."""
    for node in [node for node, others in waiting.items() if failed in others]:
        # One of its others may have taken it away.
        if waiting.pop(node, None) is not None:
            _drop(node, waiting)


def _urgency(waiting: dict[Node, set[Node]]) -> dict[Node, int]:
    """Return for each node the longest way to the end of the build; an archive's size stands for its time."""
    dependents: dict[Node, list[Node]] = {node: [] for node in waiting}
    for node, requires in waiting.items():
        for required in requires:
            dependents[required].append(node)

    @cache
    def urgency(node: Node) -> int:
        size = 0 if node.local else node.source.stat().st_size
        return size + max(map(urgency, dependents[node]), default=0)

    return {node: urgency(node) for node in waiting}
