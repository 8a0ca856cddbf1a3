"""An example: a service project with this toolkit as its submodule, its vendor/ filled and its Debian package built."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from toolkit.core import console, git, process
from toolkit.core.errors import UserError
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings
from toolkit.scaffold import new_project, templates
from toolkit.scaffold.new_project import Request

SERVICE = "example-service"
SUMMARY = "HTTP service that keeps notes"
#: Commits are made whoever the user is; the submodule is cloned from a directory, which git does not allow by default.
GIT = {
    "user.name": "Example Developer",
    "user.email": "developer@example.com",
    "commit.gpgSign": "false",
    "init.defaultBranch": "main",
    "protocol.file.allow": "always",
}


def make(settings: Settings) -> None:
    """Make the example, or bring one that is there up to date, and build its package."""
    directory, start = settings.project, time.monotonic()
    _set_up_git()
    if (directory / "common" / ".git").exists():
        console.step("EXAMPLE", f"{directory} exists already: only its submodule is brought up to date")
        _update(directory, settings.toolkit)
    elif directory.exists():
        raise UserError(f"{directory}: exists, but is not an example", "remove it, or name another place with EXAMPLE=")
    else:
        console.step("EXAMPLE", str(directory))
        _create(settings)
    for target in ("vendor", "commit-vendor", "deb"):
        _run_make(directory, target)
    _print_use(directory, settings.namespace, time.monotonic() - start)


def _set_up_git() -> None:
    """Give git, and the git of all that is started from here, settings beside the user's own (git-config(1))."""
    for number, (name, value) in enumerate(GIT.items()):
        os.environ.update({f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value})
    os.environ["GIT_CONFIG_COUNT"] = str(len(GIT))


def _create(settings: Settings) -> None:
    """Make the project, as `new-project` does, with an example of a service."""
    request = Request(
        service=SERVICE, toolkit=str(settings.toolkit), ci="gitlab", summary=SUMMARY, overlay=("example",)
    )
    new_project.check(settings.project, request)
    changes = new_project.plan(Project(root=settings.project, packages=()), settings, request)
    new_project.create(settings, request, changes)


def _update(directory: Path, toolkit: Path) -> None:
    """Move the submodule of an existing example to the toolkit's commit; all else stays as it is."""
    head = git.ask(toolkit, "rev-parse", "HEAD")
    git.run(directory / "common", "fetch", "--quiet", toolkit, head)
    git.run(directory / "common", "checkout", "--quiet", "--detach", head)
    if git.ask(directory, "status", "--porcelain", "--", "common"):
        git.run(directory, "commit", "--quiet", "--message", "The toolkit as it is now", "--", "common")


def _run_make(directory: Path, target: str) -> None:
    """Run make in the project, with the settings that this program's own make was given."""
    console.step("MAKE", target)
    words = ["make", "--no-print-directory", target, f"V={console.verbosity}"]
    try:
        process.run(words, cwd=directory, env=process.without_make(), stream=True)
    except process.CommandError:
        # It has printed its own error.
        sys.exit(1)


def _print_use(directory: Path, namespace: str, seconds: float) -> None:
    """Say what was built and how to use it."""
    package = templates.names(SERVICE, namespace)["package"]
    built = max((directory / "dist").glob(f"{package}_*.deb"), key=lambda path: path.stat().st_mtime)
    console.note(f"""
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
