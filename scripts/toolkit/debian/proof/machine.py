"""A machine that boots: a container with systemd and no network but a loopback, which runs a program and ends with it.

Its users are none of this machine's: a range of ids of its own (user_namespaces(7)). Its files are below `ROOT`, for
root alone to enter, and gone afterwards.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from toolkit.core import directories, process, root
from toolkit.core.errors import UserError
from toolkit.debian import build_user

ROOT = Path("/var/lib/python-common/machines")
#: By what a minimal system boots.
PACKAGES = ("dbus", "systemd-sysv")
#: How the program and its tree are called in the machine, and the file that has what it prints.
_TREE, _PROGRAM, _OUTPUT = "/python-common", "debian/tests/lifecycle", "/python-common/output"
_UNIT = f"""\
[Unit]
Description=life of packages
After=multi-user.target
SuccessAction=exit
FailureAction=exit

[Service]
Type=exec
WorkingDirectory={_TREE}
ExecStart={_TREE}/{_PROGRAM}
RuntimeMaxSec=10000
StandardOutput=append:{_OUTPUT}
StandardError=inherit
"""
#: What a system does by itself some time after it has booted; apt can be used by one at a time.
_MASKED = ("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "systemd-tmpfiles-clean.timer")
#: Where systemd does not run, the container is given control groups of its own, which it may hand on to its users.
_GROUPED = """\
for group in "$@"; do
	shift
	test "$group" != -- || break
	mkdir -p "$group"
	echo $$ > "$group/cgroup.procs"
done
exec "$@"
"""
#: Shows what the program prints as it comes, from a file, as a pipe of this machine's cannot be opened in there.
_FOLLOWED = """\
output=$1 console=$2
shift 2
"$@" < /dev/null > "$console" 2>&1 &
# It ends early where nobody reads on, and then so does the machine.
tail --follow --lines=+1 --sleep-interval=0.2 --pid=$! "$output" || kill $!
wait $!
"""


def obstacle() -> str:
    """Return why no machine can be booted here, as far as that is seen without trying; nothing if it can."""
    if not shutil.which("systemd-nspawn", path=build_user.PATH):
        return "systemd-nspawn is missing: apt-get install systemd-container"
    if not root.is_at_hand():
        return "that needs root, or sudo without a password"
    return ""


def run(tree: Path, tarball: Path, output: Path, watch: Callable[[str], None]) -> int:
    """Run the program of a tree in a machine made of a tarball, and return its status.

    `output` receives what was printed, with a line `BOOTED` by the program of a machine that has booted. `watch` is
    called with each line.
    """
    # The whole of it may be more than is kept of what a command prints.
    kept = ["bash", "-o", "pipefail", "-c", '"$@" 2>&1 | tee "$0"', str(output)]
    try:
        process.run([*kept, *root.command("boot-machine", str(tree), str(tarball))], watch=watch)
    except process.CommandError as error:
        return error.status
    return 0


def boot(tree: Path, tarball: Path) -> int:
    """Do, as root, what `run` is for: print what the program prints, and return its status.

    Raises `UserError`, with the output of the console, for a machine that did not boot.
    """
    with directories.temporary(ROOT, "machine-") as place:
        ROOT.chmod(0o700)
        system, console = place / "root", place / "console"
        system.mkdir()
        process.run(["tar", "--extract", "--zstd", "--numeric-owner", "--file", tarball, "--directory", system])
        inside = system / _TREE.lstrip("/")
        shutil.copytree(tree, inside, symlinks=True)
        process.run(["chown", "--recursive", "--no-dereference", "0:0", inside])
        _write(system, "etc/hosts", "127.0.0.1 localhost machine\n::1 localhost\n")
        _write(system, "etc/systemd/system/python-common.service", _UNIT)
        fetch = ["--resolv-conf=copy-host", f"--chdir={_TREE}", f"{_TREE}/{_PROGRAM}", "fetch"]
        masked = [f"systemd.mask={unit}" for unit in _MASKED]
        life = [
            "--private-network",
            "--boot",
            "systemd.wants=python-common.service",
            "systemd.show_status=false",
            *masked,
        ]
        console.touch()
        with _groups(place.name) as groups:
            if status := _follow([*_container(system, groups), *fetch], console, console):
                return status
            # By the time it has ended, another file may be there.
            with (system / _OUTPUT.lstrip("/")).open("x+b") as output:
                status = _follow([*_container(system, groups), *life], Path(output.name), console)
                if not output.read(1):
                    raise UserError(
                        "the machine did not boot",
                        root.NOT_BOOTED,
                        console.read_text(encoding="utf-8", errors="replace")[-4000:],
                    )
                return status


def _write(system: Path, name: str, text: str) -> None:
    """Write a file of a system that is not running; no link in it leads anywhere else."""
    path = system / name
    if path.parent.resolve() != system.resolve() / path.relative_to(system).parent:
        raise UserError(f"/{name}: in the machine, a directory of that is a link", "CHROOT_MAX_AGE=0 makes it again")
    path.unlink(missing_ok=True)
    with path.open("x", encoding="utf-8") as stream:
        stream.write(text)


def _container(system: Path, groups: Sequence[Path]) -> list[str]:
    return [
        *("sh", "-euc", _GROUPED, "sh", *map(str, groups), "--"),
        "systemd-nspawn",
        f"--directory={system}",
        f"--machine=python-common-{os.getpid()}",
        "--hostname=machine",
        "--register=no",
        *(["--keep-unit"] if groups else []),
        "--console=pipe",
        "--quiet",
        "--private-users=pick",
        "--private-users-ownership=auto",
    ]


def _follow(words: Sequence[str], output: Path, console: Path) -> int:
    try:
        process.run(["sh", "-c", _FOLLOWED, "sh", str(output), str(console), *words], stream=True)
    except process.CommandError as error:
        return error.status
    return 0


@contextmanager
def _groups(name: str) -> Iterator[list[Path]]:
    """Yield the control groups to be made for a container, cgroups(7); none where systemd makes them."""
    found = []
    if not Path("/run/systemd/system").is_dir():
        mounted = Path("/sys/fs/cgroup")
        for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, own = line.split(":", 2)
            if controllers in ("", "name=systemd"):
                unified = mounted / "unified" if (mounted / "unified").is_dir() else mounted
                found.append((mounted / "systemd" if controllers else unified) / own.lstrip("/") / name)
    try:
        yield found
    finally:
        for group in found:
            for directory, _, _ in os.walk(group, topdown=False):
                with suppress(OSError):
                    os.rmdir(directory)
