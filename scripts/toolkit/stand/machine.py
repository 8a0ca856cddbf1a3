"""A container that boots: made of a chroot's tarball, started in the background and ended, all as root.

It has the network of this machine, so that it needs no bridge, and what listens in it is reached on the same port. Its
own files are below `ROOT`, apart from whoever asked for it: they belong to root, and nothing else is ever removed.
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

from toolkit.core import files, process
from toolkit.core.errors import UserError
from toolkit.stand import machine_root
from toolkit.stand.machine_root import Guest

ROOT = Path("/var/lib/python-common/stands")
#: For how many seconds a machine may take to come up, and to go down before it is killed.
_PATIENCE = 60
_PROC = Path("/proc")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A container: its name, the tarball that it is made of, the directories of the host that it sees, and its guest.

    `binds` are pairs of a directory of the host and where it is in the container.
    """

    name: str
    tarball: str
    binds: tuple[tuple[str, str], ...]
    guest: Guest

    @property
    def directory(self) -> Path:
        """Return where all that belongs to it is kept."""
        return ROOT / self.name

    @property
    def root(self) -> Path:
        """Return the root of its file system."""
        return self.directory / "root"

    @property
    def log(self) -> Path:
        """Return the file with what it says while it boots."""
        return self.directory / "log"


def write(machine: Machine, path: Path) -> None:
    """Write a machine down for `read`."""
    files.write_atomic(path, json.dumps(asdict(machine)))


def read(path: Path) -> Machine:
    """Return the machine that was written to a file."""
    told = json.loads(path.read_text(encoding="utf-8"))
    return Machine(
        name=told["name"],
        tarball=told["tarball"],
        guest=Guest(**told["guest"]),
        binds=tuple((source, target) for source, target in told["binds"]),
    )


def is_running(name: str) -> bool:
    """Tell whether a machine runs; anyone may ask."""
    return bool(_supervisor(ROOT / name))


def _supervisor(directory: Path) -> int:
    """Return the process id of the systemd-nspawn of a machine; 0 when it does not run."""
    with suppress(OSError, ValueError, KeyError):
        noted = json.loads((directory / "process.json").read_text(encoding="utf-8"))
        if _started(noted["pid"]) == noted["started"]:
            return int(noted["pid"])
    return 0


def _started(pid: int) -> str:
    """Return when a process started, which tells it from another one that has its number by now; empty for none."""
    with suppress(OSError):
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    return ""


def boot(machine: Machine) -> None:
    """Make the machine where there is none, start it unless it runs, and wait until its init can be talked to.

    Raises `UserError`, with what it said, when it does not come up; then nothing of it runs.
    """
    machine.directory.mkdir(parents=True, exist_ok=True)
    with files.exclusive(machine.directory, "start of this stand"):
        if _supervisor(machine.directory):
            return
        if not machine.root.is_dir():
            _unpack(machine)
        machine_root.prepare(machine.root, machine.guest)
        _start(machine)


def _unpack(machine: Machine) -> None:
    """Make the root; a run that is killed meanwhile leaves none."""
    staged = machine.directory / ".root"
    _remove(staged)
    staged.mkdir()
    process.run(["tar", "--extract", "--zstd", "--numeric-owner", "--file", machine.tarball, "--directory", staged])
    staged.rename(machine.root)


def command(machine: Machine, *, has_systemd: bool) -> list[str]:
    """Return the command that is the machine for as long as it runs.

    Where systemd does not run on the host, there is nobody to give the machine a unit of its own.
    """
    binds = [f"--bind={_escaped(source)}:{_escaped(target)}" for source, target in machine.binds]
    return [
        "systemd-nspawn",
        f"--directory={machine.root}",
        f"--machine={machine.name}",
        f"--hostname={machine.guest.hostname}",
        "--boot",
        "--register=no",
        *([] if has_systemd else ["--keep-unit"]),
        "--console=pipe",
        "--resolv-conf=copy-host",
        "--quiet",
        *binds,
    ]


def _escaped(path: str) -> str:
    return path.replace("\\", "\\\\").replace(":", "\\:")


def _start(machine: Machine) -> None:
    pid = process.start(command(machine, has_systemd=Path("/run/systemd/system").is_dir()), machine.log)
    noted = json.dumps({"pid": pid, "started": _started(pid)})
    try:
        files.write_atomic(machine.directory / "process.json", noted)
        if not _wait(lambda: not _started(pid) or _has_booted(pid)) or not _started(pid):
            said = machine.log.read_text(encoding="utf-8", errors="replace")
            raise UserError(
                "the container did not boot",
                "it needs a kernel that lets root mount: where this is a container, a privileged one",
                said[-4000:],
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
    """End a machine and remove all that belongs to it; one that is not there is no error."""
    directory = ROOT / Path(name).name
    if directory.is_dir():
        with files.exclusive(directory, "start of this stand"):
            pid = _supervisor(directory)
            if pid:
                _end(pid)
            _remove(directory)


def _end(pid: int) -> None:
    """Shut a machine down; kill what is left of it after a while."""
    init = _init(pid)
    # On SIGTERM systemd-nspawn tells the init to power off.
    for number, victims in ((signal.SIGTERM, [pid]), (signal.SIGKILL, [init, pid])):
        for victim in filter(None, victims):
            with suppress(ProcessLookupError):
                os.kill(victim, number)
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        if _wait(lambda: not _started(pid)):
            return


def _remove(directory: Path) -> None:
    """Remove a directory in which nothing is mounted: what is would be the host's own files."""
    mounts = [line.split()[4] for line in (_PROC / "self/mountinfo").read_text(encoding="utf-8").splitlines()]
    inside = [path for path in mounts if Path(path).is_relative_to(directory)]
    if inside:
        raise UserError(f"{inside[0]}: still mounted, so the stand is not removed", f"as root: umount {inside[0]}")
    if directory.is_dir():
        shutil.rmtree(directory)
