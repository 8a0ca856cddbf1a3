"""A service project in a temporary directory, and the verbs run on it as a user runs them."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import tomli_w

from tests.integration import sdists
from tests.integration.local_index import LocalIndex
from toolkit.build import interpreters
from toolkit.core import console, files
from toolkit.core.errors import UserError
from toolkit.model.lock import Lock
from toolkit.model.names import normalize
from toolkit.network import tools_environment
from toolkit.vendored import lock_file
from toolkit.verbs import command_line

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
SCRIPTS = Path(tools_environment.__file__).parents[2]


@dataclass(frozen=True)
class Done:
    """How a verb ended."""

    status: int
    out: str
    err: str

    @property
    def error(self) -> tuple[str, str]:
        """Return the two lines of the error; there has to be one, of status 1, and no traceback of the verb's."""
        found = self.errors
        assert len(found) == 1, self.err
        return found[0]

    @property
    def errors(self) -> list[tuple[str, str]]:
        """Return the two lines of each error, of which there has to be one, as above; the last ones end the output."""
        assert self.status == 1, self.out + self.err
        assert "run_main" not in self.err
        lines = self.err.splitlines()
        found = [number for number, line in enumerate(lines) if line.startswith("error: ")]
        assert found and found[-1] == len(lines) - 2, self.err
        assert all(lines[number + 1].startswith(" hint: ") for number in found), self.err
        return [(lines[n].removeprefix("error: "), lines[n + 1].removeprefix(" hint: ")) for n in found]


@dataclass(frozen=True)
class Workshop:
    """A project with the service `app`; what its verbs need comes from `index`."""

    root: Path
    index: LocalIndex
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def write(self, contents: dict[str, str]) -> Workshop:
        """Write files by their path in the project."""
        for name, text in contents.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return self

    def package(self, directory: str, *, build_requires: Sequence[str] = (), **settings: object) -> Workshop:
        """Write a package that builds itself with the tests' own backend; `settings` are the backend's."""
        name = normalize(directory)
        tiny = {
            "name": name,
            "version": "1.0",
            "requires": [],
            "requires_python": "",
            "dynamic": [],
            "modules": {directory: ""},
            "c_source": "",
            "c_module": "",
            "needs_at_build": [],
            **settings,
        }
        system = {"requires": list(build_requires), "build-backend": "tiny_backend", "backend-path": ["."]}
        table = {"build-system": system, "project": {"name": name, "version": "1.0"}}
        backend = Path(sdists.__file__).with_name("backend.py").read_text(encoding="utf-8")
        contents = {"pyproject.toml": tomli_w.dumps(table), "tiny.json": json.dumps(tiny), "tiny_backend.py": backend}
        return self.write({f"{directory}/{file}": text for file, text in contents.items()})

    def service(self, directory: str, *requirements: str, **settings: object) -> Workshop:
        """Write a service with its requirements."""
        script = f"{directory}/bin/yc-{normalize(directory)}"
        self.write({f"{directory}/requirements.txt": "".join(f"{line}\n" for line in requirements), script: "#!\n"})
        return self.package(directory, **settings)  # type: ignore[arg-type]

    def lock(self, name: str = "app") -> Lock:
        """Read a lock."""
        return lock_file.read(lock_file.path_of(self.root / "vendor", name))

    def keys(self, name: str = "app") -> list[str]:
        """Return what the service runs with."""
        return [distribution.key for distribution in self.lock(name).packages]

    def dev_keys(self, name: str = "app") -> list[str]:
        """Return what only developers need."""
        return list(map(str, self.lock(name).dev_requires))

    def build_keys(self, name: str = "app") -> list[str]:
        """Return what only builds and tests need."""
        return [distribution.key for distribution in self.lock(name).build_packages]

    def vendored(self) -> dict[str, bytes]:
        """Return every file of vendor/ by its path there."""
        vendor = self.root / "vendor"
        return {str(path.relative_to(vendor)): path.read_bytes() for path in vendor.rglob("*") if path.is_file()}

    def leftovers(self) -> list[str]:
        """Return the temporary files and directories of the project and of the cache."""
        places, patterns = (self.root, files.cache_root()), ("*.tmp", ".*.old", "*/*.tmp")
        return [str(path) for place in places for pattern in patterns for path in place.glob(pattern)]

    def vendor(self, *options: str) -> Done:
        """Run `vendor` in this process, which has the libraries of the tools environment."""
        return _run("vendor", self.arguments("vendor", options))

    def build(self, *options: str) -> Done:
        """Run `build` in this process."""
        return _run("build", self.arguments("build", options))

    def develop(self, *options: str) -> Done:
        """Run `create-virtual-environment` in this process."""
        return _run("create-virtual-environment", self.arguments("create-virtual-environment", options))

    def run(self, verb: str, *options: str) -> Done:
        """Run any verb in this process."""
        return _run(verb, self.arguments(verb, options))

    def start(self, verb: str, *options: str) -> subprocess.Popen[str]:
        """Start the verb's own script; `vendor` starts itself again in a tools environment, as it does for a user."""
        return self.start_plain(verb, *self.arguments(verb, options)[2:])

    def start_plain(self, verb: str, *options: str) -> subprocess.Popen[str]:
        """Start the verb's own script as `start` does, with these options and no index but the machine's."""
        provide_tools()
        command = [sys.executable, str(SCRIPTS / "verb.py"), verb, "--project", str(self.root), *options]
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def close(self) -> None:
        """End what a test that failed has left running: it would disturb those after it."""
        for process in self.started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()

    def arguments(self, verb: str, options: Sequence[str]) -> list[str]:
        """Return the verb's command line."""
        needs_index = ["--index-url", self.index.url]
        of_verbs = {
            **dict.fromkeys(("vendor", "add", "remove", "outdated", "check-vendor"), needs_index),
            "why": [],
            "tree": [],
            "graph": [],
        }
        own = of_verbs.get(verb, ["--jobs", "2"])
        return ["--project", str(self.root), *own, *options]


def finish(process: subprocess.Popen[str], number: int = 0, *, within: float = 30) -> Done:
    """Send a signal (0: none) and return how the process ended; raises `TimeoutExpired`, and then kills it."""
    if number:
        process.send_signal(number)
    try:
        out, err = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return Done(process.returncode, out, err)


def is_there(version: str) -> bool:
    """Tell whether this machine has an interpreter of a minor version."""
    try:
        return bool(interpreters.find((version,)))
    except UserError:
        return False


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait until a condition holds; raises `TimeoutError`."""
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError
        time.sleep(0.01)


def _run(verb: str, arguments: list[str]) -> Done:
    out, err = io.StringIO(), io.StringIO()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = console.run_main(lambda: command_line.main([verb, *arguments]))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return Done(status, out.getvalue(), err.getvalue())


def provide_tools() -> None:
    """Put an environment with what this one has where the toolkit looks for its tools."""
    directory = (
        tools_environment._parent() / f"python{HERE}-{tools_environment._digest(tools_environment.REQUIREMENTS)}"
    )
    if not directory.exists():
        directory.mkdir(parents=True)
        for name in ("bin", "lib"):
            (directory / name).symlink_to(Path(sys.prefix) / name)
        (directory / "pyvenv.cfg").write_bytes((Path(sys.prefix) / "pyvenv.cfg").read_bytes())
        (directory / "complete.json").write_text("{}", encoding="utf-8")


#: How long, in seconds, the programs sleep that tests look for.
_SLEEPS = itertools.count(1_000_000 + os.getpid() * 100)


@dataclass(frozen=True)
class Sleeper:
    """A build that starts a program which sleeps longer than any test runs."""

    seconds: int = field(default_factory=lambda: next(_SLEEPS))

    @property
    def body(self) -> str:
        """Return what the backend runs."""
        sleep = f"child = subprocess.Popen(['sleep', '{self.seconds}'])"
        return f"import subprocess; {sleep}; print('begun', flush=True); child.wait()"

    def is_alive(self) -> bool:
        """Tell whether the program runs: it cannot leave a trace outside, so it is looked for."""
        words = f"sleep\0{self.seconds}\0".encode()
        # Not a glob, which may end by a process that has just gone.
        return any(_command_of(Path("/proc", name)) == words for name in filter(str.isdigit, os.listdir("/proc")))


def _command_of(process: Path) -> bytes:
    with contextlib.suppress(OSError):
        return (process / "cmdline").read_bytes()
    return b""
