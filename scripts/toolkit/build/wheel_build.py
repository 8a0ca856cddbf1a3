"""Build one wheel from one source, in a given environment, without a network."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from toolkit.build import compilers, headers, isolation
from toolkit.core import process
from toolkit.core.errors import UserError
from toolkit.model.names import normalize
from toolkit.project import pyproject, source_files
from toolkit.vendored import archive
from toolkit.wheel import metadata

HOOK_RUNNER = Path(__file__).with_name("pep517_hook.py")

#: What a build may see of the caller's environment; all else would make its result depend on who ran it.
_PASSED_ON = (
    *("CC", "CXX", "CPP", "AR", "LD", "PKG_CONFIG_PATH", "CCACHE_DIR", "DEB_BUILD_OPTIONS"),
    # By these eatmydata and faketime work.
    *("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC", "NO_FAKE_STAT"),
    # Where git stops to look for a repository.
    "GIT_CEILING_DIRECTORIES",
)
_PATH = "/usr/local/bin:/usr/bin:/bin"
_FLAG_VARIABLES = ("CFLAGS", "CPPFLAGS", "CXXFLAGS", "FFLAGS", "LDFLAGS")

#: 1980-01-01, the first time stamp a zip file can hold: the time of day is no part of a wheel.
_EPOCH = "315532800"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One wheel to build.

    `source` is the unpacked tree, `python` the environment's interpreter, `scratch` a directory of this job's own.

    `cheap` is for tools that are not shipped: no optimisation, and `config_settings` (PEP 517) that spare time.
    """

    name: str
    version: str
    source: Path
    python: Path
    scratch: Path
    log: Path
    cheap: bool = False
    config_settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Return the name and version as a person reads them; local packages have no version yet."""
        return f"{self.name} {self.version}".strip()


def unpack(source: Path, directory: Path) -> Path:
    """Put a source, an archive or a local package's directory, into a new directory, and return where its tree is."""
    if source.is_dir():
        source_files.copy(source, directory)
        return directory
    directory.mkdir()
    return archive.extract(source, directory)


def build_wheel(job: Job) -> Path:
    """Call the backend's `build_wheel` and return the wheel, below the job's scratch directory. Raises `UserError`."""
    output = job.scratch / "wheel"
    output.mkdir()
    kwargs = {"wheel_directory": str(output), "config_settings": dict(job.config_settings) or None}
    try:
        text = call_hook(job, "build_wheel", kwargs)
    except process.CommandError as error:
        job.log.write_text(error.output, encoding="utf-8")
        raise _build_error(job, error) from error
    job.log.write_text(text, encoding="utf-8")
    wheels = list(output.glob("*.whl"))
    if len(wheels) != 1:
        raise UserError(f"{job.label}: the build made {len(wheels)} wheels instead of one", f"see {job.log}")
    _check_identity(job, wheels[0])
    return wheels[0]


def call_hook(job: Job, hook: str, kwargs: Mapping[str, Any]) -> str:
    """Run one PEP 517 hook in the job's environment and return what it printed; raises `CommandError`."""
    system = pyproject.build_system(pyproject.read(job.source), str(job.source / pyproject.FILE))
    request = job.scratch / "request.json"
    request.write_text(
        json.dumps(
            {
                "source": str(job.source),
                "backend": system.backend,
                "backend_path": system.backend_path,
                "hook": hook,
                "kwargs": kwargs,
                "result_path": str(job.scratch / "result.json"),
            }
        ),
        encoding="utf-8",
    )
    return process.run([*isolation.prefix(), job.python, HOOK_RUNNER, request], cwd=job.source, env=_environment(job))


@cache
def build_flags() -> Mapping[str, str]:
    """Return the distribution's compiler flags (dpkg-buildflags), without the part that names a directory."""
    if not shutil.which("dpkg-buildflags"):
        return {}
    # The maintainer's flags of the package being built come through the environment (DEB_*_MAINT_*).
    lines = process.read(["dpkg-buildflags"], cwd="/").splitlines()
    flags = dict(line.partition("=")[::2] for line in lines)
    maps = ("-ffile-prefix-map=", "-fdebug-prefix-map=")
    words = {name: flags.get(name, "").split() for name in _FLAG_VARIABLES}
    return {name: " ".join(word for word in words[name] if not word.startswith(maps)) for name in words}


def _environment(job: Job) -> dict[str, str]:
    home = job.scratch / "home"
    home.mkdir(exist_ok=True)
    wrapped = compilers.wrap(job.scratch / "compilers", job.scratch, job.source, _PATH)
    flags = dict(build_flags())
    if job.cheap:
        flags = {"CFLAGS": "-O0 -g0 -w", "CXXFLAGS": "-O0 -g0 -w"}
    for name in ("CFLAGS", "CXXFLAGS", "FFLAGS"):
        flags[name] = f"{flags.get(name, '')} -ffile-prefix-map={job.source}=.".strip()
    return {
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        **flags,
        "PATH": f"{job.python.parent}:{wrapped}:{_PATH}",
        "HOME": str(home),
        "TMPDIR": str(job.scratch),
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "SOURCE_DATE_EPOCH": _EPOCH,
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        "PIP_NO_INDEX": "1",
    }


def _check_identity(job: Job, wheel: Path) -> None:
    """Refuse a wheel whose own metadata has another name or version than the lock."""
    from packaging.utils import canonicalize_version

    found = metadata.read(wheel)
    same_version = not job.version or canonicalize_version(found.version) == canonicalize_version(job.version)
    if normalize(found.name) != normalize(job.name) or not same_version:
        raise UserError(
            f"{job.label}: its build made {found.name} {found.version}",
            f"the archive is not what its name says: see where it came from, then `make vendor UPGRADE={job.name}`",
        )


def _build_error(job: Job, error: process.CommandError) -> UserError:
    hint = headers.suggestion(error.output) or isolation.suggestion(error.output)
    tail = "\n".join(error.output.splitlines()[-40:])
    return UserError(f"{job.label}: its wheel could not be built", hint or f"the whole output is in {job.log}", tail)
