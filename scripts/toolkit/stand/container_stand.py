"""A stand that is a container on this machine: made in seconds, by the roles of all stands. Linux only."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import console, debian_packages, files, process, root
from toolkit.core.errors import UserError
from toolkit.debian import chroot, suites
from toolkit.project.settings import Settings
from toolkit.stand import base, container, provisioning
from toolkit.stand.base import Access, StandOptions
from toolkit.stand.container import Container

#: Packages by which a container boots and lets Ansible in, beside those of every stand.
_PACKAGES = ("dbus", "libpam-systemd", "openssh-server", "python3", "python3-apt", "systemd-sysv")
#: For how many seconds ssh may take to get into a container that has booted.
_PATIENCE = 60


@dataclass(frozen=True, kw_only=True)
class ContainerStand:
    """The stand of a project in a container."""

    settings: Settings
    options: StandOptions

    @property
    def name(self) -> str:
        """Return its name."""
        return base.name_of(self.settings, self.options)

    @property
    def directory(self) -> Path:
        """Return the directory of its keys."""
        return files.cache_root() / "stands" / self.name

    def up(self) -> tuple[str, ...]:
        """Make it where there is none, start it and provision it; return the tasks that changed something."""
        debian_packages.require(
            "a stand in a container needs",
            *("systemd-nspawn", "ssh", "ssh-keygen"),
            otherwise="on other systems than Linux, STAND=vagrant",
        )
        base.require_toolkit_inside(self.settings)
        if not container.is_running(self.name):
            self._boot()
        access = self.access()
        self._wait(access)
        return provisioning.run(access, self.settings, self.options)

    def access(self) -> Access:
        """Return the access to it. Raises `UserError` when it does not run."""
        if not container.is_running(self.name):
            raise UserError("the stand of this project does not run", "`make stand` makes and starts it")
        return Access(host=self.name, user=container.USER, config=self.directory / "ssh_config")

    def destroy(self) -> None:
        """End it, and remove all that belongs to it; one that is not there is no error."""
        if (container.ROOT / self.name).is_dir():
            console.step("STAND", f"{self.name}: is ended and removed")
            _as_root("end-container", self.name)
        files.remove(self.directory)

    def _wait(self, access: Access) -> None:
        """Wait until ssh gets into it. Raises `UserError` with the output of ssh when it does not."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                access.read("true")
                return
            except process.CommandError as error:
                if time.monotonic() > deadline or not container.is_running(self.name):
                    raise UserError(
                        "the stand runs, but cannot be entered by ssh",
                        "`make stand-destroy`, then `make stand`, makes it again",
                        error.output,
                    ) from None
            time.sleep(0.1)

    def _boot(self) -> None:
        suite = self.options.suite or suites.own()
        tarball = self._tarball(suite)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        port = self._port()
        for name in ("key", "host_key"):
            if not (self.directory / name).is_file():
                keygen = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "stand", "-f")
                process.run([*keygen, self.directory / name])
        self._write_configuration(port)
        described = Container(
            name=self.name,
            tarball=str(tarball),
            project=str(self.settings.project),
            uid=self.settings.project.stat().st_uid or 1000,
            port=port,
            authorized_key=self._text("key.pub"),
            host_key=self._text("host_key"),
            store=str(files.cache_root() / "store"),
        )
        # It holds the container's own key, and is for root alone to read.
        container.write(described, self.directory / "container.json")
        files.write_atomic(self.directory / "suite", suite)
        console.step("STAND", f"{self.name}: {suite}, on port {port} of this machine")
        _as_root("boot-container", str(self.directory / "container.json"))

    def _text(self, name: str) -> str:
        return (self.directory / name).read_text(encoding="utf-8")

    def _tarball(self, suite: str) -> Path:
        """Return the tarball that the container is made of; none is made where it exists, with this suite."""
        if (container.ROOT / self.name / "root").is_dir():
            if (self.directory / "suite").is_file() and self._text("suite") != suite:
                raise UserError(
                    f"the stand of this project is {self._text('suite')}, not {suite}",
                    "`make stand-destroy` first; all that is in it will be gone",
                )
            return Path(os.devnull)
        packages = dict.fromkeys([*_PACKAGES, *debian_packages.read(["build", "develop", "guest"])])
        recipe = chroot.minimal(suite, self.options.mirror, packages)
        return chroot.provide(recipe, self.settings, self.options.max_age).path

    def _port(self) -> int:
        """Return the port asked for, else the last one, else a free one. Raises `UserError` when it is in use."""
        noted, chosen = self.directory / "port", self.options.port
        last = int(self._text("port")) if noted.is_file() else 0
        try:
            port = base.free_port(chosen or last)
        except OSError:
            if chosen:
                raise UserError(
                    f"STAND_PORT={chosen}: in use on this machine",
                    "name another one, or none: a free one is taken then",
                ) from None
            port = base.free_port()
        files.write_atomic(noted, str(port))
        return port

    def _write_configuration(self, port: int) -> None:
        key = self._text("host_key.pub")
        files.write_atomic(self.directory / "known_hosts", f"[127.0.0.1]:{port} {key}")
        lines = [
            f"Host {self.name}",
            "HostName 127.0.0.1",
            f"Port {port}",
            f"User {container.USER}",
            f'IdentityFile "{self.directory}/key"',
            "IdentitiesOnly yes",
            "StrictHostKeyChecking yes",
            f'UserKnownHostsFile "{self.directory}/known_hosts"',
            "ForwardAgent yes",
            "SendEnv LANG LC_*",
            "LogLevel ERROR",
        ]
        files.write_atomic(self.directory / "ssh_config", "".join(f"{line}\n" for line in lines))


def _as_root(*words: str) -> None:
    """Run a verb that needs root, and exit with 1 when it fails: it prints its own error."""
    command = root.command(*words)
    if os.geteuid() != 0:
        console.note("  through sudo, which may ask for your password")
    if process.run_at_terminal(command):
        sys.exit(1)
