"""Threads that do not keep an interrupted program waiting for work that nobody wants any more."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(
    function: Callable[[Item], Result], items: Iterable[Item], stop: Callable[[], object], threads: int | None = None
) -> list[Result]:
    """Return the results of a function for all items, called side by side; for `stop` and errors see `stopping`."""
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        futures: list[Future[Result]] = []
        with stopping(pool, futures, stop):
            futures += [pool.submit(function, item) for item in items]
            return [future.result() for future in futures]


def ask_each(function: Callable[[Item], Result], items: Sequence[Item], threads: int) -> list[Result]:
    """Return the results of a function for all items, called side by side, when it asks others and writes nothing.

    Neither the first error nor Ctrl-C waits for those who do not answer: their threads end with the program.
    """
    futures: list[Future[Result]] = [Future() for _ in items]
    pending = iter(list(zip(items, futures, strict=True)))

    def work() -> None:
        for item, future in pending:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function(item))
                except Exception as error:
                    future.set_exception(error)

    for _ in range(min(threads, len(items))):
        threading.Thread(target=work, daemon=True).start()
    try:
        for future in wait(futures, return_when=FIRST_EXCEPTION).done:
            future.result()
        return [future.result() for future in futures]
    finally:
        for future in futures:
            future.cancel()


@contextmanager
def beside(function: Callable[[], Result], stop: Callable[[], object]) -> Iterator[Future[Result]]:
    """Call a function beside the block, which gets its future."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(function)
        with stopping(pool, [future], stop):
            yield future


@contextmanager
def stopping(pool: Executor, futures: Collection[Future[Any]], stop: Callable[[], object]) -> Iterator[None]:
    """When the block is left by an exception, Ctrl-C among them: drop what has not begun, and end what has.

    `stop` is called until nothing runs any more: work may be between two things that it can end.
    """
    try:
        yield
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        # Ctrl-C inside of submit() leaves work whose future nobody got, and leaving the pool waits for it.
        stop()
        while not all(future.done() for future in futures):
            stop()
            time.sleep(0.02)
        raise
