"""Ask a backend for the build requirements that only its PEP 517 hook knows."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from toolkit import archive, builder, files, interpreter, local_source, process, ui
from toolkit.builder import Job
from toolkit.indexes import Indexes
from toolkit.resolve import Pin


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Runs hooks in throw-away environments of exactly the resolved versions.

    Wheels of the index serve there, each checked against the index's hash: nothing of such an environment is shipped.
    """

    indexes: Indexes
    uv: Path
    pythons: tuple[str, ...]

    def ask(self, name: str, source: Path, closure: Sequence[Pin]) -> tuple[str, ...]:
        """Return what `get_requires_for_build_wheel` names; `source` is an sdist or a local package's directory."""
        key = self._key(source, closure)
        known = files.cache_root() / "build-requires" / f"{key}.json"
        if not known.exists():
            known.parent.mkdir(parents=True, exist_ok=True)
            files.write_atomic(known, json.dumps(self._run(name, source, closure)))
        return tuple(json.loads(known.read_text(encoding="utf-8")))

    def _key(self, source: Path, closure: Sequence[Pin]) -> str:
        content = local_source.fingerprint(source) if source.is_dir() else files.sha256(source)
        parts = [content, *sorted(f"{pin.name}=={pin.version}" for pin in closure), *self.pythons]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _run(self, name: str, source: Path, closure: Sequence[Pin]) -> list[str]:
        with files.temporary_directory(files.cache_root() / "temporary", "hook-") as scratch:
            tree = scratch / "source"
            if source.is_dir():
                local_source.copy(source, tree)
            else:
                tree.mkdir()
                tree = archive.extract(source, tree)
            python = self._environment(scratch, closure)
            job = Job(name=name, version="", source=tree, python=python, scratch=scratch, log=scratch / "log", cheap=True)
            try:
                builder.call_hook(job, "get_requires_for_build_wheel", {"config_settings": None})
            except process.CommandFailed as error:
                raise ui.UserError(
                    f"{name}: its build backend failed to say what it needs",
                    f"if it cannot be built here, add the line {name} to vendor.txt to take its wheels",
                    "\n".join(error.output.splitlines()[-25:]),
                ) from error
            answer = json.loads((scratch / "result.json").read_text(encoding="utf-8"))
            return list(answer.get("return", []))

    def _environment(self, scratch: Path, closure: Sequence[Pin]) -> Path:
        prefix = scratch / "environment"
        wanted = scratch / "requirements.txt"
        wanted.write_text("".join(f"{_locked(pin)}\n" for pin in closure), encoding="utf-8")
        # The indexes' settings stand in a file: an address may hold a password, which is no argument's business.
        (scratch / "pyproject.toml").touch(mode=0o600)
        (scratch / "pyproject.toml").write_text(tomli_w.dumps({"tool": {"uv": self.indexes.uv_settings()}}), encoding="utf-8")
        environment = {**self.indexes.uv_environment(), "XDG_CONFIG_HOME": str(scratch)}
        cache = ["--quiet", "--cache-dir", str(files.cache_root() / "uv")]
        process.run([self.uv, "venv", *cache, "--python", self._python(), prefix], cwd=scratch, env=environment)
        python = prefix / "bin" / "python"
        arguments = ["--no-deps", "--require-hashes", "--python", str(python), "--requirement", str(wanted)]
        process.run([self.uv, "pip", "install", *cache, *arguments], cwd=scratch, env=environment)
        return python

    def _python(self) -> Path:
        """Return an interpreter the lock is for; where there is none, as on a laptop, the one that runs this."""
        try:
            return interpreter.find(self.pythons).path
        except ui.UserError:
            return Path(sys.executable)


def _locked(pin: Pin) -> str:
    if pin.archive:
        return f"{pin.name} @ {pin.archive.url}#sha256={pin.archive.sha256}"
    remote = [file for file in (pin.sdist, *pin.wheels) if file and file.sha256]
    hashes = " ".join(f"--hash=sha256:{file.sha256}" for file in remote)
    return f"{pin.name}=={pin.version}{f' ; {pin.marker}' if pin.marker else ''} {hashes}"
