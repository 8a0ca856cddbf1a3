"""What systemd wants to know, by the protocol of sd_notify(3)."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping


class Notifier:
    """Tells the service manager how the service is; does nothing where there is none, and never waits or raises."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        known = os.environ if environment is None else environment
        path = known.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the zero byte of an abstract socket's name.
        self._path = "\0" + path[1:] if path.startswith("@") else path
        self.watchdog_seconds = _watchdog(known)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) if path else None

    def ready(self) -> None:
        """Say that start-up, or a reload, has finished."""
        self._send("READY=1")

    def reloading(self) -> None:
        """Say that a reload begins; `ready()` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """Say that the service is on its way out."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Say that the service works; due at least every `watchdog_seconds`."""
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """Say in one line what the service is doing, as `systemctl status` shows it."""
        self._send("STATUS=" + " ".join(text.split()))

    def close(self) -> None:
        """Give up the socket."""
        if self._socket:
            self._socket.close()
            self._socket = None

    def _send(self, text: str) -> None:
        if self._socket:
            try:
                flags = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL
                self._socket.sendto(text.encode("utf-8", "replace"), flags, self._path)
            except OSError:
                return  # a manager that does not listen is no reason to stop serving


def _watchdog(environment: Mapping[str, str]) -> float:
    """Return the time-out in seconds that systemd set for this very process, or 0."""
    try:
        seconds = int(environment.get("WATCHDOG_USEC", "0")) / 1e6
        meant = int(environment.get("WATCHDOG_PID", str(os.getpid())))
    except ValueError:
        return 0.0
    return seconds if seconds > 0 and meant == os.getpid() else 0.0
