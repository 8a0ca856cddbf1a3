"""Locks of made-up distributions, and who requires whom."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from toolkit.model.lock import DirectRequirement, Distribution, LocalPackage, Lock, VendoredFile
from toolkit.model.pins import Pinned
from toolkit.vendored.dependency_graph import DependencyGraph


def distribution(name: str, *builds: str, size: int = 1000, version: str = "1") -> Distribution:
    """Return an sdist; `builds` is the closure that builds it."""
    file = VendoredFile(
        name=f"{name}-{version}.tar.gz", size=size, sha256=hashlib.sha256(f"{name}{version}".encode()).hexdigest()
    )
    closure = tuple(Pinned(other, "1") for other in builds)
    return Distribution(name=name, version=version, kind="sdist", files=(file,), build_requires=closure)


def line(source: str, name: str, text: str, origin: str, *, tests: bool = False) -> DirectRequirement:
    """Return a line of a project's file."""
    return DirectRequirement(source=source, name=name, kind="tests" if tests else "runtime", text=text, origin=origin)


def lock_of(*packages: Distribution, service: str = "app", pythons: tuple[str, ...] = ("3.11",), **more: Any) -> Lock:
    """Return the lock of a service for one Python on Linux; `more` are further fields."""
    return Lock(service=service, pythons=pythons, platforms=("linux",), packages=packages, **more)


def needs() -> DependencyGraph:
    """Return a service `app` that uses `lib`.

    web -> wire -> small, web -> small; wire is built with maker, maker needs tool, and tool is built with maker; the
    tests use check.
    """
    web = distribution("web", size=4_000_000)
    wire = distribution("wire", "maker", "tool")
    tool = distribution("tool", "maker")
    lock = lock_of(
        replace(web, requires=("wire>=1", "Small ; python_version >= '3'")),
        replace(wire, requires=("small",), build_dependencies=("maker>0",)),
        distribution("small"),
        build_packages=(
            replace(distribution("maker"), requires=("tool",)),
            replace(tool, build_dependencies=("maker",)),
            distribution("check"),
        ),
        local=(LocalPackage(name="lib", path="lib"), LocalPackage(name="app", path="app")),
        test_requires=(Pinned("check", "1"),),
        direct=(
            line("app", "lib", "lib[http]", "app/requirements.txt:1"),
            line("app", "check", "check", "app/test-requirements.txt:1", tests=True),
            line("lib", "web", "web<2", "lib/requirements.txt:3"),
        ),
    )
    return DependencyGraph(lock=lock)
