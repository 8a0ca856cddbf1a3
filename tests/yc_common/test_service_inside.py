"""What a running service offers, tried inside the test's own process."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time

import pytest

from yc_common import service, testing
from yc_common.service import BaseConfig, Service
from yc_common.testing import captured_logs, running


def test_an_abstract_notify_socket_is_reached() -> None:
    name = f"yc-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name)
        notifier = service.Notifier({"NOTIFY_SOCKET": f"@{name}"})
        notifier.status("two\nlines")
        notifier.close()
        manager.settimeout(5)
        assert manager.recv(100) == b"STATUS=two lines"


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({"WATCHDOG_USEC": "2000000"}, 2.0),
        ({}, 0.0),
        ({"WATCHDOG_USEC": "x"}, 0.0),
        ({"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "1"}, 0.0),
        ({"WATCHDOG_USEC": "-5"}, 0.0),
    ],
)
def test_the_watchdog_time_is_for_this_process_only(environment: dict[str, str], seconds: float) -> None:
    assert service.Notifier(environment).watchdog_seconds == seconds


def test_threads_call_the_loop_and_mark_work() -> None:
    results: list[object] = []

    async def app(s: Service[BaseConfig]) -> None:
        async def answer() -> int:
            return 42

        def work() -> None:
            with s.work("in a thread"):
                results.append(s.call(answer(), 5))
                results.append(s.unfinished())

        s.thread(work, name="w")

    async def main() -> None:
        with captured_logs():
            async with running(app, BaseConfig()) as s:
                while len(results) < 2:
                    await asyncio.sleep(0.001)
                assert s.phase == "ready"

    asyncio.run(main())
    assert results == [42, ["in a thread"]]


def test_resources_are_closed_in_reverse_order_even_when_one_fails() -> None:
    closed: list[int] = []

    class Resource:
        def __init__(self, number: int) -> None:
            self.number = number

        def __enter__(self) -> int:
            return self.number

        def __exit__(self, *error: object) -> None:
            closed.append(self.number)
            if self.number == 2:
                raise OSError("cannot close")

    async def app(s: Service[BaseConfig]) -> None:
        for number in (1, 2, 3):
            assert await s.enter(Resource(number)) == number

    async def main() -> None:
        with captured_logs() as logs:
            with pytest.raises(OSError, match="cannot close"):
                async with running(app, BaseConfig()):
                    pass
            assert logs.one(event="the service crashed")["where"] == "shutdown"

    asyncio.run(main())
    assert closed == [3, 2, 1]


def test_a_drain_hook_that_fails_makes_the_status_say_so() -> None:
    async def app(s: Service[BaseConfig]) -> None:
        s.on_drain(lambda: 1 / 0)

    with captured_logs() as logs:
        asyncio.run(_expect_zero_division(app))
    assert logs.one(event="the service crashed")["where"] == "drain hook"


async def _expect_zero_division(app: service.App[BaseConfig]) -> None:
    with pytest.raises(ZeroDivisionError):
        async with testing.running(app, BaseConfig()):
            pass


def test_run_in_another_thread_leaves_signals_alone() -> None:
    holder: list[Service[BaseConfig]] = []
    statuses: list[int] = []

    async def app(s: Service[BaseConfig]) -> None:
        holder.append(s)

    with captured_logs():
        thread = threading.Thread(target=lambda: statuses.append(service.run(app, BaseConfig(), name="t")))
        thread.start()
        while not holder:
            time.sleep(0.001)
        holder[0].stop("enough")
        thread.join(10)
    assert statuses == [0]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
