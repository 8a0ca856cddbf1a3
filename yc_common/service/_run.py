"""The life of a process, from start-up to its exit status."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from types import FrameType
from typing import Any, Generic, TypeVar

from yc_common import logging
from yc_common.config import ConfigError, Loader, Section, from_command_line
from yc_common.service._guard import Guard
from yc_common.service._notify import Notifier
from yc_common.service._service import Service, call
from yc_common.service._settings import BaseConfig, ServiceSettings

C = TypeVar("C", bound=Section)
App = Callable[[Service[C]], Awaitable[object]]

#: Seconds beyond the deadlines until the guard ends the process.
_GRACE = 5.0

_log = logging.get("yc_common.service")


def run(app: App[C], config: C | Loader[C], *, name: str = "") -> int:
    """Run a service until it is told to stop, and return its exit status: 0, or 1 after a crash or an unfinished drain.

    `await app(service)` is the start-up: it opens what is needed, registers hooks, and returns; then the service is
    ready. SIGTERM and SIGINT drain and end it (a second SIGINT does not wait), SIGHUP reloads the
    configuration of a `Loader`.
    """
    return Life(app, config, name or os.path.basename(sys.argv[0])).run()


def main(app: App[C], section: type[C], service: str, argv: Sequence[str] | None = None, *, version: str = "") -> None:
    """Be a service's whole `main`: command line, configuration, logging, `run()`. Ends by `SystemExit`."""
    loader = from_command_line(section, service, argv, version=version)
    config = loader.current
    logging.setup(config.log if isinstance(config, BaseConfig) else None, service=service)
    status = run(app, loader, name=service)
    logging.flush(2.0)
    raise SystemExit(status)


class Life(Generic[C]):
    """One run of a service, from start-up to its exit status."""

    def __init__(self, app: App[C], config: C | Loader[C], name: str) -> None:
        self._app, self._name = app, name
        self._loader = config if isinstance(config, Loader) else None
        self._config: C = config.current if isinstance(config, Loader) else config
        self._notifier = Notifier()
        self._guard = Guard()
        self.service: Service[C] | None = None
        self._hurry = asyncio.Event()
        self._reload_lock = asyncio.Lock()
        self._unfinished = False
        self._pending: list[int] = []

    @property
    def _settings(self) -> ServiceSettings:
        config = self._config
        return config.service if isinstance(config, BaseConfig) else ServiceSettings()

    def run(self) -> int:
        """Run in an event loop of its own, with signals; return the exit status."""
        before = set(threading.enumerate())
        restore = self._catch_signals()
        loop = asyncio.new_event_loop()
        try:
            status = loop.run_until_complete(self.live(loop))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()
            restore()
            self._notifier.close()
        self._leave(before, status)
        return status

    def _leave(self, before: set[threading.Thread], status: int) -> None:
        """Wait for worker threads as long as stopping may take; one that hangs is left to the guard."""
        deadline = time.monotonic() + self._settings.stop
        for thread in set(threading.enumerate()) - before:
            if not thread.daemon and thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))
                if thread.is_alive():
                    _log.error("a thread does not end", thread=thread.name)
                    logging.flush(1.0)
                    # The interpreter would wait for it for ever; everything that had to be done has been done.
                    os._exit(status or 1)
        self._guard.disarm()

    def close(self) -> None:
        """Give up what `live()` needed outside `run()`."""
        self._notifier.close()
        self._guard.disarm()

    def _catch_signals(self) -> Callable[[], None]:
        if threading.current_thread() is not threading.main_thread():
            return lambda: None
        if not faulthandler.is_enabled():
            # systemd's watchdog sends SIGABRT: show what the process was stuck in, if there is a standard error.
            with contextlib.suppress(OSError, ValueError, RuntimeError):
                faulthandler.enable()
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        previous = {number: signal.signal(number, self._on_signal) for number in numbers}

        def restore() -> None:
            for number, handler in previous.items():
                signal.signal(number, handler)

        return restore

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Pass a signal to the loop. The guard starts here, because the loop may be stuck."""
        if number != signal.SIGHUP:
            self._arm()
        if self.service is None:
            self._pending.append(number)
            return
        try:
            self.service.loop.call_soon_threadsafe(self._take, number)
        except RuntimeError:
            return  # the loop has ended already

    def _arm(self) -> None:
        self._guard.arm(self._settings.drain + self._settings.stop + _GRACE)

    def _take(self, number: int) -> None:
        assert self.service is not None
        name = signal.Signals(number).name
        if number == signal.SIGHUP:
            self.service.spawn(self._reload(), name="reload")
        elif not self.service.stop_event.is_set():
            self.service.stop(name)
        elif number == signal.SIGINT:
            _log.warning("interrupted again: not waiting any longer")
            self._hurry.set()
        else:
            _log.info("already stopping", signal=name)

    async def live(self, loop: asyncio.AbstractEventLoop) -> int:
        """Start up, wait to be told to stop, drain and stop; return the exit status."""
        service = self.service = Service(self._config, self._name, self._notifier)
        loop.set_exception_handler(_unhandled)
        for number in self._pending:
            self._take(number)
        self._notifier.status("starting")
        watchdog = loop.create_task(self._watch(service)) if self._notifier.watchdog_seconds else None
        await self._start(service)
        await service.told()
        self._arm()
        await self._drain(service)
        await self._stop(service)
        if watchdog:
            watchdog.cancel()
        service.phase = "stopped"
        failed = service.failure is not None or self._unfinished
        _log.info("stopped", status=int(failed))
        return int(failed)

    async def _start(self, service: Service[C]) -> None:
        """Run the application's start-up, unless the service is told to stop first."""
        start = asyncio.ensure_future(self._start_up(service))
        told = asyncio.ensure_future(service.told())
        await asyncio.wait([start, told], return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if not start.done():
            start.cancel()
            await asyncio.wait([start], timeout=self._settings.stop)
        if not start.done():
            _log.error("start-up does not end when cancelled")
            self._unfinished = True
        elif not start.cancelled() and start.exception() is not None:
            service.fail(start.exception() or RuntimeError(), "start-up")
        elif not service.stop_event.is_set():
            service.phase = "ready"
            self._notifier.status("ready")
            self._notifier.ready()
            _log.info("ready", service=self._name)

    async def _start_up(self, service: Service[C]) -> None:
        try:
            if self._settings.observe is not None:
                from yc_common import health

                await service.enter(health.Server(service, self._settings.observe))
            await self._app(service)
        except (SystemExit, KeyboardInterrupt) as error:
            # Would tear the loop down on the spot, with everything that is to be closed still open.
            raise RuntimeError(f"start-up ended the process: {error!r}") from error

    async def _drain(self, service: Service[C]) -> None:
        """Let accepted work finish, within the deadline."""
        service.phase = "draining"
        self._notifier.stopping()
        self._notifier.status("draining")
        drained = asyncio.ensure_future(self._drained(service))
        hurry = asyncio.ensure_future(self._hurry.wait())
        await asyncio.wait([drained, hurry], timeout=self._settings.drain, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        if drained.done():
            return
        drained.cancel()
        self._unfinished = True
        _log.error("not drained in time", seconds=float(self._settings.drain), unfinished=service.unfinished()[:20])
        await asyncio.wait([drained], timeout=1)

    async def _drained(self, service: Service[C]) -> None:
        for result in await asyncio.gather(*(call(hook) for hook in service.drain_hooks), return_exceptions=True):
            if isinstance(result, Exception):
                service.fail(result, "drain hook")
        await service.idle()

    async def _stop(self, service: Service[C]) -> None:
        """Cancel tasks and close what was opened, within the deadline."""
        service.phase = "stopping"
        self._notifier.status("stopping")
        closed = asyncio.ensure_future(self._close(service))
        await asyncio.wait([closed], timeout=self._settings.stop)
        if not closed.done():
            self._unfinished = True
            _log.error(
                "does not stop in time",
                seconds=float(self._settings.stop),
                tasks=[repr(task) for task in asyncio.all_tasks() if task is not asyncio.current_task()][:20],
            )
            closed.cancel()
            await asyncio.wait([closed], timeout=1)
        elif closed.exception() is not None:
            service.fail(closed.exception() or RuntimeError(), "shutdown")

    async def _close(self, service: Service[C]) -> None:
        # Half of the time for those that run, so that one which does not end cannot keep the rest from being closed.
        running = await service.finish(self._settings.stop / 2)
        if running:
            self._unfinished = True
            _log.error("does not end when asked to", running=running)
        await service.stack.aclose()

    async def _watch(self, service: Service[C]) -> None:
        """Feed the watchdog from the event loop, so that a stuck loop or heartbeat is noticed."""
        hungry = False
        while True:
            overdue = service.overdue()
            if not overdue:
                self._notifier.alive()
            elif not hungry:
                _log.error("a heartbeat has stopped; the watchdog is not fed", overdue=overdue)
            hungry = bool(overdue)
            await asyncio.sleep(self._notifier.watchdog_seconds / 3)

    async def _reload(self) -> None:
        """Load the configuration again and hand it out: all of it to all, or nothing changes."""
        service = self.service
        assert service is not None
        async with self._reload_lock:
            if self._loader is None:
                _log.warning("nothing to reload: the configuration did not come from a loader")
                return
            self._notifier.reloading()
            try:
                await self._switch(service, self._loader)
            except ConfigError as error:
                _log.error("reload refused; the configuration in force stays", problems=str(error).splitlines())
            self._notifier.ready()

    async def _switch(self, service: Service[C], loader: Loader[C]) -> None:
        old, new = self._config, await asyncio.to_thread(loader.load)
        done: list[Callable[[Any], Awaitable[object] | object]] = []
        try:
            for hook in service.reload_hooks:
                done.append(hook)
                await call(hook, new)
        except Exception as error:
            loader.restore()
            _log.error("reload failed; the configuration in force stays", exc_info=error)
            for hook in reversed(done):
                await call(hook, old)
            return
        self._config = service.config = new
        if isinstance(new, BaseConfig):
            logging.apply(new.log)
        _log.info("reloaded")


def _unhandled(loop: asyncio.AbstractEventLoop, details: dict[str, Any]) -> None:
    _log.error("unhandled in the event loop", message=details.get("message"), exc_info=details.get("exception"))
