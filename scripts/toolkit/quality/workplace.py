"""Where tests and linters run: inside the sandbox, with an environment of the wheels and copies of the sources."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from toolkit.build import wheel_build
from toolkit.build.building_options import BuildOptions
from toolkit.core import console, directories, process, secrets
from toolkit.core.errors import UserError
from toolkit.install import service_environment
from toolkit.install.service_environment import ServiceEnvironment
from toolkit.model.names import normalize
from toolkit.sandbox.confined import Sandbox
from toolkit.sandbox.limits import LimitError
from toolkit.sandbox.view import ENVIRONMENT, HOME, ROOT, View

#: Paths inside the walls, at which each thing is on every machine.
SOURCES, CACHE = f"{ROOT}/sources", f"{ROOT}/cache"
#: Short: see `_sources_directory`.
_PREFIX = "workplace-"
_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
#: Variables about this machine, its user and their session, of which nothing is there inside; and those of Python.
_OUTSIDE = re.compile(
    r"HOME|PATH|PWD|OLDPWD|USER|LOGNAME|MAIL|SHELL|TMPDIR|TEMP|TMP|VIRTUAL_ENV|DISPLAY|XAUTHORITY|"
    r"(XDG|SSH|DBUS|WAYLAND|GPG|GIT|CCACHE)_.*|(PYTHON|PYTEST|MYPY|RUFF|PYLINT).*"
)


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """A directory for runs in one environment, installed at `root`; they may change what is in `sources`.

    `cache`, where there is one, is kept from run to run. Without walls everything is where it is outside.
    """

    directory: Path
    sandbox: Sandbox
    root: Path
    site_packages: Path
    cache: Path | None = None

    @property
    def sources(self) -> Path:
        """Return the directory for copies of sources."""
        return self.directory / "sources"

    def run(
        self,
        words: Sequence[str],
        directory: str,
        log: Path,
        watch: Callable[[str], None],
        variables: Mapping[str, str] | None = None,
    ) -> str:
        """Run a module (`words` are its name and its arguments) in a directory of the sources.

        Returns the end of its output, all of which goes to `log`. Raises `CommandError`; `UserError` at a limit.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        for path in self._view.own:
            path.mkdir(parents=True, exist_ok=True)
        python = self.place(f"{ENVIRONMENT}/bin/python")
        try:
            return self.sandbox.run(
                [python, "-B", "-m", *words],
                self._view,
                directory=self.place(f"{SOURCES}/{directory}"),
                environment={**self._variables(), **(variables or {})},
                log=log,
                watch=watch,
            )
        except LimitError as error:
            raise UserError(f"{words[0]} was ended: {error.what}", error.hint, error.details) from error

    def place(self, inside: str) -> str:
        """Return where what is run finds what has this path inside the walls."""
        return self.sandbox.place(inside, self._view)

    @property
    def _view(self) -> View:
        kept = {CACHE: self.cache} if self.cache else {}
        return View(
            temporary=self.directory / "tmp",
            writable={SOURCES: self.sources, HOME: self.directory / "home", **kept},
            readable={
                ENVIRONMENT: self.root,
                **wheel_build.interpreter_files(self.root / "bin" / "python", self.sandbox.hidden),
            },
        )

    def _variables(self) -> dict[str, str]:
        kept = secrets.without(process.without_make())
        environment = self.place(ENVIRONMENT)
        return {
            **{name: value for name, value in kept.items() if not _OUTSIDE.fullmatch(name)},
            "PATH": f"{environment}/bin:{_PATH}",
            "VIRTUAL_ENV": environment,
            **self.sandbox.variables(self._view),
        }


@contextmanager
def made(
    plan: ServiceEnvironment, more: Sequence[Path], options: BuildOptions, scratch: Path, cache: Path | None = None
) -> Iterator[Workplace]:
    """Give the block a workplace below `scratch`, with a service and `more` wheels installed.

    The byte code for its final path will do here. Raises `UserError`.
    """
    wheels: dict[str, Path] = {}
    for wheel in (*plan.wheels, *more):
        # What only developers have must not replace what is shipped.
        wheels.setdefault(normalize(wheel.name.partition("-")[0]), wheel)
    complete = replace(plan, wheels=tuple(wheels.values()))
    if options.sandbox.mode == "off":
        # Builds say it too, but all may be built.
        console.step("SANDBOX", options.sandbox.require())
    with (
        directories.temporary(scratch, _PREFIX) as destination,
        _sources_directory(destination, options.sandbox) as directory,
    ):
        root = destination / "root" / plan.prefix.relative_to("/")
        final = options.sandbox.environment_path(root)
        service_environment.install(complete, destination / "root", options.store, options.jobs, runs_at=final)
        yield Workplace(
            directory=directory,
            sandbox=options.sandbox,
            root=root,
            site_packages=root / plan.interpreter.site_packages,
            cache=cache,
        )


@contextmanager
def _sources_directory(destination: Path, sandbox: Sandbox) -> Iterator[Path]:
    """Give the block the directory of what is run, which has a short path, and nothing of the project above it.

    Where paths are those of this machine, a socket's must fit into 108 bytes (unix(7)), and tools look for settings in
    the directories above.
    """
    if sandbox.has_own_paths:
        yield destination
        return
    parent = Path(tempfile.gettempdir())
    with directories.temporary(parent, _PREFIX) as directory:
        yield directory
