"""A developer's own requirements -> wheels: resolved, fetched, and built where there is only a source."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from toolkit.core import console, directories, files, process
from toolkit.core.errors import UserError
from toolkit.develop.wheel_sources import ReadyWheel
from toolkit.model import tags
from toolkit.model.interpreter import Interpreter
from toolkit.model.pins import Pin, Pinned, RemoteFile
from toolkit.model.targets import Targets
from toolkit.network import fetch
from toolkit.network.index_settings import Indexes
from toolkit.resolve import file_choice
from toolkit.resolve.engine import Request
from toolkit.resolve.uv import UvResolver
from toolkit.wheel import check


def get(
    requirements: Mapping[str, str],
    pins: Sequence[Pinned],
    provided: Mapping[str, str],
    used: Interpreter,
    indexes: Indexes,
) -> dict[str, ReadyWheel]:
    """Return the wheels, by name, of the closure of `requirements` (each with its `file:line`), without the `pins`."""
    names = {pin.name for pin in pins}
    request = Request(
        requirements=tuple(requirements),
        constraints=tuple(map(str, pins)),
        targets=Targets(pythons=(used.version,)),
        platforms=(sys.platform,),
        provided=provided,
        origins={**requirements, **dict.fromkeys(map(str, pins), "vendor/")},
    )
    chosen = [pin for pin in UvResolver(indexes).resolve(request) if pin.name not in names and used.matches(pin.marker)]
    remote = {pin.name: _file(pin, used) for pin in chosen}
    fetched = fetch.fetch(list(map(file_choice.vendored, remote.values())), indexes)
    return {pin.name: _wheel(pin, fetched[remote[pin.name].name].path, used, indexes) for pin in chosen}


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


def _wheel(pin: Pin, source: Path, used: Interpreter, indexes: Indexes) -> ReadyWheel:
    is_wheel = source.suffix == ".whl"
    path = source if is_wheel else _build(pin, source, used, indexes)
    check.check(path, "index" if is_wheel else "build", name=pin.name, version=pin.version)
    return ReadyWheel(name=pin.name, version=pin.version, sha256=files.sha256(path), path=path)


def _build(pin: Pin, source: Path, used: Interpreter, indexes: Indexes) -> Path:
    """Build the wheel of a source as pip does, with what the index has now; kept beside the source in the cache."""
    target = source.parent / f"python{used.version}"
    if built := next(target.glob("*.whl"), None):
        return built
    console.step("BUILD", f"{pin.name} {pin.version}")
    with directories.temporary(source.parent, ".building-") as scratch:
        pip = (sys.executable, "-m", "pip", "--python", used.path)
        command = (*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", scratch / "wheel", source)
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
