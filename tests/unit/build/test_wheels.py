"""Services of one project may be built for different interpreters."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.build import completeness, interpreters, wheels
from toolkit.build.building_options import BuildOptions
from toolkit.build.plan import Node
from toolkit.vendored import lock_file

PYTHON = interpreters.find([f"3.{sys.version_info.minor}"], sys.executable)
INTERPRETERS = {name: replace(PYTHON, path=Path(name), version=name) for name in ("3.11", "3.12")}


def test_a_distribution_that_two_services_share_is_built_for_the_interpreter_of_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = Node(name="shared", version="1", source=tmp_path, identity="x")

    def planner(lock: Any, *others: object) -> Any:
        name = lock.service
        return SimpleNamespace(
            interpreter=INTERPRETERS[name], lock=name, runtime=lambda: (shared,), tests=lambda: (shared,)
        )

    def builder(used: Any, *others: object) -> Any:
        return SimpleNamespace(build=lambda nodes: {node: Path(f"shared-{used.version}.whl") for node in nodes})

    monkeypatch.setattr(lock_file, "read", lambda path: SimpleNamespace(service=path.name[7:-5]))
    monkeypatch.setattr(wheels, "_planner", planner)
    monkeypatch.setattr(wheels, "_builder", builder)
    complete: list[tuple[Any, ...]] = []
    monkeypatch.setattr(completeness, "require", lambda *given: complete.append(given[1:]))
    project: Any = SimpleNamespace(locked=INTERPRETERS, lock_name=str)
    settings: Any = SimpleNamespace(build=tmp_path, vendor=tmp_path)
    built = wheels.build(project, settings, BuildOptions(jobs=1, store=tmp_path), tests=True)
    expected = {name: (Path(f"shared-{name}.whl"),) for name in INTERPRETERS}
    assert (built.runtime, built.tests) == (expected, expected)
    kept = tmp_path / "complete"
    assert complete == [(name, list(expected[name]), INTERPRETERS[name], kept / name) for name in INTERPRETERS]
