#!/usr/bin/env python3
"""Make a service project with this toolkit as its submodule, vendor what it needs and build its Debian package."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from toolkit import files, outer_make, process, settings, templates, ui

SERVICE = "example-service"
PERSON = "Example Developer <developer@example.com>"
#: Commits are made whoever the user is; the submodule is cloned from a directory, which git allows only when told.
GIT_SETTINGS = ("user.name=Example Developer", "user.email=developer@example.com", "commit.gpgSign=false",
                "init.defaultBranch=main", "protocol.file.allow=always")


def git(directory: Path, *words: str | Path) -> str:
    """Run git in a directory and return what it printed."""
    given = [word for setting in GIT_SETTINGS for word in ("-c", setting)]
    return process.run(["git", *given, "-C", directory, *words])


def read_head(toolkit: Path) -> str:
    """Return the commit of the toolkit that the example will use, and say so where the work tree differs from it."""
    try:
        head = process.read(["git", "-C", toolkit, "rev-parse", "HEAD"]).strip()
    except process.CommandFailed as error:
        raise ui.UserError(f"{toolkit}: not a git repository, so it cannot become a submodule",
                           "get the toolkit with `git clone`", error.output) from None
    if process.read(["git", "-C", toolkit, "status", "--porcelain", "--untracked-files=no"]).strip():
        ui.warn(f"the example uses the commit {head[:12]}; changes that are not committed are not in it")
    return head


def create(directory: Path, toolkit: Path, head: str, namespace: str) -> None:
    """Make the project: a git repository with the toolkit in common/ and one service, all committed."""
    with files.temporary_directory(directory.parent, ".example-") as scratch:
        project = scratch / directory.name
        values = {**templates.names(SERVICE, namespace), **_circumstances()}
        templates.render(toolkit / "templates" / "project", project, values)
        git(project, "init", "--quiet")
        git(project, "submodule", "--quiet", "add", toolkit, "common")
        git(project / "common", "checkout", "--quiet", "--detach", head)
        commit(project, "A service")
        os.rename(project, directory)


def _circumstances() -> dict[str, str]:
    now = datetime.now(UTC)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {"maintainer": PERSON, "date": format_datetime(now), "year": str(now.year), "python": python}


def update(directory: Path, toolkit: Path, head: str) -> None:
    """Move the submodule of an example that is there already to the commit `head`; all else stays as it is."""
    git(directory / "common", "fetch", "--quiet", toolkit, head)
    git(directory / "common", "checkout", "--quiet", "--detach", head)


def commit(directory: Path, message: str, *paths: str) -> None:
    """Commit what is new below `paths` (default: everything), if anything is."""
    chosen = paths or (".",)
    git(directory, "add", "--all", "--", *chosen)
    if git(directory, "status", "--porcelain", "--", *chosen):
        git(directory, "commit", "--quiet", "--message", message, "--", *chosen)


def make(directory: Path, target: str) -> None:
    """Run make in the project, with the settings that this script's own make was given."""
    ui.step("MAKE", target)
    words = ["make", "--no-print-directory", target, f"V={ui.verbosity}"]
    try:
        process.run(words, cwd=directory, env=outer_make.environment(), stream=True)
    except process.CommandFailed:
        # It has said itself what is wrong.
        sys.exit(1)


def tell(directory: Path, namespace: str, seconds: float) -> None:
    """Say what was built and how to use it."""
    package = templates.names(SERVICE, namespace)["package"]
    built = max((directory / "dist").glob(f"{package}_*.deb"), key=lambda path: path.stat().st_mtime)
    ui.note(f"""
{_shown(directory)} is a service project, and this is its package, made in {seconds:.0f} s:
    {_shown(built)}
Install it, and it runs (without systemd, start {package} by hand):
    sudo apt-get install {_shown(built)}
    python3 -c 'import urllib.request as u; print(u.urlopen("http://127.0.0.1:8080/").read().decode())'
Change it:
    cd {_shown(directory)} && make help""")


def _shown(path: Path) -> str:
    # apt takes a name for a file only when it has a slash at its beginning, or `./`.
    return f"./{path.relative_to(Path.cwd())}" if path.is_relative_to(Path.cwd()) else str(path)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = settings.parser(__doc__ or "")
    parser.add_argument("--directory", type=Path, required=True, help="where the project is, or will be")
    return parser


def main(argv: Sequence[str]) -> int:
    """Make the example, or bring one that is there up to date, and build its package."""
    arguments = build_parser().parse_args(argv)
    chosen = settings.from_arguments(arguments)
    directory, start = arguments.directory.absolute(), time.monotonic()
    head = read_head(chosen.toolkit)
    if (directory / "common" / ".git").exists():
        ui.step("EXAMPLE", f"{directory} is there already: only its submodule is brought up to date")
        update(directory, chosen.toolkit, head)
    elif directory.exists():
        raise ui.UserError(f"{directory}: there, but not an example", "remove it, or name another place with EXAMPLE=")
    else:
        ui.step("EXAMPLE", str(directory))
        create(directory, chosen.toolkit, head, chosen.namespace)
    make(directory, "vendor")
    commit(directory, "Vendor what the service needs", "common", "vendor")
    make(directory, "deb")
    tell(directory, chosen.namespace, time.monotonic() - start)
    return 0


if __name__ == "__main__":
    sys.exit(ui.run_main(lambda: main(sys.argv[1:])))
