"""Started with a network of its own, by `unshare`: starts a service in a root, asks it, and ends it."""

from __future__ import annotations

import fcntl
import json
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import Any

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def raise_loopback() -> None:
    """Bring up `lo`, which a new network namespace has down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        request = struct.pack("16sh14x", b"lo", 0)
        name, flags = struct.unpack("16sh14x", fcntl.ioctl(handle, SIOCGIFFLAGS, request))
        fcntl.ioctl(handle, SIOCSIFFLAGS, struct.pack("16sh14x", name, flags | IFF_UP))


def ask(url: str, headers: dict[str, str], child: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Ask until there is an answer, for at most 20 seconds or until the service ends."""
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as answer:
                lower = {name.lower(): value for name, value in answer.headers.items()}
                return {"status": answer.status, "headers": lower, "body": answer.read().hex()}
        except urllib.error.URLError:
            if child.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def main() -> None:
    """Do what the one argument, a JSON object, says, and print the answers as JSON."""
    told = json.loads(sys.argv[1])
    raise_loopback()
    command = ["chroot", "--userspec=nobody:nogroup", told["root"], *told["command"]]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr) as child:
        try:
            answers = [ask(told["url"], headers, child) for headers in told["headers"]]
        finally:
            child.terminate()
    assert child.returncode in told["statuses"], f"the service ended with status {child.returncode}"
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
