"""A container that boots: made of a chroot's tarball, started in the background and ended, all as root.

It shares the network of this machine: it needs no bridge, and what listens in it is reached on the same port. Its files
are below `ROOT`, apart from those of the user who asked for it: they belong to root, and nothing else is ever removed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from toolkit.core import files, process, root
from toolkit.core.errors import UserError
from toolkit.stand.ansible_variables import GUEST_PROJECT

#: The user of every container.
USER = "vagrant"
ROOT = Path("/var/lib/python-common/stands")
#: For how many seconds a container may take to come up, and to go down before it is killed.
_PATIENCE = 60
_PROC = Path("/proc")
_WEEK = 7 * 24 * 60 * 60


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container: its name, the tarball that it is made of, its user's id, its ssh server's port, and keys as texts.

    `project` is the directory of the host that it shows; `store` is the host's wheel store, whose recent wheels the
    user starts with.
    """

    name: str
    tarball: str
    project: str
    uid: int
    port: int
    authorized_key: str
    host_key: str
    store: str

    @property
    def hostname(self) -> str:
        """Return its host name; Linux allows 64 characters, gethostname(2)."""
        return self.name[:60]

    @property
    def directory(self) -> Path:
        """Return the directory of all that belongs to it."""
        return ROOT / self.name

    @property
    def root(self) -> Path:
        """Return the root of its file system."""
        return self.directory / "root"


def write(container: Container, path: Path) -> None:
    """Write the description of a container to a file."""
    files.write_atomic(path, json.dumps(asdict(container)))


def read(path: Path) -> Container:
    """Return the container that a file describes."""
    return Container(**json.loads(path.read_text(encoding="utf-8")))


def is_running(name: str) -> bool:
    """Tell whether a container runs; any user may ask."""
    return bool(_supervisor(ROOT / name))


def _supervisor(directory: Path) -> int:
    """Return the process id of the systemd-nspawn of a container; 0 when it does not run."""
    with suppress(OSError, ValueError, KeyError):
        noted = json.loads((directory / "process.json").read_text(encoding="utf-8"))
        if _started(noted["pid"]) == noted["started"]:
            return int(noted["pid"])
    return 0


def _started(pid: int) -> str:
    """Return the start time of a process, which tells it from a later one of the same id; empty for none."""
    with suppress(OSError):
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    return ""


def boot(container: Container) -> None:
    """Make the container where there is none, start it unless it runs, and wait until its init answers.

    Raises `UserError`, with the console's output, when it does not come up; then nothing of it runs.
    """
    container.directory.mkdir(parents=True, exist_ok=True)
    with files.exclusive(container.directory, "start of this stand"):
        if _supervisor(container.directory):
            return
        if not container.root.is_dir():
            _unpack(container)
        _prepare(container)
        _start(container)


def _unpack(container: Container) -> None:
    """Unpack the root under another name first: a run that is killed leaves no half of one."""
    staged = container.directory / ".root"
    _remove(staged)
    staged.mkdir()
    process.run(["tar", "--extract", "--zstd", "--numeric-owner", "--file", container.tarball, "--directory", staged])
    staged.rename(container.root)


def _prepare(container: Container) -> None:
    """Set up the user, the ssh server and the host name in the root; a home that exists is kept."""
    root = container.root
    _write(root / "etc/hostname", f"{container.hostname}\n")
    _write(root / "etc/hosts", f"127.0.0.1 localhost {container.hostname}\n::1 localhost\n")
    _write(root / "etc/sudoers.d/stand", f"{USER} ALL=(ALL) NOPASSWD: ALL\n", 0o440)
    _write(
        root / "etc/ssh/sshd_config.d/stand.conf",
        f"Port {container.port}\nListenAddress 127.0.0.1\nHostKey /etc/ssh/stand_host_key\nPasswordAuthentication no\n",
    )
    _write(root / "etc/ssh/stand_host_key", container.host_key, 0o600)
    home = root / "home" / USER
    is_new = not home.is_dir()
    if is_new:
        useradd = ("useradd", "--create-home", "--non-unique", "--uid", str(container.uid), "--shell", "/bin/bash")
        process.run(["chroot", root, *useradd, USER])
        _seed(home / ".cache/python-common/store", Path(container.store))
    _write(home / ".ssh/authorized_keys", container.authorized_key, 0o600)
    own = ("chown", "--recursive", "--no-dereference", f"--reference={home}")
    process.run([*own, home if is_new else home / ".ssh"])


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(mode=0o700 if path.parent.name == ".ssh" else 0o755, exist_ok=True)
    files.write_atomic(path, text)
    path.chmod(mode)


def _seed(target: Path, store: Path) -> None:
    """Copy the wheels that the host has used within a week: what is the same in the guest is not built again."""
    limit = time.time() - _WEEK
    for entry in store.glob("wheels/*/*"):
        if entry.stat().st_mtime > limit and (entry / "entry.json").is_file():
            shutil.copytree(entry, target / entry.relative_to(store))


def command(container: Container, *, has_systemd: bool) -> list[str]:
    """Return the command that is the container for as long as it runs.

    Only a host that systemd runs on can give the container a unit of its own.
    """
    escaped = container.project.replace("\\", "\\\\").replace(":", "\\:")
    return [
        "systemd-nspawn",
        f"--directory={container.root}",
        f"--machine={container.name}",
        f"--hostname={container.hostname}",
        "--boot",
        "--register=no",
        *([] if has_systemd else ["--keep-unit"]),
        "--console=pipe",
        "--resolv-conf=copy-host",
        "--quiet",
        f"--bind={escaped}:{GUEST_PROJECT}",
    ]


def _start(container: Container) -> None:
    log = container.directory / "log"
    pid = process.start(command(container, has_systemd=Path("/run/systemd/system").is_dir()), log)
    noted = json.dumps({"pid": pid, "started": _started(pid)})
    try:
        files.write_atomic(container.directory / "process.json", noted)
        if not _wait(lambda: not _started(pid) or _has_booted(pid)) or not _started(pid):
            raise UserError(
                "the container did not boot", root.NOT_BOOTED, log.read_text(encoding="utf-8", errors="replace")[-4000:]
            )
    except BaseException:
        _end(pid)
        raise


def _wait(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _init(pid: int) -> int:
    """Return the process id of the init that a systemd-nspawn has started; 0 when there is none yet."""
    with suppress(OSError, IndexError):
        return int((_PROC / str(pid) / "task" / str(pid) / "children").read_text().split()[0])
    return 0


def _has_booted(pid: int) -> bool:
    init = _init(pid)
    return bool(init) and (_PROC / str(init) / "root/run/systemd/private").exists()


def end(name: str) -> None:
    """End a container and remove all that belongs to it; one that is not there is no error."""
    directory = ROOT / Path(name).name
    if directory.is_dir():
        with files.exclusive(directory, "start of this stand"):
            pid = _supervisor(directory)
            if pid:
                _end(pid)
            _remove(directory)


def _end(pid: int) -> None:
    """Shut a container down; kill what is left of it after a while."""
    init = _init(pid)
    # On SIGTERM systemd-nspawn tells the init to power off, systemd-nspawn(1).
    for number, victims in ((signal.SIGTERM, [pid]), (signal.SIGKILL, [init, pid])):
        for victim in filter(None, victims):
            with suppress(ProcessLookupError):
                os.kill(victim, number)
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        if _wait(lambda: not _started(pid)):
            return


def _remove(directory: Path) -> None:
    """Remove a directory, unless something is mounted in it: that would be the host's own files."""
    mounts = [line.split()[4] for line in (_PROC / "self/mountinfo").read_text(encoding="utf-8").splitlines()]
    inside = [path for path in mounts if Path(path).is_relative_to(directory)]
    if inside:
        raise UserError(f"{inside[0]}: still mounted, so the stand is not removed", f"as root: umount {inside[0]}")
    if directory.is_dir():
        shutil.rmtree(directory)
