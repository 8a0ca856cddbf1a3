"""Runs of foreign code: inside the walls and within the limits, or not at all."""

from __future__ import annotations

import argparse
import codecs
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from pathlib import Path

from toolkit.core import console, debian_packages, directories, foreign_text, process
from toolkit.core.errors import UserError
from toolkit.core.output import Excerpt, Lines
from toolkit.core.process import CommandError
from toolkit.project.settings import default_of
from toolkit.sandbox import apparmor, bubblewrap, landlock, limits, system_calls
from toolkit.sandbox.limits import Limits, Watch
from toolkit.sandbox.view import ENVIRONMENT, HOME, TEMPORARY, USER, View, Wrapped, private

_MODES = ("on", "required", "off")
#: Bytes at the beginning and at the end of a run's output that an error shows.
_TAIL = 1 << 16
_DEVICES = Path("/proc/self/net/dev")
#: The loopback, and the tunnels that the kernel makes by itself (net.core.fb_tunnels_only_for_init_net).
_IN_EVERY_NAMESPACE = frozenset(
    {"lo", "tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "sit0", "ip6tnl0", "ip6_vti0", "ip6gre0", "ip6gretap0"}
)
_REFUSED = re.compile(
    r"Network is unreachable|Temporary failure in name resolution|Name or service not known|"
    r"Could not resolve host|Failed to establish a new connection|Connection refused"
)
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_OTHERWISE = "if you take the risk that foreign code reads and writes all that you can, SANDBOX=off"
_PREFIX = "python-common-sandbox-"
#: What other programs use meanwhile may count as a run's own, so there is room for all that a machine may do.
_TRIED = Limits(seconds=60, memory=1 << 40, disk=1 << 50, processes=16, output=1 << 20)


class Means(Enum):
    """What builds the walls: bubblewrap with the rights of root, or of a user; Landlock; or nothing does."""

    ROOT = auto()
    USER = auto()
    LANDLOCK = auto()
    NONE = auto()


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """Whether foreign code runs inside walls (`on`, `required`, `off`), and the limits upon each run.

    `on` refuses to run anything where walls cannot be built, but for a package build without a network: a build chroot,
    which is thrown away. `required` refuses there too. `off` is for who takes the risk knowingly. Nothing of `private`
    is seen inside, nor of a home or a cache, wherever they are.
    """

    mode: str
    limits: Limits
    private: tuple[Path, ...] = ()

    def require(self) -> str:
        """Return which walls stand, for people. Raises `UserError` where foreign code must not run."""
        if self.mode == "off":
            walls = "none (SANDBOX=off): foreign code can read and write all that you can"
        elif self._means is Means.NONE:
            walls = "none but those of this build chroot"
        else:
            by = ", by Landlock" if self._means is Means.LANDLOCK else ""
            walls = f"no files, processes or network of this machine{by}"
        return f"{walls}; at most {self.limits.describe()}"

    def settings(self) -> dict[str, str]:
        """Return the settings for the verbs inside a package build, which must not do with less."""
        return {"SANDBOX": "off" if self.mode == "off" else "required", **self.limits.settings()}

    @property
    def has_own_paths(self) -> bool:
        """Tell whether a run finds things where `View` has them. Raises `UserError` where foreign code must not run."""
        return self._means in (Means.ROOT, Means.USER)

    @property
    def _means(self) -> Means:
        """Return what builds the walls. Raises `UserError` where foreign code must not run."""
        if self.mode == "off":
            return Means.NONE
        found, fault = _find_means()
        if fault and (self.mode == "required" or not _is_build_chroot()):
            raise fault
        return found

    @property
    def hidden(self) -> tuple[Path, ...]:
        """Return all directories of which nothing is seen inside but what a view has."""
        return private(*self.private)

    def place(self, inside: str, view: View) -> str:
        """Return where a program finds what has this path inside the walls: without walls, where it is."""
        if self.has_own_paths:
            return inside
        known = {**view.readable, **view.writable}
        top = max((path for path in known if f"{inside}/".startswith(f"{path}/")), key=len)
        return f"{known[top]}{inside.removeprefix(top)}"

    def environment_path(self, prefix: Path) -> Path:
        """Return the path by which a run finds the environment at `prefix`."""
        return Path(ENVIRONMENT) if self.has_own_paths else prefix

    def variables(self, view: View) -> dict[str, str]:
        """Return the variables that tell a program who it is, and where its own directories are."""
        return {
            "HOME": self.place(HOME, view),
            "USER": USER,
            "LOGNAME": USER,
            "TMPDIR": TEMPORARY if self.has_own_paths else str(view.temporary),
            "LC_ALL": "C.UTF-8",
        }

    def run(
        self,
        words: Sequence[str],
        view: View,
        *,
        directory: str,
        environment: Mapping[str, str],
        log: Path,
        watch: Callable[[str], object] | None = None,
    ) -> str:
        """Run a command in a directory and return the end of its output; when this returns, nothing of it is running.

        All paths are those that `place` gives; `environment` is all that it gets. The whole output goes to `log` as it
        comes, control characters as text; `watch` is called with each line. Raises `CommandError`, `LimitError`.
        """
        keeper = Watch(limits=self.limits, directories=view.own)
        with _Output(log, self.limits, watch) as output, self._wrapped(words, view, directory, environment) as wrapped:
            try:
                status = process.supervise(
                    wrapped.words,
                    output.add,
                    keeper.look,
                    cwd=wrapped.directory,
                    env=wrapped.environment,
                    pass_fds=wrapped.descriptors,
                )
            finally:
                wrapped.wait()
            tail = output.end()
        if status:
            raise CommandError(words, status, tail)
        return tail

    @contextmanager
    def _wrapped(
        self, words: Sequence[str], view: View, directory: str, environment: Mapping[str, str]
    ) -> Iterator[Wrapped]:
        match self._means:
            case Means.NONE:
                yield Wrapped(words=words, environment=environment, directory=directory)
            case Means.LANDLOCK:
                with landlock.command(words, view, self.limits, self.hidden, sockets=not has_network()) as (
                    confined,
                    descriptors,
                ):
                    yield Wrapped(words=confined, environment=environment, directory=directory, descriptors=descriptors)
            case found:
                with bubblewrap.command(
                    words, view, self.limits, directory, environment, self.hidden, as_root=found is Means.ROOT
                ) as wrapped:
                    yield wrapped


def add_options(group: argparse._ActionsContainer) -> None:
    """Add the options of every verb that runs foreign code."""
    group.add_argument(
        "--sandbox",
        type=_mode,
        default=default_of("SANDBOX"),
        help="on: foreign code runs in a sandbox or not at all; required: in a build chroot too; off: no walls",
    )
    limits.add_options(group)


def from_arguments(arguments: argparse.Namespace) -> Sandbox:
    """Return the sandbox of a parsed command line."""
    given = vars(arguments)
    named = [given.get(name) for name in ("project", "build_directory", "wheel_store")]
    own = tuple(Path(path).expanduser().absolute() for path in named if path not in (None, "", "default"))
    return Sandbox(mode=arguments.sandbox, limits=limits.from_arguments(arguments), private=own)


def default() -> Sandbox:
    """Return the sandbox of who has set nothing."""
    parser = argparse.ArgumentParser()
    add_options(parser)
    return from_arguments(parser.parse_args([]))


def _mode(text: str) -> str:
    if text not in _MODES:
        raise UserError(
            f"SANDBOX={text}: no such sandbox", f"write {', '.join(_MODES[:-1])} or {_MODES[-1]}: SANDBOX=on"
        )
    return text


def missed_network(output: str) -> bool:
    """Tell whether a program that printed this looked for a network."""
    return bool(_REFUSED.search(output))


def suggestion(output: str, name: str = "") -> str:
    """Return what to do about a build that failed with this output, if it missed the network; else nothing.

    `name` is that of the distribution that was built, where it is known.
    """
    if not missed_network(output):
        return ""
    if not name:
        return "builds have no network: vendor what is fetched, or build with a setting that fetches nothing"
    return (
        f"builds have no network: if {name} has a setting that fetches nothing, write it to build-settings.toml, "
        f'`[{name}]` and below it `env = {{NAME = "value"}}`, and run `make vendor`'
    )


class _Output:
    """What a run prints: all of it in a log as it comes, and the beginning and the end of it for messages."""

    def __init__(self, log: Path, most: Limits, watch: Callable[[str], object] | None) -> None:
        self._path, self._most = log, most.output
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._count = 0
        self._kept = Excerpt(_TAIL)
        shown = [console.foreign] if console.verbosity >= 2 else []
        watching = [*shown, *([watch] if watch else [])]
        self._lines = Lines(lambda line: [tell(line) for tell in watching])

    def __enter__(self) -> _Output:
        # A new file: a link in its place is not followed.
        self._path.unlink(missing_ok=True)
        self._stream = self._path.open("xb")
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def add(self, data: bytes) -> None:
        """Take a piece of output. Raises `LimitError`."""
        self._count += len(data)
        self._write(self._decoder.decode(data))
        if self._count > self._most:
            shown = limits.shown(self._most)
            raise limits.exceeded(f"it printed more than {shown}", "SANDBOX_OUTPUT", shown)

    def end(self) -> str:
        """Return what is kept of all that was printed."""
        self._write(self._decoder.decode(b"", final=True))
        self._lines.close()
        return self._kept.text()

    def _write(self, text: str) -> None:
        plain = foreign_text.plain(text).encode()
        self._stream.write(plain)
        # Whoever is told of a line finds it in the log.
        self._stream.flush()
        self._kept.add(plain)
        self._lines.add(plain)


@cache
def _find_means() -> tuple[Means, UserError | None]:
    """Return what builds walls here, or nothing and the error that says why."""
    missing = []
    try:
        system_calls.program()
    except OSError:
        missing.append("libseccomp2")
    try:
        debian_packages.require(
            "the sandbox of foreign code needs", "bwrap", missing=missing, otherwise=f"or, {_OTHERWISE}"
        )
    except UserError as error:
        return Means.NONE, error
    faults = []
    for means in (Means.ROOT, Means.USER, Means.LANDLOCK)[os.geteuid() != 0 :]:
        fault = _try(means)
        if not fault:
            return means, None
        faults.append(f"{means.name.lower()}: {fault}")
    what = "this machine allows no sandbox, so no foreign code is run"
    return Means.NONE, UserError(what, _advice(), "\n".join(faults))


def _try(means: Means) -> str:
    """Return why a sandbox cannot be made, an empty text where it can."""
    if means is Means.LANDLOCK and not landlock.is_there():
        return "this kernel has no Landlock, or one that confines too little (before Linux 6.12)"
    tried = _Tried(mode="required", limits=_TRIED, means=means)
    with directories.temporary(Path(tempfile.gettempdir()), _PREFIX) as directory:
        temporary = directory / "temporary"
        temporary.mkdir()
        try:
            tried.run(
                ["true"], View(temporary=temporary), directory="/", environment={"PATH": _PATH}, log=directory / "log"
            )
        except CommandError as error:
            return error.output.strip() or error.what
        except OSError as error:
            # Ids that are not there, in the user namespace of a container.
            return str(error)
    return ""


@dataclass(frozen=True, kw_only=True)
class _Tried(Sandbox):
    """A sandbox whose means are not known to do."""

    means: Means

    @property
    def _means(self) -> Means:
        return self.means


def _advice() -> str:
    """Return what to do where user namespaces are barred, by what bars them."""
    if apparmor.is_missing():
        return f"run `make setup`, which lets bubblewrap make them past this system's AppArmor; or, {_OTHERWISE}"
    if apparmor.is_barring() and os.geteuid() != 0:
        return f"as root, on the host: `sysctl kernel.apparmor_restrict_unprivileged_userns=0`; or, {_OTHERWISE}"
    if _kernel_says("kernel/unprivileged_userns_clone") == "0":
        return f"as root: `sysctl kernel.unprivileged_userns_clone=1`; or, {_OTHERWISE}"
    if _kernel_says("user/max_user_namespaces") == "0":
        return f"as root: `sysctl user.max_user_namespaces=10000`; or, {_OTHERWISE}"
    return f"in a container, let it make namespaces (docker run --privileged, or a seccomp profile); or, {_OTHERWISE}"


def _kernel_says(name: str) -> str:
    path = Path("/proc/sys", name)
    return path.read_text(encoding="ascii").strip() if path.exists() else ""


def _is_build_chroot() -> bool:
    """Tell whether this is a package build (dpkg-buildpackage sets the variable) on a machine without a network."""
    return "DEB_BUILD_GNU_TYPE" in os.environ and not has_network()


def has_network(devices: Path = _DEVICES) -> bool:
    """Tell whether any device may lead out of this machine, by proc(5); without such a file, it is assumed.

    A machine that is offline has devices, and services and sockets of its own; a network namespace has none.
    """
    if not devices.exists():
        return True
    names = (line.partition(":")[0].strip() for line in devices.read_text(encoding="ascii").splitlines()[2:])
    return any(name not in _IN_EVERY_NAMESPACE for name in names)
