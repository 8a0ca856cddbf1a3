"""A process starts, is watched, reloads, drains and ends as it should, with real signals and a real notify socket."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.yc_common.child import Child, Start
from yc_common.testing import write_config

WORKER = """
async def app(s):
    done = []
    async def finish():
        log.info("draining hook")
    s.on_drain(finish)
    s.on_stop(lambda: log.info("closed", done=len(done)))
    async def worker():
        with s.work("the order"):
            log.info("accepted")
            await asyncio.sleep(float(os.environ.get("WORK", "0.3")))
            done.append(1)
            log.info("finished")
    asyncio.create_task(worker())
"""


def test_a_service_is_ready_then_drains_what_it_accepted_and_ends(start: Start) -> None:
    child = start(WORKER)
    child.ready()
    child.waits_for("accepted")
    child.signal(signal.SIGTERM)
    child.notify.wait_for("STOPPING=1")
    assert child.ends() == 0
    names = [event["event"] for event in child.events()]
    assert names == ["accepted", "ready", "stopping", "draining hook", "finished", "closed", "stopped"] or names == [
        "ready",
        "accepted",
        "stopping",
        "draining hook",
        "finished",
        "closed",
        "stopped",
    ]
    assert child.event("closed")["done"] == 1
    assert "STATUS=starting" in child.notify.messages


def test_a_second_sigterm_during_the_drain_loses_nothing(start: Start) -> None:
    child = start(WORKER)
    child.waits_for("accepted")
    child.ready()
    child.signal(signal.SIGTERM)
    child.waits_for("draining hook")
    child.signal(signal.SIGTERM)
    child.signal(signal.SIGTERM)
    assert child.ends() == 0
    assert child.event("finished") and child.event("closed")["done"] == 1
    assert any(event["event"] == "already stopping" for event in child.events())


def test_a_second_interrupt_does_not_wait(start: Start) -> None:
    child = start(WORKER, WORK="60")
    child.waits_for("accepted")
    child.ready()
    child.signal(signal.SIGINT)
    child.waits_for("draining hook")
    child.signal(signal.SIGINT)
    assert child.ends(5) == 1
    assert child.event("not drained in time")["unfinished"] == ["the order"]
    assert child.event("closed")


def test_work_beyond_the_deadline_is_named_and_the_status_says_so(start: Start, tmp_path: Path) -> None:
    write_config(tmp_path, {"service": {"drain": 0.2, "stop": 1}})
    child = start(WORKER, WORK="60")
    child.waits_for("accepted")
    child.ready()
    child.signal(signal.SIGTERM)
    assert child.ends(5) == 1
    assert child.event("not drained in time")["unfinished"] == ["the order"]
    assert child.event("closed") and child.event("stopped")["status"] == 1


def test_sigterm_during_start_up_closes_what_was_opened(start: Start) -> None:
    child = start("""
        async def app(s):
            s.on_stop(lambda: log.info("closed"))
            log.info("opening")
            await asyncio.sleep(60)
        """)
    child.waits_for("opening")
    child.signal(signal.SIGTERM)
    assert child.ends(5) == 0
    assert child.event("closed")
    assert "READY=1" not in child.notify.drain()


@pytest.mark.parametrize(
    ("program", "where"),
    [
        ("async def app(s):\n    raise ValueError('boom')\n", "start-up"),
        ("async def app(s):\n    sys.exit(3)\n", "start-up"),
        (
            (
                "async def app(s):\n    async def task():\n        raise ValueError('boom')\n"
                "    s.spawn(task(), name='t')\n"
                "    await asyncio.sleep(0.05)\n"
            ),
            "task t",
        ),
        (
            ("async def app(s):\n    def work():\n        raise ValueError('boom')\n    s.thread(work, name='w')\n"),
            "thread w",
        ),
    ],
)
def test_a_crash_is_logged_once_and_the_status_is_not_zero(start: Start, program: str, where: str) -> None:
    child = start(program)
    assert child.ends(10) == 1
    event = child.event("the service crashed")
    assert event["where"] == where and ("boom" in event["exception"] or "SystemExit" in event["exception"])
    assert child.errors.read_text().count("Traceback") <= 2


def test_a_crash_while_serving_still_drains(start: Start) -> None:
    child = start(
        WORKER
        + """
    async def task():
        await asyncio.sleep(0.05)
        raise ValueError("boom")
    s.spawn(task(), name="t")
"""
    )
    assert child.ends(10) == 1
    assert child.event("finished") and child.event("closed")["done"] == 1


def test_hooks_and_tasks_that_hang_do_not_hold_the_process(start: Start) -> None:
    child = start("""
        async def app(s):
            s.on_stop(lambda: log.info("closed first"))
            s.on_stop(lambda: asyncio.sleep(60))
            async def stubborn():
                while True:
                    try:
                        await asyncio.sleep(60)
                    except asyncio.CancelledError:
                        pass
            s.spawn(stubborn(), name="stubborn")
            s.thread(time.sleep, 60, name="sleeper")
        """)
    child.ready()
    child.signal(signal.SIGTERM)
    assert child.ends(8) == 1
    assert child.event("does not end when asked to")["running"] == ["stubborn", "sleeper"]
    assert child.event("does not stop in time") and child.event("closed first")


def test_a_worker_thread_of_a_pool_that_hangs_does_not_hold_the_process(start: Start) -> None:
    child = start("""
        async def app(s):
            asyncio.get_running_loop().run_in_executor(None, time.sleep, 60)
        """)
    child.ready()
    child.signal(signal.SIGTERM)
    assert child.ends(8) == 1
    assert child.event("a thread does not end")


def test_an_event_loop_that_is_stuck_is_ended_with_its_stacks(start: Start, tmp_path: Path) -> None:
    write_config(tmp_path, {"service": {"drain": 0.3, "stop": 0.2}})
    child = start("""
        from yc_common.service import _run
        _run._GRACE = 0.0
        async def app(s):
            def get_stuck():
                log.info("stuck")
                time.sleep(60)
            asyncio.get_running_loop().call_later(0.01, get_stuck)
        """)
    child.waits_for("stuck")
    child.signal(signal.SIGTERM)
    assert child.ends(10) == 1
    assert "get_stuck" in child.event("did not end in time, ending now")["stacks"]


def test_the_watchdog_is_fed_and_misses_a_stuck_loop(start: Start) -> None:
    """The test plays systemd: no WATCHDOG=1 in time, so SIGABRT, and the stack that was stuck is on standard error."""
    child = start(
        """
        async def app(s):
            def get_stuck():
                log.info("stuck")
                time.sleep(60)
            asyncio.get_running_loop().call_later(0.5, get_stuck)
        """,
        WATCHDOG_USEC="300000",
    )
    child.notify.wait_for("WATCHDOG=1")
    child.notify.wait_for("WATCHDOG=1")
    child.waits_for("stuck")
    child.notify.drain()
    with pytest.raises(AssertionError, match="no 'WATCHDOG=1'"):
        child.notify.wait_for("WATCHDOG=1", seconds=0.4)
    child.signal(signal.SIGABRT)
    assert child.ends(5) == -signal.SIGABRT
    assert "get_stuck" in child.errors.read_text()


def test_the_watchdog_goes_hungry_when_a_thread_stops_beating(start: Start) -> None:
    child = start(
        """
        async def app(s):
            beat = s.heartbeat("worker", 0.3)
            def work():
                for _ in range(5):
                    beat()
                    time.sleep(0.05)
                s.stop_event.wait()
            s.thread(work, name="worker")
        """,
        WATCHDOG_USEC="200000",
    )
    child.notify.wait_for("WATCHDOG=1")
    child.waits_for("a heartbeat has stopped; the watchdog is not fed")
    child.notify.drain()
    with pytest.raises(AssertionError, match="no 'WATCHDOG=1'"):
        child.notify.wait_for("WATCHDOG=1", seconds=0.3)
    child.signal(signal.SIGTERM)
    assert child.ends(5) == 0


RELOADING = """
async def app(s):
    def follow(new):
        log.info("followed", number=new.number)
        if new.number == 13:
            raise ValueError("13")
    s.on_reload(lambda new: log.info("first", number=new.number))
    s.on_reload(follow)
    s.spawn(asyncio.sleep(60), name="idle")
"""


def reloads(child: Child) -> None:
    child.signal(signal.SIGHUP)
    child.notify.wait_for("READY=1")


def test_sighup_reloads_all_or_nothing(start: Start, tmp_path: Path) -> None:
    child = start(RELOADING)
    child.ready()
    write_config(tmp_path, {"number": 7, "service": {"stop": 1}})
    reloads(child)
    assert any(message.startswith("RELOADING=1\nMONOTONIC_USEC=") for message in child.notify.messages)
    assert child.event("followed")["number"] == 7 and child.event("reloaded")
    write_config(tmp_path, "number: many\n")
    reloads(child)
    assert (
        "config.yaml:1: number: expected int"
        in child.event("reload refused; the configuration in force stays")["problems"][0]
    )
    write_config(tmp_path, {"number": 13})
    reloads(child)
    assert child.event("reload failed; the configuration in force stays")
    assert [event["number"] for event in child.events() if event["event"] == "first"] == [7, 13, 7]
    child.signal(signal.SIGTERM)
    assert child.ends(5) == 0


def test_a_wrong_configuration_is_78_and_no_traceback(start: Start, tmp_path: Path) -> None:
    write_config(tmp_path, "number: many\n")
    child = start(WORKER)
    assert child.ends() == 78
    assert child.errors.read_text() == f'{tmp_path}/config.yaml:1: number: expected int, got str "many"\n'


def test_a_notify_socket_nobody_listens_on_is_no_fault(start: Start, tmp_path: Path) -> None:
    child = start(WORKER, NOTIFY_SOCKET=str(tmp_path / "gone"))
    child.waits_for("ready")
    child.signal(signal.SIGTERM)
    assert child.ends() == 0
