"""The interpreter that a service is built for: where it is, and the facts that builds and markers depend on."""

from __future__ import annotations

import itertools
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from toolkit.build import pyenv
from toolkit.core import process
from toolkit.core.errors import UserError
from toolkit.model.interpreter import Interpreter

# Keys of `marker_environment` as PEP 508 names them. An environment that is active on PATH stands for the interpreter
# it was made from: what is built must not depend on it.
_PROBE = """
import json, os, platform, sys, sysconfig
print(json.dumps({
    "path": getattr(sys, "_base_executable", "") or sys.executable,
    "soabi": sysconfig.get_config_var("SOABI") or "", "include": sysconfig.get_path("include"),
    "markers": {
        "implementation_name": sys.implementation.name, "implementation_version": platform.python_version(),
        "os_name": os.name, "platform_machine": platform.machine(), "platform_release": platform.release(),
        "platform_system": platform.system(), "platform_version": platform.version(),
        "python_full_version": platform.python_version(), "python_version": "%d.%d" % sys.version_info[:2],
        "platform_python_implementation": platform.python_implementation(), "sys_platform": sys.platform,
    },
}))
"""


#: Where the distribution's own interpreters are, on which a package can depend.
OF_SYSTEM = Path("/usr/bin")


def find(pythons: Sequence[str], requested: str = "") -> Interpreter:
    """Return the interpreter to build with for one of the minor versions in `pythons` (such as `3.11`).

    `requested` is the user's choice, a path or a program's name. Else the distribution's own interpreters come first,
    since a package has to depend on one, then those on PATH, then pyenv's. Raises `UserError` when there is none.
    """
    if requested:
        return _requested(pythons, requested)
    of_distribution = [(version, Path(f"/usr/bin/python{version}")) for version in pythons]
    others = ((version, path) for version in pythons for path in _others(version))
    for version, path in itertools.chain(of_distribution, others):
        found = probe(path)
        if found and found.version == version:
            return found
    available = sorted({found.version for path in Path("/usr/bin").glob("python3.*[0-9]") if (found := probe(path))})
    # A release of a distribution has few of them, most have one.
    raise UserError(
        f".python-version: no interpreter for Python {' or '.join(pythons)} on this machine",
        f"add to .python-version what there is ({', '.join(available) or 'none'}) and run `make vendor`, or install "
        f"python{pythons[0]} and python{pythons[0]}-dev where this release has them, or give another's path as PYTHON=",
    )


def of_version(version: str) -> Interpreter:
    """Return what an interpreter of a minor version would be here, where there may be none. Raises `UserError`."""
    own = probe(Path(sys.executable))
    if not own:
        raise UserError(f"{sys.executable}: it does not say what it is", "run it by hand")
    tag = own.version.replace(".", "")
    return replace(
        own,
        version=version,
        full_version=f"{version}.0",
        soabi=own.soabi.replace(f"-{tag}-", f"-{version.replace('.', '')}-"),
        marker_environment={**own.marker_environment, "python_version": version, "python_full_version": f"{version}.0"},
    )


def _requested(pythons: Sequence[str], requested: str) -> Interpreter:
    path = _named(requested)
    found = probe(path) if path else None
    if not found:
        raise UserError(
            f"PYTHON={requested}: no such interpreter", "give a path, a program's name, or a version such as 3.11"
        )
    if found.version not in pythons:
        raise UserError(
            f"PYTHON={requested} is Python {found.version}, but .python-version says {', '.join(pythons)}",
            f"choose another interpreter, or add the line {found.version} to .python-version and run `make vendor`",
        )
    return found


def _named(requested: str) -> Path | None:
    """Return the program that is meant by a path, a name or a version."""
    if path := shutil.which(requested) or shutil.which(f"/usr/bin/python{requested}"):
        return Path(path)
    return pyenv.versions().get(requested) or next(_others(requested), None)


def _others(version: str) -> Iterator[Path]:
    if on_path := shutil.which(f"python{version}"):
        yield Path(on_path)
    yield from (path for name, path in pyenv.versions().items() if pyenv.minor(name) == version)


@cache
def probe(path: Path) -> Interpreter | None:
    """Ask an interpreter what it is; None when it is not there or does not run (a pyenv shim without a version)."""
    if not path.exists():
        return None
    try:
        # Without site (-S): what is installed in an active environment would be run by its .pth files.
        answer = json.loads(process.read([path, "-I", "-S", "-c", _PROBE]))
    except (UserError, ValueError):
        return None
    markers = answer["markers"]
    return Interpreter(
        path=path if path.parent == OF_SYSTEM else Path(answer["path"]),
        version=markers["python_version"],
        full_version=markers["python_full_version"],
        soabi=answer["soabi"],
        include=Path(answer["include"]),
        marker_environment=markers,
    )
