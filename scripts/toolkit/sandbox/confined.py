"""Runs of foreign code: inside the walls and within the limits, or not at all."""

from __future__ import annotations

import argparse
import codecs
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from toolkit.core import console, debian_packages, foreign_text, process
from toolkit.core.errors import UserError
from toolkit.core.process import CommandError
from toolkit.project.settings import default_of
from toolkit.sandbox import bubblewrap, limits, system_calls
from toolkit.sandbox.bubblewrap import View
from toolkit.sandbox.limits import Limits, Watch

_MODES = ("on", "required", "off")
#: Characters at the end of a run's output that an error shows.
_TAIL = 1 << 16
_ROUTES, _ROUTES6 = Path("/proc/self/net/route"), Path("/proc/self/net/ipv6_route")
_REFUSED = re.compile(
    r"Network is unreachable|Temporary failure in name resolution|Name or service not known|"
    r"Could not resolve host|Failed to establish a new connection|Connection refused"
)
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_OTHERWISE = "if you take the risk that foreign code reads and writes all that you can, SANDBOX=off"
_TRIED = Limits(seconds=60, memory=1 << 30, disk=1 << 20, processes=16, output=1 << 20)


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """Whether foreign code runs inside walls (`on`, `required`, `off`), and the limits upon each run.

    `on` refuses to run anything where walls cannot be built, but for a package build without a network: a build chroot,
    which is thrown away. `required` refuses there too. `off` is for who takes the risk knowingly.
    """

    mode: str
    limits: Limits

    def require(self) -> str:
        """Return which walls stand, for people. Raises `UserError` where foreign code must not run."""
        if self.has_walls:
            return f"no files, processes or network of this machine; at most {self.limits.describe()}"
        if self.mode == "off":
            return f"none (SANDBOX=off): builds can read and write all that you can; at most {self.limits.describe()}"
        return f"none but those of this build chroot; at most {self.limits.describe()}"

    def settings(self) -> dict[str, str]:
        """Return the settings for the verbs inside a package build, which must not do with less."""
        return {"SANDBOX": "off" if self.mode == "off" else "required", **self.limits.settings()}

    @property
    def has_walls(self) -> bool:
        """Tell whether walls stand. Raises `UserError` where foreign code must not run."""
        return self._as_root is not None

    @property
    def _as_root(self) -> bool | None:
        """Tell whether root builds the walls, or a user; None where none stand. Raises `UserError`."""
        if self.mode == "off":
            return None
        found, fault = _means()
        if fault and (self.mode == "required" or not _is_build_chroot()):
            raise fault
        return found

    def place(self, inside: str, view: View) -> str:
        """Return where a program finds what has this path inside the walls: without walls, where it is."""
        if self.has_walls:
            return inside
        known = {**view.readable, **view.writable}
        top = max((path for path in known if f"{inside}/".startswith(f"{path}/")), key=len)
        return f"{known[top]}{inside.removeprefix(top)}"

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
        as_root = self._as_root
        keeper = Watch(limits=self.limits, directories=view.own)
        wrapping = (
            nullcontext(None)
            if as_root is None
            else bubblewrap.command(words, view, self.limits, directory, as_root=as_root)
        )
        with _Output(log, self.limits, watch) as output, wrapping as wrapped:
            # Libraries that are preloaded (fakeroot's) would tell bubblewrap that somebody else runs it.
            preloaded = {name: value for name, value in environment.items() if name == "LD_PRELOAD" and wrapped}
            try:
                status = process.supervise(
                    wrapped.with_variables(preloaded) if wrapped else words,
                    output.add,
                    keeper.look,
                    cwd=None if wrapped else directory,
                    env={name: value for name, value in environment.items() if name not in preloaded},
                    pass_fds=wrapped.descriptors if wrapped else (),
                )
            finally:
                if wrapped:
                    wrapped.wait()
            tail = output.end()
        if status:
            raise keeper.explain(tail) or CommandError(words, status, tail)
        return tail


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
    return Sandbox(mode=arguments.sandbox, limits=limits.from_arguments(arguments))


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


def suggestion(output: str) -> str:
    """Return what to do about a build that failed with this output, if it missed the network; else nothing."""
    if not _REFUSED.search(output):
        return ""
    return "builds have no network: vendor what is fetched, or build with a setting that fetches nothing"


class _Output:
    """What a run prints: all of it in a log as it comes, the end of it for messages."""

    def __init__(self, log: Path, most: Limits, watch: Callable[[str], object] | None) -> None:
        self._path, self._most, self._watch = log, most.output, watch
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._count = 0
        self._tail = ""
        self._line = ""

    def __enter__(self) -> _Output:
        # A new file: a link in its place is not followed.
        self._path.unlink(missing_ok=True)
        self._stream = self._path.open("x", encoding="utf-8")
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
        """Return the end of all that was printed."""
        self._write(self._decoder.decode(b"", final=True))
        if self._line:
            self._say(self._line)
        return self._tail

    def _write(self, text: str) -> None:
        text = foreign_text.plain(text)
        self._stream.write(text)
        self._stream.flush()
        self._tail = (self._tail + text)[-_TAIL:]
        *lines, self._line = (self._line + text).split("\n")
        self._line = self._line[-_TAIL:]
        for line in lines:
            self._say(line)

    def _say(self, line: str) -> None:
        console.debug(f"  | {line}")
        if self._watch:
            self._watch(line)


@cache
def _means() -> tuple[bool | None, UserError | None]:
    """Return whether root or a user builds walls here, or the error that says why nobody can."""
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
        return None, error
    fault = ""
    for as_root in (True, False) if os.geteuid() == 0 else (False,):
        fault = _try(as_root=as_root)
        if not fault:
            return as_root, None
    return None, UserError("this machine allows no sandbox, so no foreign code is run", _advice(), fault)


def _try(*, as_root: bool) -> str:
    """Return why a sandbox cannot be made, an empty text where it can."""
    output: list[bytes] = []
    with tempfile.TemporaryDirectory() as directory:
        view = View(temporary=Path(directory))
        try:
            with bubblewrap.command(["true"], view, _TRIED, "/tmp", as_root=as_root) as wrapped:
                if not process.supervise(
                    wrapped.words, output.append, int, env={"PATH": _PATH}, pass_fds=wrapped.descriptors
                ):
                    return ""
        except OSError as error:
            # Ids that are not there, in the user namespace of a container.
            return str(error)
    return b"".join(output).decode("utf-8", "replace").strip() or "bubblewrap failed"


def _advice() -> str:
    """Return what to do where user namespaces are barred, by what bars them."""
    if _kernel_says("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return f"run `make setup`, which lets bubblewrap make them past this system's AppArmor; or, {_OTHERWISE}"
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


def has_network(routes: Path = _ROUTES, routes6: Path = _ROUTES6) -> bool:
    """Tell whether any route leads out of this machine, by proc(5); without such files, it is assumed."""
    if not routes.exists():
        return True
    lines = routes.read_text(encoding="ascii").splitlines()[1:]
    devices = [line.split()[0] for line in lines if line.strip()]
    if routes6.exists():
        devices += [line.split()[-1] for line in routes6.read_text(encoding="ascii").splitlines() if line.strip()]
    return any(device != "lo" for device in devices)
