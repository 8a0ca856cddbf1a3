"""The last resort: a process that was told to end and did not is ended, with the stacks that show why."""

from __future__ import annotations

import os
import sys
import threading
import traceback

from yc_common import logging

_log = logging.get("yc_common.service")


class Guard:
    """Ends the process when it is not disarmed in time, whatever the event loop or other threads are stuck in."""

    def __init__(self) -> None:
        self._disarmed = threading.Event()
        self._thread: threading.Thread | None = None

    def arm(self, seconds: float) -> None:
        """Start the clock; the first call counts. May be called from a signal handler."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._wait, args=(seconds,), name="service guard", daemon=True)
            self._thread.start()

    def disarm(self) -> None:
        """Stop the clock: the process is ending as it should."""
        self._disarmed.set()

    def _wait(self, seconds: float) -> None:
        if not self._disarmed.wait(seconds):
            _log.critical("did not end in time, ending now", seconds=seconds, stacks=stacks())
            logging.flush(1.0)
            os._exit(1)


def stacks() -> str:
    """Return what every thread is doing."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return "\n".join(
        f"thread {names.get(number, number)}:\n{''.join(traceback.format_stack(frame)[-12:])}"
        for number, frame in sys._current_frames().items()
        if names.get(number) != "service guard"
    )
