"""Requirements beside the lock -> wheels: resolved, fetched, and built where there is only a source."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from toolkit.core import console, directories, files, process
from toolkit.core.errors import UserError
from toolkit.develop.personal_wheel import PersonalWheel
from toolkit.model import tags
from toolkit.model.interpreter import Interpreter
from toolkit.model.lock import VendoredFile
from toolkit.model.pins import Pin, Pinned, RemoteFile
from toolkit.model.targets import Targets
from toolkit.network import fetch, http
from toolkit.network.fetch import Fetched
from toolkit.network.index_settings import Indexes
from toolkit.resolve import engines
from toolkit.resolve.engine import Request


def get(
    wanted: Mapping[str, str], pins: Sequence[Pinned], provided: Mapping[str, str], used: Interpreter, indexes: Indexes
) -> dict[str, PersonalWheel]:
    """Return the wheels, by name, of all that `wanted` (requirement -> where it stands) needs besides `pins`."""
    names = {pin.name for pin in pins}
    request = Request(
        requirements=tuple(wanted),
        constraints=tuple(map(str, pins)),
        targets=Targets(pythons=(used.version,)),
        platforms=(sys.platform,),
        provided=provided,
        origins={**wanted, **dict.fromkeys(map(str, pins), "vendor/")},
    )
    chosen = [
        pin for pin in engines.get("uv", indexes).resolve(request) if pin.name not in names and used.matches(pin.marker)
    ]
    remote = {pin.name: _file(pin, used) for pin in chosen}
    fetched = fetch.fetch(list(map(_vendored, remote.values())), http.create(indexes, 16), timeout=indexes.timeout)
    return {pin.name: _wheel(pin, fetched[remote[pin.name].name], used, indexes) for pin in chosen}


def _file(pin: Pin, used: Interpreter) -> RemoteFile:
    name = tags.best_wheel((wheel.name for wheel in pin.wheels), tags.ranks(used.version))
    chosen = next((wheel for wheel in pin.wheels if wheel.name == name), pin.archive or pin.sdist)
    if not chosen:
        there = ", ".join(wheel.name for wheel in pin.wheels)
        raise UserError(
            f"{pin.key}: no source, and no wheel that fits Python {used.version} here ({there})",
            "ask for another version of it, or of what requires it, in local-requirements.txt",
        )
    return chosen


def _vendored(file: RemoteFile) -> VendoredFile:
    return VendoredFile(name=file.name, size=file.size or 0, sha256=file.sha256, url=file.url)


def _wheel(pin: Pin, fetched: Fetched, used: Interpreter, indexes: Indexes) -> PersonalWheel:
    path = fetched.path if fetched.path.suffix == ".whl" else _build(pin, fetched, used, indexes)
    return PersonalWheel(name=pin.name, version=pin.version, sha256=files.sha256(path), path=path)


def _build(pin: Pin, fetched: Fetched, used: Interpreter, indexes: Indexes) -> Path:
    """Build a wheel of a source as pip does, with what the index has now; kept beside the source in the cache."""
    target = fetched.path.parent / f"python{used.version}"
    built = _only(target.glob("*.whl"))
    if built:
        return built
    console.step("BUILD", f"{pin.name} {pin.version}")
    with directories.temporary(fetched.path.parent, ".building-") as scratch:
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            used.path,
            "wheel",
            "--quiet",
            "--no-deps",
            "--wheel-dir",
            scratch / "wheel",
            fetched.path,
        ]
        try:
            process.run(command, env=indexes.pip_environment())
        except process.CommandError as error:
            raise UserError(
                f"{pin.key}: its wheel could not be built",
                "see pip's message above; another version, or none, in local-requirements.txt",
                indexes.hide(error.output),
            ) from None
        files.remove(target)
        (scratch / "wheel").rename(target)
    return next(target.glob("*.whl"))


def _only(paths: Iterable[Path]) -> Path | None:
    return next(iter(sorted(paths)), None)
