"""Run commands, and a service inside a root of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOOLKIT = Path(__file__).resolve().parents[2]
_INSIDE = Path(__file__).with_name("inside.py")


def run(words: Sequence[str | os.PathLike[str]], cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a command and return what it printed, which is shown when it fails."""
    done = subprocess.run(
        words,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=1800,
    )
    assert done.returncode == 0, f"{' '.join(map(str, words))}\n{done.stdout}"
    return done.stdout


@dataclass(frozen=True)
class Answer:
    """What a service answered: the status, headers in lower case, and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Root:
    """A Debian system in a directory."""

    path: Path

    def run(self, *words: str) -> str:
        """Run a command in it."""
        paths = "/usr/sbin:/usr/bin:/sbin:/bin"
        environment = {"PATH": paths, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        return run([*self._apart(), "chroot", self.path, *words], env=environment)

    def install(self, package: Path) -> None:
        """Install a package file with apt, which fetches what it depends on."""
        target = self.path / "var" / "tmp" / package.name
        target.write_bytes(package.read_bytes())
        self.run("apt-get", "--quiet", "update")
        self.run("apt-get", "--quiet", "--yes", "--no-install-recommends", "install", f"/var/tmp/{package.name}")
        target.unlink()

    def ask(
        self, command: Sequence[str], url: str, headers: Sequence[Mapping[str, str]], statuses: Sequence[int] = (0,)
    ) -> list[Answer]:
        """Start a service as `nobody`, alone in a network of its own, and ask it once for each set of headers.

        `statuses` are those that SIGTERM may end it with.
        """
        more = {"url": url, "headers": headers, "statuses": statuses}
        told = json.dumps({"root": str(self.path), "command": command, **more})
        answers = json.loads(run([*self._apart(), "--net", sys.executable, _INSIDE, told]).splitlines()[-1])
        return [Answer(item["status"], item["headers"], bytes.fromhex(item["body"])) for item in answers]

    def _apart(self) -> list[str]:
        """Return the command that runs another with processes and mounts of its own, which end with it."""
        return ["unshare", f"--mount-proc={self.path / 'proc'}", "--pid", "--fork", "--kill-child"]


def run_installed(packages: Sequence[Path], suite: str, program: str) -> list[str]:
    """Return the lines that are printed as apt installs packages in a minimal system of a suite, and one runs there."""
    installed = " ".join(f"/var/tmp/{package.name}" for package in packages)
    hooks = [
        f"copy-in {' '.join(map(str, packages))} /var/tmp",
        f'chroot "$1" apt-get --quiet --yes --no-install-recommends install {installed}',
        f'chroot "$1" {program}',
    ]
    words = ["--variant=minbase", "--format=null", "--dpkgopt=force-unsafe-io"]
    return run(["mmdebstrap", *words, *(f"--customize-hook={hook}" for hook in hooks), suite, "/dev/null"]).splitlines()
