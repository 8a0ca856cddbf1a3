"""What can be seen from outside of an attack: files that changed, secrets that got out, callers, messages."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tests.torture import seats
from tests.torture.listeners import Listeners
from tests.torture.seats import Done, Seat

#: Where everybody, or root, may write, and no build should.
PUBLIC = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/run/lock")
SYSTEM = ("/etc", "/usr/lib", "/usr/local/lib", "/opt", "/srv", "/var/lib", "/var/cache", "/boot", "/mnt", "/", "/root")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_MARKER = re.compile(r"torture-marker-\d+-\d+")


def messages(done: Done, *, forged: str = "") -> Iterator[str]:
    """Yield what is wrong with what a verb printed; `forged` is text that it must not say as its own."""
    lines = done.output.split("\n")
    if done.seen["late"]:
        yield f"it never ended (killed after {done.seen['seconds']:.0f} s)"
    elif done.status and len(done.errors) != 1:
        yield f"status {done.status} with {len(done.errors)} errors"
    elif done.status and not any(line.startswith(" hint: ") for line in lines):
        yield "an error without a hint"
    if any(line.startswith("Traceback") for line in lines):
        yield f"a traceback: {lines[-3] if len(lines) > 2 else ''}"
    controls = _CONTROLS.search(done.output)
    if controls:
        yield f"{controls.group()!r} was printed"
    own = [line for line in lines if re.match(r"(error|warning| hint|waiting): |  [A-Z]+ ", line)]
    # A value may be quoted.
    if forged and any(forged in re.sub("`[^`]*`", "", line) for line in own):
        yield f"it was made to say {forged!r}"
    if done.seen["output"] > 10_000_000:
        yield f"it printed {done.seen['output'] / 1e6:.0f} MB"


def processes(done: Done) -> Iterator[str]:
    """Yield what a command did to other processes, and what it left."""
    if done.seen["left"]:
        yield f"left running: {done.seen['left'][0][:80]!r}"
    if done.seen["mounted"]:
        yield f"left mounted: {done.seen['mounted'][0]}"
    if not done.seen["bystander"]:
        yield "a process beside it was ended"
    if done.seen["host_changed"]:
        yield "the name of the host was changed"
    if _MARKER.search(done.seen["keys"]):
        yield "a key was left in the keyring"
    if done.status is not None and done.status < 0 and not done.seen["late"]:
        yield f"make itself was ended by signal {-done.status}"
    if done.seen["toolkit_memory"] > 1e9:
        yield f"the toolkit grew to {done.seen['toolkit_memory'] / 1e6:.0f} MB"


def leaks(seat: Seat, done: Done) -> Iterator[str]:
    """Yield where a secret got out: to the output, to logs, to wheels and packages."""
    told = ("LEAK " + seat.secret.encode().hex()).encode()
    texts = [("output", done.output.encode())]
    texts += [(str(path.name), path.read_bytes()[:50_000_000]) for path in (seat.project / "build").rglob("*.log")]
    for name, text in texts:
        if told in text:
            yield f"a secret was read (in the {name})"
        elif seat.secret.encode() in text:
            yield f"a secret stands in the {name}"
        allowed = re.search(rb"^.{0,20}ALLOWED (.{0,150})", text, re.MULTILINE)
        if allowed:
            yield f"allowed: {allowed[1].decode(errors='replace')}"
            break


def markers(seat: Seat, marker: str) -> Iterator[str]:
    """Yield where the marker is, and remove it."""
    for directory in (*PUBLIC, *SYSTEM):
        path = Path(directory, marker)
        if os.path.lexists(path):
            yield f"{path} was written"
            seats.remove(path)
    for parent, folders, names in os.walk(seat.root):
        if marker in (*folders, *names):
            yield f"{os.path.relpath(parent, seat.root)}/ was written to"
            seats.remove(Path(parent, marker))


def calls(listeners: Listeners, case: str) -> Iterator[str]:
    """Yield that somebody was called."""
    if listeners.heard_of(case):
        yield "a server of this machine was called"
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("198.51.100.77", 0))
        yield "the network of this machine was changed"


def products(seat: Seat) -> Iterator[str]:
    """Yield what is wrong with the wheels and packages that were made."""
    for path in [*seat.cache.glob("store/**/*.whl"), *seat.project.glob("build/**/*.whl")]:
        if path.is_symlink() or not path.is_file():
            yield f"{path.name} is no file"
            continue
        try:
            with zipfile.ZipFile(path) as wheel:
                names = wheel.namelist()
        except zipfile.BadZipFile:
            yield f"{path.name} in {path.parents[2].name}/ is no wheel"
            continue
        if any(name.startswith("/") or ".." in name.split("/") for name in names):
            yield f"{path.name} in the store has members that lead out"
    for path in seat.project.glob("dist/*.deb"):
        listing = seat.run(["dpkg-deb", "--contents", str(path)])
        if any(line[3] in "sS" or line[6] in "sS" or line[0] in "bcp" for line in listing.splitlines()):
            yield f"{path.name} has setuid files or devices"
    for parent, _, names in os.walk(seat.project / "build"):
        for name in names:
            mode = os.lstat(os.path.join(parent, name)).st_mode
            if stat.S_ISBLK(mode) or stat.S_ISCHR(mode) or (stat.S_ISREG(mode) and mode & 0o6000):
                yield f"build/ has a device or a setuid file: {name!r}"
