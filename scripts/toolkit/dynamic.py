"""Ask backends for the build requirements that only their PEP 517 hook knows."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import tomli_w

from toolkit import archive, builder, files, interpreter, local_source, process, ui, workers
from toolkit.build_closure import Tree
from toolkit.builder import Job
from toolkit.indexes import Indexes
from toolkit.resolve import Pin


@dataclass(kw_only=True)
class Asker:
    """Runs hooks in throw-away environments of exactly the resolved versions, below `scratch`.

    Wheels of the index serve there, each checked against the index's hash: nothing of such an environment is shipped.
    Answers are kept, by what was asked.
    """

    indexes: Indexes
    uv: Path
    pythons: tuple[str, ...]
    scratch: Path
    _environments: dict[str, Future[Path]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, trees: Mapping[str, tuple[Tree, Sequence[Pin]]]) -> dict[str, tuple[str, ...]]:
        """Return, by key, what each tree's `get_requires_for_build_wheel` names; several run at once."""
        answers = workers.each(lambda pair: self._one(*pair), trees.values(), process.end_children)
        return dict(zip(trees, answers, strict=True))

    def _one(self, tree: Tree, closure: Sequence[Pin]) -> tuple[str, ...]:
        content = local_source.fingerprint(tree.path) if tree.path.is_dir() else files.sha256(tree.path)
        key = _digest(content, *self.pythons, *sorted(pin.key for pin in closure))
        known = files.cache_root() / "build-requires" / f"{key}.json"
        if not known.exists():
            known.parent.mkdir(parents=True, exist_ok=True)
            files.write_atomic(known, json.dumps(self._run(tree, closure)))
        return tuple(json.loads(known.read_text(encoding="utf-8")))

    def _run(self, tree: Tree, closure: Sequence[Pin]) -> list[str]:
        python = self._environment(closure)
        with files.temporary_directory(self.scratch, "hook-") as scratch:
            source = scratch / "source"
            if tree.path.is_dir():
                local_source.copy(tree.path, source)
            else:
                source.mkdir()
                source = archive.extract(tree.path, source)
            job = Job(name=tree.name, version="", source=source, python=python, scratch=scratch, log=scratch / "log")
            try:
                builder.call_hook(job, "get_requires_for_build_wheel", {"config_settings": None})
            except process.CommandFailed as error:
                raise ui.UserError(
                    f"{tree.name}: its build backend failed to say what it needs",
                    f"if it cannot be built here, add the line {tree.name} to vendor.txt to take its wheels",
                    "\n".join(error.output.splitlines()[-25:]),
                ) from error
            answer = json.loads((scratch / "result.json").read_text(encoding="utf-8"))
            return list(answer.get("return", []))

    def _environment(self, closure: Sequence[Pin]) -> Path:
        """Return the interpreter of an environment; trees that need the same share one, made by the first to ask."""
        key = _digest(*self.pythons, *sorted(pin.key for pin in closure))
        with self._lock:
            future = self._environments.get(key)
            mine = future is None
            if future is None:
                future = self._environments[key] = Future()
        if mine:
            try:
                future.set_result(self._create(self.scratch / f"environment-{key[:16]}", closure))
            except BaseException as error:
                future.set_exception(error)
        return future.result()

    def _create(self, directory: Path, closure: Sequence[Pin]) -> Path:
        directory.mkdir()
        wanted = directory / "requirements.txt"
        wanted.write_text("".join(f"{_locked(pin)}\n" for pin in closure), encoding="utf-8")
        # The indexes' settings stand in a file: an address may hold a password, which is no argument's business.
        settings = directory / "pyproject.toml"
        settings.touch(mode=0o600)
        settings.write_text(tomli_w.dumps({"tool": {"uv": self.indexes.uv_settings()}}), encoding="utf-8")
        environment = {**self.indexes.uv_environment(), "XDG_CONFIG_HOME": str(directory)}
        cache = ["--quiet", "--cache-dir", str(files.cache_root() / "uv")]
        process.run([self.uv, "venv", *cache, "--python", self._python(), "env"], cwd=directory, env=environment)
        python = directory / "env" / "bin" / "python"
        if closure:
            # What comes as source alone is built here, by tools that uv chooses: its own are not locked yet, for that
            # may take this very answer. Nothing of it is shipped; a build from the lock uses what is locked.
            arguments = ["--no-deps", "--require-hashes", "--python", str(python), "--requirement", str(wanted)]
            process.run([self.uv, "pip", "install", *cache, *arguments], cwd=directory, env=environment)
        return python

    def _python(self) -> Path:
        """Return an interpreter the lock is for; where there is none, as on a laptop, the one that runs this."""
        try:
            return interpreter.find(self.pythons).path
        except ui.UserError:
            return Path(sys.executable)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _locked(pin: Pin) -> str:
    if pin.archive:
        return f"{pin.name} @ {pin.archive.url}#sha256={pin.archive.sha256}"
    hashes = " ".join(f"--hash=sha256:{file.sha256}" for file in (pin.sdist, *pin.wheels) if file and file.sha256)
    return f"{pin.key}{f' ; {pin.marker}' if pin.marker else ''} {hashes}"
