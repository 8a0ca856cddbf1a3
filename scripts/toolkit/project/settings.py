"""The settings common to all verbs: the project, its names and the verbosity; and the defaults of all settings."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from toolkit.core import console
from toolkit.core.errors import UserError

#: The checkout that this runs from.
TOOLKIT = Path(__file__).resolve().parents[3]
#: What the name of a setting starts with in the environment, where the name alone may be any program's.
IN_ENVIRONMENT = "PYTHON_COMMON_"
_FLAG = {**dict.fromkeys(("1", "yes", "true", "on"), True), **dict.fromkeys(("", "0", "no", "false", "off"), False)}


@cache
def _defaults() -> dict[str, str]:
    makefile = (TOOLKIT / "project.mk").read_text(encoding="utf-8")
    return dict(re.findall(r"^([A-Z0-9_]+) \?= ?(.*)$", makefile, re.MULTILINE))


def default_of(name: str) -> str:
    """Return the default of a setting. It stands in the makefile alone, where `make help` finds it without Python."""
    return _defaults()[name]


def words(text: str) -> tuple[str, ...]:
    """Return what the value of a setting names, with blanks or commas between."""
    return tuple(text.replace(",", " ").split())


def flag(setting: str, value: str) -> bool:
    """Return whether a setting that is a yes or a no is a yes. Raises `UserError` for what is neither."""
    found = _FLAG.get(value.strip().lower())
    if found is None:
        raise UserError(f"{setting}={value}: neither a yes nor a no", f"write 1 or 0 (yes or no): {setting}=1")
    return found


def exported(settings: Mapping[str, str]) -> dict[str, str]:
    """Return settings as variables of the environment, for a make that this toolkit starts."""
    return {f"{IN_ENVIRONMENT}{name}": value for name, value in settings.items()}


def number(setting: str, what: str, example: int, *, least: int = 1) -> Callable[[str], int]:
    """Return what reads the value of a setting that is `what`, such as "a number of days", and at least `least`."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or int(text) < least:
            raise UserError(f"{setting}={text}: not {what}", f"write {least} or more: {setting}={example}")
        return int(text)

    return read


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings common to all verbs.

    `project` is the absolute path of the project; `toolkit` that of this toolkit's checkout; `packages` and `services`
    are directories given by the user instead of discovery (empty: discover); `namespace` is both the directory below
    /usr/lib and the prefix of the scripts that are linked into /usr/bin; `build_directory` replaces build/.
    """

    project: Path
    toolkit: Path = TOOLKIT
    namespace: str = field(default_factory=lambda: default_of("NAMESPACE"))
    packages: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    build_directory: Path | None = None

    @property
    def vendor(self) -> Path:
        """Return the directory of the vendored files."""
        return self.project / "vendor"

    @property
    def build(self) -> Path:
        """Return the directory for intermediate results."""
        return self.build_directory or self.project / "build"

    @property
    def dist(self) -> Path:
        """Return the directory for finished packages."""
        return self.project / "dist"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options common to all verbs."""
    group = parser.add_argument_group("common options")
    group.add_argument("--project", type=Path, default=Path.cwd(), metavar="DIR", help="the project (default: here)")
    group.add_argument("--packages", default="", metavar="DIRS", help="package directories instead of discovery")
    group.add_argument("--services", default="", metavar="DIRS", help="service directories instead of discovery")
    group.add_argument(
        "--build-directory",
        type=Path,
        metavar="DIR",
        help="where intermediate results go (default: build/ of the project)",
    )
    group.add_argument(
        "--namespace",
        type=_namespace,
        default=default_of("NAMESPACE"),
        help="directory below /usr/lib and prefix of the scripts (default: %(default)s)",
    )
    group.add_argument(
        "--verbosity",
        "-V",
        type=_verbosity,
        default=default_of("V"),
        help="0: errors only, 2: every command (default: %(default)s)",
    )


def add_reports(parser: argparse.ArgumentParser) -> None:
    """Add the option for reports that CI systems show; its value is an absolute path, or None."""
    parser.add_argument(
        "--reports",
        type=lambda text: Path(text).absolute() if text else None,
        metavar="DIRECTORY",
        help="where reports for CI systems go (default: nowhere)",
    )


def _namespace(text: str) -> str:
    # It begins the names of packages (Debian Policy 5.6.1), and is a directory.
    if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]*", text):
        raise UserError(
            f"NAMESPACE={text}: not the beginning of a package's name",
            "write lower-case letters and digits: NAMESPACE=acme",
        )
    return text


def _verbosity(text: str) -> int:
    if text not in ("0", "1", "2"):
        raise UserError(f"V={text}: no such verbosity", "write 0 for errors only, 1, or 2 for every command: V=2")
    return int(text)


def from_arguments(arguments: argparse.Namespace) -> Settings:
    """Return the settings of a parsed command line, and set the verbosity."""
    console.verbosity = arguments.verbosity
    return Settings(
        project=arguments.project.resolve(),
        namespace=arguments.namespace,
        packages=tuple(arguments.packages.split()),
        services=tuple(arguments.services.split()),
        build_directory=arguments.build_directory and arguments.build_directory.absolute(),
    )
