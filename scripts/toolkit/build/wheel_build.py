"""Build one wheel from one source, in a given environment, inside the sandbox."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from toolkit.build import cargo, compilers, headers, hook_answers, missing_modules, system_headers, uncompiled
from toolkit.build.crate_layout import CrateLayout, CrateSource
from toolkit.build.system_programs import PATH
from toolkit.core import events, files, process
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import one_line
from toolkit.model.build_settings import FLAG_VARIABLES
from toolkit.project import pyproject, source_files, vcs_versions
from toolkit.project.source_files import FilesBeside
from toolkit.project.vcs_versions import GivenVersion
from toolkit.sandbox import confined
from toolkit.sandbox.confined import Sandbox
from toolkit.sandbox.limits import LimitError
from toolkit.sandbox.view import ENVIRONMENT, HOME, ROOT, TEMPORARY, View
from toolkit.sources import patching
from toolkit.sources.patching import PatchSource
from toolkit.wheel import check
from toolkit.wheel.store import Built, Lacking

HOOK_RUNNER = Path(__file__).with_name("pep517_hook.py")
#: Where a build finds its things inside the walls: at the same paths on every machine, as ccache likes it.
_SOURCE, _OUTPUT = f"{ROOT}/source", f"{ROOT}/output"
_RECORD = "compiled"
_COMPILERS, _CCACHE = f"{ROOT}/compilers", f"{ROOT}/ccache"
_CRATES, _RUST = f"{ROOT}/crates", f"{ROOT}/rust"
_PROGRAMS = f"{ROOT}/programs"
_RUNNER, _REQUEST = f"{ROOT}/pep517_hook.py", f"{ROOT}/request.json"
#: Bytes of the answer of a hook: more than any list of requirements.
_LONGEST_ANSWER = 1 << 20
#: Lines of the end of what a hook has printed that an error tells.
_TOLD_LINES = 40
#: Bytes of a log that are kept of a build in a chroot.
_LONGEST_LOG = 4 << 20

#: Variables by which the caller chooses what compiles.
_NAMED_TOOLS = ("CC", "CXX", "CPP", "AR", "LD", "PKG_CONFIG_PATH")
#: What a build may see of the caller's environment; all else would make its result depend on who ran it.
_PASSED_ON = (
    *_NAMED_TOOLS,
    "DEB_BUILD_OPTIONS",
    # By these eatmydata and faketime work.
    *("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC", "FAKETIME_FORCE_MONOTONIC_FIX", "NO_FAKE_STAT"),
    # Where git stops to look for a repository.
    "GIT_CEILING_DIRECTORIES",
)
#: 1980-01-01, the first time stamp a zip file can hold: the time of day is no part of a wheel.
_EPOCH = "315532800"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One wheel to build.

    `source` is the tree that `unpack` has put into `scratch`, a directory of this job's own; `python` the interpreter
    of an environment at the sandbox's `environment_path`. `identity` tells the sources of builds apart.

    `cheap` is for tools that are not shipped: no optimisation, and `config_settings` (PEP 517) that spare time. Others
    of these, and `variables`, are what the project's people have it built with. `rust` is for what cargo compiles, and
    `crates` are what it finds beside the source's own, by `layout`. `given` is the version for what would ask git;
    `local` ones are packages of the project. It finds the programs of the system in the directory `programs`, if
    any, as some are `hidden`. It may run as many compilers at once as it has `jobs`.
    """

    name: str
    version: str
    source: Path
    python: Path
    scratch: Path
    log: Path
    sandbox: Sandbox
    identity: str = ""
    cheap: bool = False
    config_settings: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    rust: bool = False
    crates: Sequence[CrateSource] = ()
    layout: CrateLayout | None = None
    given: GivenVersion | None = None
    local: bool = False
    programs: Path | None = None
    hidden: frozenset[str] = frozenset()
    jobs: int = 1

    @property
    def label(self) -> str:
        """Return the name and version as a person reads them; local packages have no version yet."""
        return f"{self.name} {self.version}".strip()


def unpack(
    source: Path,
    scratch: Path,
    patches: Sequence[PatchSource] = (),
    *,
    given: GivenVersion | None = None,
    beside: FilesBeside | None = None,
) -> Path:
    """Put a source, an archive or a local package's directory, into a job's directory, and return where its tree is.

    An archive is patched. A version that is given is in the tree, where that is where its build looks for it. What a
    local package has `beside` its own files stays in the same place, seen from it. Raises `UserError`.
    """
    directory = scratch / "source"
    if source.is_dir():
        if beside:
            source_files.copy(beside.top, directory, beside.files)
            directory /= source.relative_to(beside.top)
        source_files.copy(source, directory)
    else:
        directory.mkdir()
        directory = patching.extract(source, directory, patches)
    if given:
        vcs_versions.write(directory, given.text)
    return directory


def build_wheel(job: Job) -> Path:
    """Call the backend's `build_wheel` and return the wheel, below the job's scratch directory. Raises `UserError`."""
    try:
        answer = call_hook(job, "build_wheel")
    except process.CommandError as error:
        raise _build_error(job, error) from error
    hook_answers.file_name(answer, job.label, "build_wheel")
    wheels = list(_wheels(job.scratch / "output"))
    if len(wheels) != 1:
        raise UserError(f"{job.label}: the build made {len(wheels)} wheels instead of one", f"see {job.log}")
    found = check.check(wheels[0], "build", name=job.name, version=job.version)
    if not job.version:
        vcs_versions.check(job.source, found.version, job.given, job.label)
    return wheels[0]


def how(job: Job) -> Built:
    """Return what a finished build could not compile, and did without, and the headers of what it compiled."""
    failed, made = uncompiled.read(job.scratch / "output" / _RECORD, job.source)
    headers_used = system_headers.now(uncompiled.headers(job.source, made)) if made else {}
    return Built(
        lacking=_lacking(job, failed) if failed else None,
        headers={name: state for name, state in headers_used.items() if state},
    )


def _lacking(job: Job, sources: Sequence[str]) -> Lacking:
    output = _end_of(job.log)
    events.send("log", path=str(job.log), text=output)
    return Lacking(
        text=f"{job.label}: its wheel lacks what did not compile: {one_line(', '.join(sources))}",
        hint=one_line(headers.suggestion(uncompiled.about(output, sources), job.hidden)),
        state=uncompiled.state(job.source, sources),
    )


def _wheels(directory: Path) -> Iterator[Path]:
    """Yield the wheels in a directory that belonged to a build: it may hold anything."""
    for entry in os.scandir(directory):
        if entry.name.endswith(".whl") and entry.is_file(follow_symlinks=False):
            yield Path(entry.path)


def call_hook(job: Job, hook: str) -> Any:
    """Run one PEP 517 hook in the job's environment and return its answer, None where the backend has no such hook.

    What it makes is in `output` in the job's scratch directory. What the answer is made of is unchecked. Raises
    `CommandError`, `UserError`.
    """
    system = pyproject.build_system(pyproject.read(job.source), str(job.source / pyproject.FILE))
    view = _view(job)
    place = partial(job.sandbox.place, view=view)
    source = place(_inside_source(job))
    output = place(_OUTPUT)
    settings = dict(job.config_settings) or None
    # By their places, as all front ends do: a backend in a tree may call its parameters what it likes.
    arguments = {"build_wheel": (output, settings, None), "prepare_metadata_for_build_wheel": (output, settings)}
    view.readable[_REQUEST].write_text(
        json.dumps(
            {
                "source": source,
                "backend": system.backend,
                "backend_path": system.backend_path,
                "hook": hook,
                "arguments": arguments.get(hook, (settings,)),
                "result_path": f"{output}/result.json",
            }
        ),
        encoding="utf-8",
    )
    _fill_compilers(job, view)
    if job.rust:
        _fill_cargo(job, view)
    try:
        job.sandbox.run(
            [place(f"{ENVIRONMENT}/bin/{job.python.name}"), place(_RUNNER), place(_REQUEST)],
            view,
            directory=source,
            environment=_environment(job, view),
            log=job.log,
        )
    except LimitError as error:
        raise UserError(f"{job.label}: {error.what}, and was ended", error.hint, error.details) from error
    return _answer(job, hook)


def _tree(job: Job) -> Path:
    """Return the top of a job's sources: that of the archive, or where what a local package has beside it is, too."""
    return job.scratch / "source" if job.local else job.source


def _inside_source(job: Job) -> str:
    below = job.source.relative_to(job.scratch / "source").as_posix()
    return _SOURCE if below == "." else f"{_SOURCE}/{below}"


def _view(job: Job) -> View:
    """Return what a job finds inside, with the directories made that are its own."""
    writable = {_SOURCE: job.scratch / "source", _OUTPUT: job.scratch / "output", HOME: job.scratch / "home"}
    cache = os.environ.get("CCACHE_DIR")
    if cache and job.identity:
        # Of its own: what another build has put there would be in this one's wheel, or its answer.
        own = files.private_directory(Path(cache, f"{job.name}-{job.identity[:16]}").absolute())
        writable[_CCACHE] = own / "ccache"
    temporary = job.scratch / "tmp"
    for path in (temporary, *writable.values()):
        path.mkdir(parents=True, exist_ok=True)
    prefix = job.python.parent.parent
    readable = {
        ENVIRONMENT: prefix,
        _COMPILERS: job.scratch / "compilers",
        _RUNNER: HOOK_RUNNER,
        _REQUEST: job.scratch / "request.json",
        **interpreter_files(job.python, job.sandbox.hidden),
        **_preloaded(),
    }
    if job.programs:
        readable[_PROGRAMS] = job.programs
    if job.rust:
        readable[_CRATES] = job.scratch / "crates"
        if home := cargo.toolchain(PATH).home:
            readable[_RUST] = home
    return View(temporary=temporary, writable=writable, readable=readable)


def _preloaded() -> dict[str, Path]:
    """Return the libraries that LD_PRELOAD names by a path (ld.so(8)) and that are no part of the system."""
    words = re.split("[ :]", os.environ.get("LD_PRELOAD", ""))
    outside = [word for word in words if word.startswith("/") and not word.startswith("/usr/")]
    return {word: Path(word) for word in outside if os.path.isfile(word)}


def interpreter_files(python: Path, hidden: Sequence[Path]) -> dict[str, Path]:
    """Return what an environment's interpreter consists of, where that is not a part of the system.

    It may be installed into a directory that has one of the `hidden` in it: of a home there is only what is Python's.
    """
    started = Path(os.readlink(python))
    real = started.resolve()
    prefix = real.parent.parent
    within = [prefix]
    if any(path.is_relative_to(prefix) for path in hidden):
        within = [path for name in ("include", "lib", "lib64") if (path := prefix / name).is_dir()]
    found = {str(started): real, str(real): real, **{str(path): path for path in within}}
    return {inside: path for inside, path in found.items() if not inside.startswith("/usr/")}


def _answer(job: Job, hook: str) -> Any:
    """Return what a hook has answered: a file that a build has made, so it may be anything."""
    try:
        return json.loads(files.read_foreign(job.scratch / "output" / "result.json", _LONGEST_ANSWER)).get("return")
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        reason = "it ended before" if isinstance(error, FileNotFoundError) else str(error)
        raise UserError(
            f"{job.label}: its build backend gave no answer to {hook} ({reason})",
            "see what it says above" + ("" if job.local else f"; another version of {job.name} may do"),
            "\n".join(files.last_lines(job.log, _TOLD_LINES)),
        ) from None


@cache
def build_flags() -> Mapping[str, str]:
    """Return the distribution's compiler flags (dpkg-buildflags), without the part that names a directory."""
    if not shutil.which("dpkg-buildflags"):
        return {}
    # The maintainer's flags of the package being built come through the environment (DEB_*_MAINT_*).
    lines = process.read(["dpkg-buildflags"], cwd="/").splitlines()
    flags = dict(line.partition("=")[::2] for line in lines)
    maps = ("-ffile-prefix-map=", "-fdebug-prefix-map=")
    words = {name: flags.get(name, "").split() for name in FLAG_VARIABLES}
    return {name: " ".join(word for word in words[name] if not word.startswith(maps)) for name in words}


def _fill_compilers(job: Job, view: View) -> None:
    source, temporary = job.sandbox.place(_inside_source(job), view), job.scratch / "tmp"
    if job.sandbox.has_own_paths:
        hidden = {ROOT: ".", TEMPORARY: "./tmp", f"/var{TEMPORARY}": "./tmp"}
    else:
        hidden = {str(job.scratch): ".", str(temporary): "./tmp"}
    compilers.wrap(job.scratch / "compilers", hidden, source, PATH, _record(job, view))


def _record(job: Job, view: View) -> str:
    """Return where stand-ins record what they compiled, as a build sees it."""
    return f"{job.sandbox.place(_OUTPUT, view)}/{_RECORD}"


def _fill_cargo(job: Job, view: View) -> None:
    """Lay out the job's crates, with cargo's settings and its stand-in; a job may call several hooks."""
    directory, place = job.scratch / "crates", partial(job.sandbox.place, view=view)
    if not directory.exists():
        layout = job.layout or CrateLayout(unpacked=job.scratch / "unpacked-crates")
        layout.lay_out(job.crates, directory)
    home = job.scratch / "home" / ".cargo"
    home.mkdir(exist_ok=True)
    workspaces = cargo.workspaces(_tree(job), job.source)
    names = cargo.registry_names(workspaces or (), job.crates)
    files.write_atomic(home / "config.toml", cargo.settings(job.crates, place(_CRATES), names), 0o644)
    found = cargo.toolchain(PATH)
    program = f"{place(_RUST)}/bin/cargo" if found.home else str(found.cargo)
    stand_in = job.scratch / "compilers" / "cargo"
    # What brings its crates says where they are by settings of its own.
    settings = f"{place(HOME)}/.cargo/config.toml" if job.crates else ""
    is_locked = cargo.is_locked(workspaces, job.crates)
    stand_in.write_text(cargo.stand_in(program, settings, _record(job, view), locked=is_locked))
    stand_in.chmod(0o755)


def _rust_environment(job: Job, view: View) -> dict[str, str]:
    place = partial(job.sandbox.place, view=view)
    temporary = TEMPORARY if job.sandbox.has_own_paths else str(job.scratch / "tmp")
    found = cargo.toolchain(PATH)
    places = cargo.Places(
        home=f"{place(HOME)}/.cargo",
        source=place(_SOURCE),
        hidden={place(_SOURCE): "source", place(_CRATES): "crates", temporary: "tmp"},
        options=cargo.own_options(_tree(job), job.source, found.host),
    )
    link_flags = build_flags().get("LDFLAGS", "").split()
    return cargo.environment(places, found, link_flags, cheap=job.cheap)


def toolchain(*, rust: bool) -> Mapping[str, str]:
    """Return what of this machine's compilers shapes a wheel: their flags, those that variables name, Rust's version.

    Raises `UserError` where Rust is missing.
    """
    named = {name: os.environ[name] for name in _NAMED_TOOLS if name in os.environ}
    return {**build_flags(), **named, **({"rustc": cargo.toolchain(PATH).version} if rust else {})}


def _environment(job: Job, view: View) -> dict[str, str]:
    place = partial(job.sandbox.place, view=view)
    flags = dict(build_flags())
    if job.cheap:
        flags = {"CFLAGS": "-O0 -g0 -w", "CXXFLAGS": "-O0 -g0 -w"}
    for name in ("CFLAGS", "CXXFLAGS", "FFLAGS"):
        hidden = shlex.quote(f"-ffile-prefix-map={place(_inside_source(job))}=.")
        flags[name] = f"{flags.get(name, '')} {hidden}".strip()
    own = dict(job.variables)
    # Those of the distribution, not instead of the system's: hardening, and a result that tells no directory.
    flags |= {name: f"{flags.get(name, '')} {own.pop(name)}".strip() for name in FLAG_VARIABLES if name in own}
    rust = _rust_environment(job, view) if job.rust else {}
    if rust and (words := own.pop("RUSTFLAGS", "").split()):
        rust["CARGO_ENCODED_RUSTFLAGS"] = "\x1f".join((rust["CARGO_ENCODED_RUSTFLAGS"], *words))
    rust_path = f"{place(_RUST)}/bin:" if _RUST in view.readable else ""
    system = place(_PROGRAMS) if job.programs else PATH
    return {
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        **flags,
        **({"CCACHE_DIR": place(_CCACHE)} if _CCACHE in view.writable else {}),
        **rust,
        **vcs_versions.variables(job.given.text if job.given else ""),
        # Ninja and cargo use all processors by themselves, the makefiles of CMake one: cmake builds itself twice so.
        # https://cmake.org/cmake/help/latest/envvar/CMAKE_BUILD_PARALLEL_LEVEL.html
        "CMAKE_BUILD_PARALLEL_LEVEL": str(job.jobs),
        **own,
        "PATH": f"{place(ENVIRONMENT)}/bin:{place(_COMPILERS)}:{rust_path}{system}",
        **job.sandbox.variables(view),
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": _EPOCH,
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        "PIP_NO_INDEX": "1",
        **cargo.SYSTEM_ALONE,
    }


def _build_error(job: Job, error: process.CommandError) -> UserError:
    limits = job.sandbox.limits
    hint = (
        headers.suggestion(error.output, job.hidden)
        or confined.suggestion(error.output, job.name)
        or limits.suggestion(error.output)
        or missing_modules.suggestion(error.output, job.name, local=job.local)
    )
    tail = "\n".join(error.output.splitlines()[-_TOLD_LINES:])
    events.send("log", path=str(job.log), text=_end_of(job.log))
    return UserError(f"{job.label}: its wheel could not be built", hint or f"the whole output is in {job.log}", tail)


def _end_of(log: Path) -> str:
    """Return the last megabytes of a log; nothing where there is none."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - _LONGEST_LOG))
            return stream.read(_LONGEST_LOG).decode(errors="replace")
    except OSError:
        return ""
