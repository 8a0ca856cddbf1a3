"""What a verb says to the verb that runs it: JSON lines on an inherited descriptor.

`make deb` runs dpkg-buildpackage, which runs make, which runs this toolkit again. Neither of these programs, nor dh,
fakeroot or sbuild with its chroot, closes a descriptor that it has inherited. An event is an object with `event`, its
kind; `console` and `progress` know what else each kind has.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Event = Mapping[str, Any]

#: Names the descriptor and its inode: what is in between might have closed it, and opened another file as this number.
VARIABLE = "PYTHON_COMMON_EVENTS"
_END = b'{"event": "end"}\n'

_descriptor = -1
_lock = threading.Lock()


def join() -> None:
    """Send events to the verb that runs this one, if there is one."""
    global _descriptor
    number, _, inode = os.environ.pop(VARIABLE, "").partition(":")
    with contextlib.suppress(OSError, ValueError):
        if os.fstat(int(number)).st_ino == int(inode):
            _descriptor = int(number)
            # No command that this verb runs can say anything in its name.
            os.set_inheritable(_descriptor, False)


def is_joined() -> bool:
    """Tell whether another verb runs this one."""
    return _descriptor >= 0


def send(kind: str, **values: object) -> None:
    """Send an event; nothing happens where nobody listens, or no longer does."""
    if _descriptor >= 0:
        line = json.dumps({"event": kind, **values}).encode() + b"\n"
        with _lock, contextlib.suppress(OSError):
            while line:
                line = line[os.write(_descriptor, line) :]


@dataclass(frozen=True)
class Channel:
    """The sending end of a pipe: what a command needs so that the verbs inside it can `join`."""

    descriptor: int

    @property
    def environment(self) -> dict[str, str]:
        """Return the variable that names it."""
        return {VARIABLE: f"{self.descriptor}:{os.fstat(self.descriptor).st_ino}"}


@contextlib.contextmanager
def listening(receive: Callable[[Event], object]) -> Iterator[Channel]:
    """Call `receive` in a thread with each event that arrives while the block runs, which starts the command."""
    reading, writing = os.pipe()
    thread = threading.Thread(target=_listen, args=(reading, receive), daemon=True)
    thread.start()
    try:
        yield Channel(writing)
    finally:
        # Not by closing it: what a build has left running in the background may hold the other copies for ever.
        with contextlib.suppress(OSError):
            os.write(writing, _END)
        os.close(writing)
        thread.join()


def _listen(reading: int, receive: Callable[[Event], object]) -> None:
    with open(reading, "rb") as lines:
        for line in lines:
            if line.endswith(_END):
                return
            # A build may write anything there.
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict):
                    receive(event)
