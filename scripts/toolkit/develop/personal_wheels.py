"""A developer's own requirements -> wheels: resolved, fetched, and built where there is only a source."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from toolkit.build.building_options import BuildOptions
from toolkit.core import directories, files
from toolkit.core.errors import UserError
from toolkit.develop.wheel_sources import ReadyWheel
from toolkit.engines.engine import Request
from toolkit.engines.uv import Uv
from toolkit.model import tags
from toolkit.model.interpreter import Interpreter
from toolkit.model.pins import Pin, Pinned, RemoteFile
from toolkit.model.targets import Targets
from toolkit.network.fetch import Fetcher
from toolkit.network.index_settings import Indexes
from toolkit.releases import file_choice
from toolkit.resolve import resolution
from toolkit.resolve.resolution import Resolution
from toolkit.wheel import check


def get(
    requirements: Mapping[str, str],
    pins: Sequence[Pinned],
    provided: Mapping[str, str],
    used: Interpreter,
    indexes: Indexes,
    building: BuildOptions,
    logs: Path,
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
    with directories.scratch("personal-") as scratch, Fetcher(indexes) as fetcher:
        found = resolution.create(
            Uv(indexes),
            indexes,
            fetcher,
            rules={},
            platforms=request.platforms,
            building=building,
            scratch=scratch,
            logs=logs,
        )
        # Wheels are welcome here.
        resolved = found.inner.resolve(request)
        chosen = [pin for pin in resolved if pin.name not in names and used.matches(pin.marker)]
        wheels = {pin.name: _wheel(pin, used) for pin in chosen}
        built = _build([pin for pin in chosen if not wheels[pin.name]], request, found)
        futures = {name: fetcher.submit(file_choice.vendored(wheel)) for name, wheel in wheels.items() if wheel}
        paths = {name: fetcher.result(future).path for name, future in futures.items()} | built
        for pin in chosen:
            check.check(paths[pin.name], "build" if pin.name in built else "index", name=pin.name, version=pin.version)
        return {pin.name: _ready(pin, paths[pin.name]) for pin in chosen}


def _wheel(pin: Pin, used: Interpreter) -> RemoteFile | None:
    """Return the wheel of a pin that fits; None where it is to be built."""
    name = tags.best_wheel((wheel.name for wheel in pin.wheels), tags.ranks(used.version))
    found = next((wheel for wheel in pin.wheels if wheel.name == name), None)
    if not found and not pin.archive and not pin.sdist:
        there = ", ".join(wheel.name for wheel in pin.wheels)
        raise UserError(
            f"{pin.key}: no source, and no wheel that fits Python {used.version} here ({there})",
            "ask for another version of it, or of what requires it, in local-requirements.txt",
        )
    return found


def _build(pins: Sequence[Pin], request: Request, found: Resolution) -> dict[str, Path]:
    """Return the wheels, by name, of what has none: built as all else, with what the indexes have now."""
    if not pins:
        return {}
    closure = found.closure_for(request.targets.pythons, ())
    closure.begin_service(request, (), ())
    closure.follow(closure.sources.trees(pins))
    closure.refuse_unbuildable(pin.key for pin in pins)
    wheels = closure.build([pin.key for pin in pins])
    return {pin.name: wheels[pin.key] for pin in pins}


def _ready(pin: Pin, path: Path) -> ReadyWheel:
    return ReadyWheel(name=pin.name, version=pin.version, sha256=files.sha256(path), path=path)
