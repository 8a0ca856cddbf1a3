"""Ctrl-C, and the signals that end a verb as it does: raised where that loses nothing, and never lost themselves."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_held = 0
_late = False
_swallowed = False
_last = int(signal.SIGINT)
_report = sys.unraisablehook


def catch() -> None:
    """Raise `KeyboardInterrupt` for SIGTERM and SIGHUP too, so that temporary files are removed on every way out.

    A signal that is ignored, as a shell's background jobs ignore SIGINT, stays so.
    """
    global _report
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    if sys.unraisablehook is not _again:
        _report, sys.unraisablehook = sys.unraisablehook, _again


@contextmanager
def held() -> Iterator[None]:
    """Put an interrupt off until the block is over.

    CPython raises it between any two instructions, thus also where a `Condition` has been entered and nobody leaves it:
    the threads that share it would wait for ever (https://github.com/python/cpython/issues/74174).
    """
    global _held, _late
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _held += 1
    try:
        yield
    finally:
        _held -= 1
        if _late and not _held:
            _late = False
            raise KeyboardInterrupt


def _interrupt(number: int, frame: FrameType | None) -> None:
    global _late, _last, _swallowed
    if _is_in_again(frame):
        # It would be swallowed here too; the thread sends it once more.
        return
    _last, _swallowed = number, False
    if _held:
        _late = True
    else:
        raise KeyboardInterrupt


def _is_in_again(frame: FrameType | None) -> bool:
    while frame and frame.f_code is not _again.__code__:
        frame = frame.f_back
    return frame is not None


def _again(lost: sys.UnraisableHookArgs) -> None:
    """Interrupt again after an interrupt that a finalizer or a weak reference's callback has swallowed."""
    global _swallowed
    if issubclass(lost.exc_type, KeyboardInterrupt):
        _swallowed = True
        threading.Thread(target=_send, daemon=True).start()
    else:
        _report(lost)


def _send() -> None:
    time.sleep(0.01)
    while _swallowed:
        # Not SIGINT in any case: that may be ignored, and this one was not.
        os.kill(os.getpid(), _last)
        time.sleep(0.01)
