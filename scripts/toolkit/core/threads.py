"""Threads that do not keep an interrupted program waiting for work that nobody wants any more."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from toolkit.core import interrupts

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Seconds after which a thread that waits looks whether it has been interrupted.
_LOOK = 0.2


def _nothing() -> None:
    """Let what runs come to its end."""


class Pool:
    """Work in threads of its own; `pool` makes one.

    Nothing here waits for a future, whose lock an interrupt can leave taken (see `interrupts.held`): a `SimpleQueue`,
    which is written in C, has no such moment.
    """

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self._executor = executor
        self._futures: list[Future[Any]] = []
        self._done: SimpleQueue[Future[Any]] = SimpleQueue()
        self._pending = 0

    def submit(self, function: Callable[..., Result], *arguments: object) -> Future[Result]:
        """Let a thread call a function."""
        with interrupts.held():
            future = self._executor.submit(function, *arguments)
            self._futures.append(future)
            self._pending += 1
            future.add_done_callback(self._done.put)
        return future

    def next(self) -> Future[Any]:
        """Wait for the next that is done, and return it."""
        future = _next(self._done)
        self._pending -= 1
        return future

    def finish(self) -> None:
        """Wait for all; raises the first error."""
        while self._pending:
            self.next().result()

    def end(self, stop: Callable[[], object]) -> None:
        """Drop what has not begun, and call `stop` until nothing runs any more."""
        with interrupts.held():
            self._executor.shutdown(wait=False, cancel_futures=True)
            while not all(future.done() for future in self._futures):
                stop()
                time.sleep(0.02)


def _next(done: SimpleQueue[Future[Any]]) -> Future[Any]:
    """Wait for the next that is done.

    A signal that comes just before a lock is waited for, or to another thread, wakes nobody: Python only notes it, for
    the main thread to see (https://docs.python.org/3/library/signal.html#execution-of-python-signal-handlers).
    """
    while True:
        with suppress(Empty):
            return done.get(timeout=_LOOK)


@contextmanager
def pool(threads: int | None = None, stop: Callable[[], object] = _nothing) -> Iterator[Pool]:
    """Give threads (default: as many as there are processors); all of their work is done when the block is over.

    When the block is left by an exception, Ctrl-C among them, what has not begun is dropped, and `stop` is called until
    nothing runs any more: work may be between two things that it can end. An error of the work is such an exception.
    """
    with ThreadPoolExecutor(threads or os.cpu_count()) as executor:
        made = Pool(executor)
        try:
            yield made
            made.finish()
        except BaseException:
            made.end(stop)
            raise


def each(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    stop: Callable[[], object] = _nothing,
    threads: int | None = None,
) -> list[Result]:
    """Return the results of a function for all items, called side by side; for `stop` and errors see `pool`."""
    with pool(threads, stop) as made:
        futures = [made.submit(function, item) for item in items]
    return [future.result() for future in futures]


def ask_each(function: Callable[[Item], Result], items: Sequence[Item], threads: int) -> list[Result]:
    """Return the results of a function for all items, called side by side, when it asks others and writes nothing.

    Neither the first error nor Ctrl-C waits for those who do not answer: their threads end with the program.
    """
    futures: list[Future[Result]] = [Future() for _ in items]
    done: SimpleQueue[Future[Any]] = SimpleQueue()
    pending = iter(list(zip(items, futures, strict=True)))

    def work() -> None:
        for item, future in pending:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function(item))
                except Exception as error:
                    future.set_exception(error)

    for future in futures:
        future.add_done_callback(done.put)
    for _ in range(min(threads, len(items))):
        threading.Thread(target=work, daemon=True).start()
    try:
        for _ in futures:
            _next(done).result()
        return [future.result() for future in futures]
    finally:
        for future in futures:
            future.cancel()


@contextmanager
def beside(function: Callable[[], Result], stop: Callable[[], object]) -> Iterator[Callable[[], Result]]:
    """Call a function beside the block, which gets a function that waits for its result; see `pool`."""
    with pool(1, stop) as made:
        future = made.submit(function)

        def result() -> Result:
            made.finish()
            return future.result()

        yield result
