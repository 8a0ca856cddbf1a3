"""Run one command where it can harm nobody, and report what was left of it. Usage: ward.py REQUEST.json

It is to be process 1 of a process namespace of its own: whatever the command starts, and however far away it forks,
becomes a child of this one, can signal nobody else, and ends with it. The request: {"argv", "cwd", "env", "uid",
"gid", "seconds": limit of time, "kill_after": seconds or null, "bystander": argv or null, "output": file, "report":
file}.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

#: How long what a killed command started may take to end.
GRACE = 3.0


def others(known: set[int]) -> dict[int, tuple[str, int]]:
    """Return the living processes of this namespace, but for this one and known ones: name and resident bytes."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) not in known:
            with contextlib.suppress(OSError, ValueError, IndexError):
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as stream:
                    fields = stream.read().rpartition(")")[2].split()
                if fields[0] in "ZX":
                    continue
                with open(f"/proc/{entry}/cmdline", "rb") as command:
                    words = command.read().replace(b"\0", b" ").decode(errors="replace").strip()
                found[int(entry)] = (words, int(fields[21]) * 4096)
    return found


def reap(main: int) -> int | None:
    """Collect what has ended, and return the status of the main process if it has."""
    status = None
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, code = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            if pid == main:
                status = os.waitstatus_to_exitcode(code)
    return status


def mounts() -> list[str]:
    """Return the mount points of this namespace."""
    with open("/proc/self/mountinfo", encoding="utf-8") as stream:
        return sorted(line.split()[4] for line in stream)


def keys() -> str:
    """Return the kernel's list of keys, where it has one."""
    with contextlib.suppress(OSError), open("/proc/keys", encoding="utf-8", errors="replace") as stream:
        return stream.read()
    return ""


def start(request: Any, argv: list[str], output: Any) -> "subprocess.Popen[bytes]":
    """Start a command as the user it is for, in a session of its own."""
    identity: dict[str, Any] = {}
    if request["uid"] != os.geteuid():
        identity = {"user": request["uid"], "group": request["gid"], "extra_groups": []}
    started: subprocess.Popen[bytes] = subprocess.Popen(
        argv,
        cwd=request["cwd"],
        env=request["env"],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        umask=0o022,
        **identity,
    )
    return started


def main(path: str) -> None:
    """Carry out the request."""
    with open(path, encoding="utf-8") as stream:
        request = json.load(stream)
    before = mounts()
    beside = start(request, request["bystander"], subprocess.DEVNULL) if request["bystander"] else None
    known = {1, beside.pid} if beside else {1}
    host = os.uname().nodename
    with open(request["output"], "wb") as output:
        command = start(request, request["argv"], output)
    began, status, killed, late = time.monotonic(), None, False, False
    most_memory = most_processes = 0
    toolkit_memory = 0
    while status is None:
        status = reap(command.pid)
        elapsed = time.monotonic() - began
        if request["kill_after"] is not None and elapsed >= request["kill_after"] and not killed and status is None:
            killed = True
            os.killpg(command.pid, signal.SIGKILL)
        if elapsed > request["seconds"] and status is None:
            late = True
            os.killpg(command.pid, signal.SIGKILL)
            time.sleep(0.05)
        if request["kill_after"] is None:
            running = others(known)
            most_memory = max(most_memory, sum(size for _, size in running.values()))
            most_processes = max(most_processes, len(running))
            own = [size for words, size in running.values() if "verb.py" in words and "hook" not in words]
            toolkit_memory = max([toolkit_memory, *own])
            time.sleep(0.05)
        else:
            time.sleep(0.005)
    ended = time.monotonic()
    left = others(known)
    while left and time.monotonic() < ended + GRACE:
        time.sleep(0.05)
        reap(0)
        left = others(known)
    with open(request["report"], "w", encoding="utf-8") as stream:
        json.dump(
            {
                "status": status,
                "seconds": ended - began,
                "killed": killed,
                "late": late,
                "left": [words for words, _ in left.values()],
                "mounted": [place for place in mounts() if place not in before],
                "bystander": beside is None or beside.pid in others({1}),
                "host_changed": os.uname().nodename != host,
                "keys": keys(),
                "memory": most_memory,
                "toolkit_memory": toolkit_memory,
                "processes": most_processes,
            },
            stream,
        )


if __name__ == "__main__":
    main(sys.argv[1])
