"""What a running service offers to the code that makes it up."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack, contextmanager
from contextvars import copy_context
from typing import Any, Generic, Literal, TypeVar

from yc_common import logging
from yc_common.service._notify import Notifier

C = TypeVar("C")
T = TypeVar("T")
Hook = Callable[[], Awaitable[object] | object]
Check = Callable[[], Awaitable[object] | object]
ReloadHook = Callable[[C], Awaitable[object] | object]
Phase = Literal["starting", "ready", "draining", "stopping", "stopped"]

_log = logging.get("yc_common.service")


class Service(Generic[C]):
    """The life of the process as the application sees it: start-up registers here what is to happen later.

    Everything is called from the event loop, except what is marked "from any thread".
    """

    def __init__(self, config: C, name: str, notifier: Notifier) -> None:
        self.config = config
        self.name = name
        self.phase: Phase = "starting"
        self.stop_event = threading.Event()
        """Set when the service is told to stop: for threads to look at."""
        self.loop = asyncio.get_running_loop()
        self.stack = AsyncExitStack()
        self.drain_hooks: list[Hook] = []
        self.reload_hooks: list[ReloadHook[C]] = []
        self.checks: dict[str, Check] = {}
        self.failure: BaseException | None = None
        self._notifier = notifier
        self._tasks: set[asyncio.Task[None]] = set()
        self._threads: list[threading.Thread] = []
        self._work: dict[object, str] = {}
        self._beats: dict[str, tuple[float, float]] = {}
        self._told = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    async def enter(self, resource: AbstractAsyncContextManager[T] | AbstractContextManager[T]) -> T:
        """Enter a context manager that is left when the service stops, the last one first."""
        if isinstance(resource, AbstractAsyncContextManager):
            return await self.stack.enter_async_context(resource)
        return self.stack.enter_context(resource)

    def on_drain(self, hook: Hook) -> Hook:
        """Have `hook()` called when the service is told to stop: take no new work, finish what was accepted."""
        self.drain_hooks.append(hook)
        return hook

    def on_stop(self, hook: Hook) -> Hook:
        """Have `hook()` called after draining, in the reverse order of registration, among what `enter()` leaves."""
        self.stack.push_async_callback(call, hook)
        return hook

    def check(self, name: str, function: Check) -> Check:
        """Have `function()` decide, with others, whether the service is ready: it raises when something is amiss."""
        self.checks[name] = function
        return function

    def on_reload(self, hook: ReloadHook[C]) -> ReloadHook[C]:
        """Have `hook(config)` called with a new configuration; when it raises, all hooks get the old one back."""
        self.reload_hooks.append(hook)
        return hook

    def spawn(self, work: Coroutine[Any, Any, object], *, name: str) -> asyncio.Task[None]:
        """Run a task for as long as the service lives; an exception in it ends the service; stopping cancels it."""
        task = self.loop.create_task(self._watched(work, name), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _watched(self, work: Awaitable[object], name: str) -> None:
        try:
            await work
        except asyncio.CancelledError:
            if not self.stop_event.is_set():
                _log.warning("a task was cancelled", task=name)
            raise
        except BaseException as error:
            self.fail(error, f"task {name}")

    def thread(self, function: Callable[..., object], *arguments: object, name: str) -> threading.Thread:
        """Run a function in a thread; it should look at `stop_event`. An exception in it ends the service."""
        context = copy_context()

        def run() -> None:
            try:
                context.run(function, *arguments)
            except BaseException as error:
                self.fail(error, f"thread {name}")

        thread = threading.Thread(target=run, name=name, daemon=True)
        self._threads = [*(one for one in self._threads if one.is_alive()), thread]
        thread.start()
        return thread

    @contextmanager
    def work(self, what: str = "work") -> Iterator[None]:
        """Mark something acknowledged that must be finished before the service ends. From any thread."""
        key = object()
        self._work[key] = what
        self._on_loop(self._look)
        try:
            yield
        finally:
            self._work.pop(key, None)
            self._on_loop(self._look)

    def unfinished(self) -> list[str]:
        """Return what is being worked on now. From any thread."""
        return list(self._work.values())

    async def idle(self) -> None:
        """Wait until nothing is being worked on."""
        while self._work:
            self._idle.clear()
            await self._idle.wait()

    def _look(self) -> None:
        if not self._work:
            self._idle.set()

    def heartbeat(self, name: str, seconds: float) -> Callable[[], None]:
        """Return a function that a thread or task must call at least every `seconds`, else the watchdog goes hungry."""

        def beat() -> None:
            self._beats[name] = (time.monotonic(), seconds)

        beat()
        return beat

    def overdue(self) -> list[str]:
        """Return the heartbeats that have stopped. From any thread."""
        now = time.monotonic()
        return [name for name, (last, seconds) in self._beats.copy().items() if now - last > seconds]

    def call(self, work: Coroutine[Any, Any, T], seconds: float | None = None) -> T:
        """Run a coroutine in the event loop and return its result. From any thread but the loop's own."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    def status(self, text: str) -> None:
        """Say in one line what the service is doing, for `systemctl status`. From any thread."""
        self._notifier.status(text)

    def stop(self, reason: str = "asked to") -> None:
        """Begin to drain and end. From any thread; further calls change nothing."""
        if not self.stop_event.is_set():
            self.stop_event.set()
            _log.info("stopping", reason=reason, unfinished=len(self._work))
        self._on_loop(self._told.set)

    def fail(self, error: BaseException, where: str) -> None:
        """Log a crash, once, then drain and end with a status other than 0. From any thread."""
        if self.failure is None:
            self.failure = error
            _log.critical("the service crashed", where=where, exc_info=error)
        elif error is not self.failure:
            _log.error("another failure while ending", where=where, exc_info=error)
        self.stop(f"{where} failed")

    def _on_loop(self, function: Callable[[], object]) -> None:
        try:
            self.loop.call_soon_threadsafe(function)
        except RuntimeError:
            return  # the loop has ended; nobody waits any more

    async def told(self) -> None:
        """Wait until the service is told to stop."""
        await self._told.wait()

    async def finish(self, seconds: float) -> list[str]:
        """Cancel tasks, wait for them and for threads, and return the names of those that still run."""
        deadline = self.loop.time() + seconds
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        while any(thread.is_alive() for thread in self._threads) and self.loop.time() < deadline:
            await asyncio.sleep(0.005)
        return [task.get_name() for task in self._tasks] + [one.name for one in self._threads if one.is_alive()]


async def call(hook: Callable[..., Awaitable[object] | object], *arguments: object) -> None:
    """Call a hook, and wait for it when it is asynchronous."""
    result = hook(*arguments)
    if inspect.isawaitable(result):
        await result
