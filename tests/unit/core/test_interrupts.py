"""Interrupts come late rather than where they do harm, and are not lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit.core import interrupts

_SCRIPTS = Path(interrupts.__file__).parents[2]
_BEGIN = "import os, signal, time, weakref; from toolkit.core import interrupts, threads; interrupts.catch()\n"

_HELD = """
try:
    with interrupts.held():
        with interrupts.held():
            os.kill(os.getpid(), signal.SIGTERM)
        print("inside")
    print("after")
except KeyboardInterrupt:
    print("interrupted")
"""

_SWALLOWED = """
class Thing: pass
thing = Thing()
watcher = weakref.ref(thing, lambda gone: os.kill(os.getpid(), signal.SIGINT))
swallowed = False
try:
    del thing
    swallowed = True
    time.sleep(30)
except KeyboardInterrupt:
    print("swallowed" if swallowed else "raised", "interrupted")
"""

#: The signal that comes again comes while the one that was swallowed is still being told of.
_EARLY = """
import threading
start = threading.Thread.start
threading.Thread.start = lambda thread: (start(thread), time.sleep(0.1))
"""

_IGNORED = """
os.kill(os.getpid(), signal.SIGINT)
print("alive")
"""

#: Interrupts that arrive at any moment while work begins; none may be lost, and none may leave a thread waiting.
_AT_ANY_MOMENT = """
import random, threading
reading, writing = os.pipe()
target = os.getpid()
if not (sender := os.fork()):
    os.close(writing)
    while os.read(reading, 1) and os.getppid() == target:
        end = time.perf_counter() + random.random() * 0.0006
        while time.perf_counter() < end: pass
        os.kill(target, signal.SIGINT)
    os._exit(0)
def work():
    global count
    os.write(writing, b"x")
    count += stop.wait(20)
count = 0
for _ in range(100):
    stop = threading.Event()
    try:
        with threads.pool(1, stop.set) as pool:
            pool.submit(work)
            pool.next()
    except KeyboardInterrupt:
        pass
os.kill(sender, signal.SIGKILL)
print(count)
"""

#: As if it came just before the wait for an answer: the main thread, which would raise it, is not woken.
_UNNOTICED = """
import threading
stop, over = threading.Event(), threading.Event()
def work(_):
    time.sleep(0.2)
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)
    print("in", "time" if stop.wait(20) else "vain")
    over.set()
try:
    {wait}
except KeyboardInterrupt:
    stop.set()
    over.wait(20)
    print("interrupted")
"""


def printed(text: str, *, ignoring: bool = False) -> list[str]:
    """Return the lines that a program prints, which is an ordinary one's child or one of the shell's `&`."""
    done = subprocess.run(
        [sys.executable, "-c", _BEGIN + text],
        env={**os.environ, "PYTHONPATH": str(_SCRIPTS)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=(lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) if ignoring else None,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_an_interrupt_waits_for_the_end_of_the_block() -> None:
    assert printed(_HELD) == ["inside", "interrupted"]


def test_an_interrupt_that_a_callback_swallows_comes_again() -> None:
    assert printed(_SWALLOWED) == ["swallowed", "interrupted"]


def test_an_interrupt_that_comes_again_too_early_is_not_lost() -> None:
    assert printed(_EARLY + _SWALLOWED) == ["swallowed", "interrupted"]


def test_a_background_job_hears_of_the_end_again_too() -> None:
    assert printed(_SWALLOWED.replace("SIGINT", "SIGTERM"), ignoring=True) == ["swallowed", "interrupted"]


def test_a_background_job_keeps_ignoring_ctrl_c() -> None:
    assert printed(_IGNORED, ignoring=True) == ["alive"]


@pytest.mark.parametrize("wait", ["threads.each(work, [1], stop.set)", "threads.ask_each(work, [1], 1)"])
def test_an_interrupt_that_wakes_nobody_is_noticed(wait: str) -> None:
    assert printed(_UNNOTICED.format(wait=wait)) == ["in", "time", "interrupted"]


def test_an_interrupt_at_any_moment_ends_the_work() -> None:
    assert printed(_AT_ANY_MOMENT) == ["100"]
