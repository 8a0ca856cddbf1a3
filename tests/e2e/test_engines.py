"""Both engines on the reference set, against the index that this machine's pip is configured with."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from toolkit.build.building_options import BuildOptions
from toolkit.engines import by_name
from toolkit.engines import engine as resolve
from toolkit.model.pins import Pin
from toolkit.model.targets import Targets
from toolkit.network import index_settings
from toolkit.network.fetch import Fetcher
from toolkit.resolve import resolution

REFERENCE = Path(__file__).resolve().parents[2] / "bench" / "reference31.in"
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.e2e
def test_both_engines_give_the_same_pins_on_the_reference_set(tmp_path: Path) -> None:
    requirements = tuple(line for line in REFERENCE.read_text(encoding="utf-8").splitlines() if line.strip())
    request = resolve.Request(requirements=requirements, targets=Targets(pythons=(HERE,)), platforms=("linux",))
    indexes = index_settings.read()
    found = []
    with Fetcher(indexes) as fetcher:
        for engine in by_name.ENGINES.values():
            made = resolution.create(
                engine(indexes),
                indexes,
                fetcher,
                rules={},
                platforms=request.platforms,
                building=BuildOptions(jobs=1, store=tmp_path / "store"),
                scratch=tmp_path,
                logs=tmp_path / "logs",
            )
            found.append(made.inner.resolve(request))
    first, second = found
    assert len(first) > len(requirements)
    assert [(pin.key, pin.marker, pin.sdist) for pin in _comparable(first)] == [
        (pin.key, pin.marker, pin.sdist) for pin in _comparable(second)
    ]


def _comparable(pins: tuple[Pin, ...]) -> list[Pin]:
    """Leave out what only the index's page tells: the time to the microsecond, and what the file itself says."""
    return [
        replace(pin, sdist=replace(pin.sdist, upload_time="", requires_python="", yanked=False)) if pin.sdist else pin
        for pin in pins
    ]
