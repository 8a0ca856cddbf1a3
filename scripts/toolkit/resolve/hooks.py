"""What only a hook of the backend knows: build requirements, and the metadata of old sdists.

https://peps.python.org/pep-0517/#build-backend-interface
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic, TypeVar, cast

from packaging.markers import Marker

from toolkit.build import hook_answers, interpreters, missing_modules, plan, system_programs, wheel_build
from toolkit.build.building_options import BuildOptions
from toolkit.build.plan import RECIPE, Planner
from toolkit.build.scheduler import Builder
from toolkit.build.wheel_build import Job
from toolkit.core import directories, documents, files, process, threads
from toolkit.core.documents import Table
from toolkit.core.errors import FinalError, UserError
from toolkit.core.foreign_text import quoted
from toolkit.model import core_metadata, markers, requirement_texts, tags
from toolkit.model.core_metadata import CoreMetadata
from toolkit.model.interpreter import Interpreter
from toolkit.model.lock import Lock
from toolkit.model.pins import Pin, RemoteFile
from toolkit.network.fetch import Fetcher
from toolkit.project import source_files
from toolkit.releases import archive_identity
from toolkit.releases.file_choice import vendored
from toolkit.resolve.source_tree import SourceTree, TreesWithClosures
from toolkit.sandbox import confined
from toolkit.wheel import environment, metadata
from toolkit.wheel.store import Store

Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True)
class Question(Generic[Answer]):
    """Something that only a backend can tell, when it is asked; `what` is the end of an error.

    Answers are kept as JSON in the directory `kept_in` of the cache. `read` takes one as it was kept, and raises
    `ValueError` or `UserError` for anything else; `together` makes one of those of several interpreters, and
    `for_builds` returns what one asks an index for, to build with, if anything.
    """

    ask: Callable[[Job], Answer]
    what: str
    kept_in: str
    read: Callable[[object], Answer]
    together: Callable[[Mapping[str, Answer]], Answer]
    for_builds: Callable[[Answer], Sequence[str]] = lambda _: ()


@dataclass(kw_only=True)
class HookRunner:
    """Runs hooks with one interpreter, in throw-away environments of exactly the resolved versions, below `scratch`.

    Wheels of the index serve there, each checked against the index's hash: nothing of such an environment is shipped.
    What has no wheel is built by `builder`, as it will be for a service, with the patches of `project`. Answers are
    cached.
    """

    fetcher: Fetcher
    interpreter: Interpreter
    scratch: Path
    project: Path
    builder: Builder
    _pythons: dict[str, Future[Path]] = field(default_factory=dict)

    def run(
        self, question: Question[Answer], trees: TreesWithClosures, lock: Lock, fetched: Mapping[str, Path]
    ) -> tuple[dict[str, Answer], dict[str, UserError]]:
        """Return, by key, what each tree's backend answers, or why it does not; several are asked at once.

        `lock` says how to build what has no wheel, `fetched` has the files it names.
        """
        paths = {key: self._path(question, *pair) for key, pair in trees.items()}
        kept = {key: found for key, path in paths.items() if (found := _kept(question, path)) is not None}
        closures = {
            key: [pin for pin in closure if self.interpreter.matches(pin.marker)]
            for key, (_, closure) in trees.items()
            if key not in kept
        }
        pins = {pin.key: pin for closure in closures.values() for pin in closure}
        # They arrive while others are built.
        arriving = {
            key: self.fetcher.submit(vendored(wheel)) for key, pin in pins.items() if (wheel := self._wheel(pin))
        }
        faults: dict[str, UserError] = {}
        built = pins.keys() - arriving.keys()
        try:
            wheels = self.build(sorted(built), lock, fetched)
        except FinalError:
            raise
        except UserError as error:
            wheels = {}
            faults = {key: error for key, closure in closures.items() if built & {pin.key for pin in closure}}
            closures = {key: closure for key, closure in closures.items() if key not in faults}
        wheels |= {key: self.fetcher.result(future).path for key, future in arriving.items()}
        asked: dict[str, Future[Answer | UserError]] = {}
        with threads.pool(stop=process.end_children) as pool:
            # The hooks of the largest environments take longest, so they are begun first.
            for key in sorted(closures, key=lambda key: -_size(closures[key])):
                # Trees with the same closure share an environment; the next is made while hooks run in this one.
                digest = _digest(*sorted(pin.key for pin in closures[key]))
                if digest not in self._pythons:
                    chosen = [wheels[pin.key] for pin in closures[key]]
                    self._pythons[digest] = pool.submit(self._create, digest[:16], chosen)
                asked[key] = pool.submit(self._answer, question, trees[key][0], self._pythons[digest], paths[key])
        for key, future in asked.items():
            answer = future.result()
            if isinstance(answer, UserError):
                faults[key] = answer
            else:
                kept[key] = answer
        self.builder.system.require((trees[key][0].name, question.for_builds(answer)) for key, answer in kept.items())
        return kept, faults

    def build(self, keys: Sequence[str], lock: Lock, fetched: Mapping[str, Path]) -> dict[str, Path]:
        """Return the wheels of what a lock has, built, by key."""
        planner = Planner(lock=lock, interpreter=self.interpreter, project=self.project, vendored=fetched.__getitem__)
        nodes = {key: planner.node(key) for key in keys}
        built = self.builder.build(nodes.values())
        return {key: built[node] for key, node in nodes.items()}

    def has_wheel(self, pin: Pin) -> bool:
        """Tell whether the index has a wheel of a pin for this interpreter, or the pin is for others."""
        return not self.interpreter.matches(pin.marker) or bool(self._wheel(pin))

    def _wheel(self, pin: Pin) -> RemoteFile | None:
        """Return the wheel of a pin that this interpreter takes; one without a hash is none."""
        wheels = {file.name: file for file in pin.wheels if file.sha256}
        return wheels.get(tags.best_wheel(wheels, tags.ranks(self.interpreter.version)))

    def _path(self, question: Question[Answer], tree: SourceTree, closure: Sequence[Pin]) -> Path:
        """Return the file in which a tree's answer is kept."""
        content = source_files.fingerprint(tree.path) if tree.path.is_dir() else files.sha256(tree.path)
        builders = sorted(pin.key for pin in closure)
        changes = [f"patch {source.patch.sha256}" for source in tree.patches]
        changes += [f"version {tree.given.text}"] if tree.given else []
        # Backends look for programs, and whether the release of the system has them new enough.
        changes += [plan.system(), *self.builder.system.visible]
        key = _digest(str(RECIPE), content, self.interpreter.version, *builders, *tree.settings.identity, *changes)
        return files.cache_root() / question.kept_in / f"{key}.json"

    def _answer(
        self, question: Question[Answer], tree: SourceTree, created: Future[Path], path: Path
    ) -> Answer | UserError:
        """Return an answer, or the error of a backend that fails: those of others are waited for."""
        try:
            return self._ask(question, tree, created, path)
        except UserError as error:
            return error

    def _ask(self, question: Question[Answer], tree: SourceTree, created: Future[Path], path: Path) -> Answer:
        python = created.result()
        with directories.temporary(self.scratch, "hook-") as scratch:
            with archive_identity.named(tree.path):
                source = wheel_build.unpack(tree.path, scratch, tree.patches, given=tree.given)
            job = Job(
                name=tree.name,
                version="",
                source=source,
                python=python,
                scratch=scratch,
                log=scratch / "log",
                sandbox=self.builder.sandbox,
                cheap=True,
                config_settings=tree.settings.config_settings,
                variables=dict(tree.settings.environment),
                given=tree.given,
                local=tree.path.is_dir(),
                programs=self.builder.programs,
                hidden=self.builder.system.hidden,
                jobs=self.builder.jobs,
            )
            try:
                found = question.ask(job)
            except process.CommandError as error:
                raise UserError(
                    f"{tree.name}: its build backend failed to {question.what}",
                    job.sandbox.limits.suggestion(error.output)
                    or missing_modules.suggestion(error.output, tree.name, local=job.local)
                    or confined.suggestion(error.output, tree.name)
                    or f"see what it says above; another version of {tree.name} may do",
                    "\n".join(error.output.splitlines()[-25:]),
                ) from error
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_atomic(path, json.dumps(found, default=dataclasses.asdict))
        return found

    def _create(self, name: str, wheels: Sequence[Path]) -> Path:
        """Make an environment of these wheels and return its interpreter."""
        prefix = self.scratch / f"environment-{name}"
        final = self.builder.sandbox.environment_path(prefix)
        return environment.create(prefix, self.interpreter, wheels, final)


def _build_requires(job: Job) -> tuple[str, ...]:
    answer = wheel_build.call_hook(job, "get_requires_for_build_wheel")
    return hook_answers.requirements([] if answer is None else answer, job.name)


def _metadata(job: Job) -> CoreMetadata:
    """Return the metadata of a source, by the hook that makes just that, else from its wheel."""
    answer = wheel_build.call_hook(job, "prepare_metadata_for_build_wheel")
    if answer is None:
        return metadata.read(wheel_build.build_wheel(job))
    return core_metadata.parse(_made(job.scratch / "output", answer, job))


def _made(directory: Path, answer: object, job: Job) -> bytes:
    """Return the METADATA below a directory that a hook has made and named; it may be a link to anything."""
    name = hook_answers.file_name(answer, job.name, "prepare_metadata_for_build_wheel")
    fault = UserError(f"{job.name}: its build backend makes no metadata in {quoted(name)}", "use another version of it")
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        below = os.open(directory / name, flags | os.O_DIRECTORY)
        try:
            with open(os.open("METADATA", flags, dir_fd=below), "rb") as stream:
                content = stream.read(core_metadata.LONGEST + 1)
        finally:
            os.close(below)
    except OSError:
        raise fault from None
    if len(content) > core_metadata.LONGEST:
        raise fault
    return content


def _kept(question: Question[Answer], path: Path) -> Answer | None:
    """Return an answer that was kept; None where there is none, or it is damaged."""
    try:
        return question.read(documents.json_value(path.read_bytes()))
    except (OSError, ValueError, UserError):
        return None


def _kept_metadata(found: object) -> CoreMetadata:
    table = Table(cast("Mapping[str, object]", found))
    name, version, requires_python = map(table.text, ("name", "version", "requires_python"))
    requires, extras = map(table.texts, ("requires", "extras"))
    return CoreMetadata(name=name, version=version, requires_python=requires_python, requires=requires, extras=extras)


def _together(answers: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return what the answers of several interpreters name, with a marker where not all name it."""
    found = []
    for text in dict.fromkeys(itertools.chain.from_iterable(answers.values())):
        marker = markers.for_pythons([python for python, named in answers.items() if text in named], list(answers))
        requirement = requirement_texts.parse(text)
        if marker and requirement:
            requirement.marker = Marker(f"({requirement.marker}) and ({marker})" if requirement.marker else marker)
            found.append(str(requirement))
        else:
            found.append(text)
    return tuple(found)


def _metadata_together(answers: Mapping[str, CoreMetadata]) -> CoreMetadata:
    requires = _together({python: found.requires for python, found in answers.items()})
    return replace(next(iter(answers.values())), requires=requires)


BUILD_REQUIRES = Question(
    ask=_build_requires,
    what="name its build requirements",
    kept_in="build-requires",
    read=lambda found: hook_answers.requirements(found, ""),
    together=_together,
    for_builds=lambda found: found,
)
METADATA = Question(
    ask=_metadata,
    what="name its requirements",
    kept_in="built-metadata",
    read=_kept_metadata,
    together=_metadata_together,
)


def runners(
    fetcher: Fetcher, pythons: Sequence[str], scratch: Path, building: BuildOptions, logs: Path, project: Path
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
            system=system_programs.of_project(project),
        )
        result.append(HookRunner(fetcher=fetcher, interpreter=used, scratch=own, project=project, builder=builder))
    return result


def _size(pins: Sequence[Pin]) -> int:
    return sum(pin.sdist.size or 0 for pin in pins if pin.sdist)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
