"""Log lines are complete, masked, and never at the service's expense."""

from __future__ import annotations

import asyncio
import json
import logging as standard
import os
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from yc_common import config, logging
from yc_common.logging import _channel, _render, _setup, _sink
from yc_common.logging._state import state
from yc_common.testing import JournalSocket, captured_logs

log = logging.get("tests")


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Leave the process's logging as it was found."""
    root = standard.getLogger()
    before = (root.handlers[:], root.level, sys.excepthook, threading.excepthook)
    yield
    root.handlers, root.level = before[0], before[1]
    sys.excepthook, threading.excepthook = before[2], before[3]
    standard.captureWarnings(False)
    structlog.reset_defaults()
    if state.sink:
        state.sink.close(0)
    state.__init__()  # type: ignore[misc]


class Pipe:
    """A pipe as standard error: what comes out of it are lines."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()

    def lines(self) -> list[dict[str, Any]]:
        os.close(self.writer)
        with os.fdopen(self.reader, "rb") as stream:
            return [json.loads(line) for line in stream]


def set_up(descriptor: int, **settings: Any) -> None:
    logging.setup(logging.LogSettings(**{"format": "json", **settings}), service="test", descriptor=descriptor)
    root = standard.getLogger()
    root.handlers = [one for one in root.handlers if isinstance(one, _setup.StandardHandler)]  # without pytest's own


def written(work: Callable[[], object], **settings: Any) -> list[dict[str, Any]]:
    pipe = Pipe()
    set_up(pipe.writer, **settings)
    work()
    assert logging.flush(5)
    assert state.sink
    state.sink.close()
    return pipe.lines()


def test_a_line_has_time_level_event_logger_context_and_fields() -> None:
    def work() -> None:
        with logging.context(request_id="r1"):
            log.bind(order=7).info("placed", price=1.5, tags=["a"])

    (line,) = written(work)
    assert line.pop("time").endswith("Z")
    assert line == {"level": "info", "event": "placed", "logger": "tests", "request_id": "r1", "order": 7,
                    "price": 1.5, "tags": ["a"]}


def test_levels_differ_between_loggers_and_change_while_running() -> None:
    def work() -> None:
        log.debug("hidden")
        logging.get("noisy.part").info("hidden")
        logging.get("noisier").info("shown")
        standard.getLogger("noisy").info("hidden")
        logging.get("curious").debug("shown")
        logging.apply(logging.LogSettings(level="debug"))
        log.debug("shown")
        standard.getLogger("noisy").debug("shown")

    lines = written(work, levels={"noisy": "warning", "curious": "debug"})
    assert [line["event"] for line in lines] == ["shown"] * 4


def test_context_follows_tasks_and_ends_with_its_block() -> None:
    async def task(number: int) -> None:
        logging.bind(task=number)
        await asyncio.sleep(0)
        log.info("in task")

    async def main() -> None:
        with logging.operation("import") as identity:
            assert len(identity) == 16
            await asyncio.gather(task(1), task(2))
        log.info("after")

    with captured_logs() as logs:
        asyncio.run(main())
    assert [event.get("task") for event in logs] == [1, 2, None]
    assert logs[0]["operation"] == "import" and "operation" not in logs[2]


def test_what_libraries_log_is_taken_in() -> None:
    def work() -> None:
        standard.getLogger("lib").warning("got %d of %s", 1, "two", extra={"peer": "p"})
        standard.getLogger("lib").error("bad %d", "text")
        structlog.get_logger().info("from structlog", a=1)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        try:
            raise KeyError("gone")
        except KeyError:
            standard.getLogger("lib").exception("failed")

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        lines = written(work)
    assert (lines[0]["event"], lines[0]["logger"], lines[0]["peer"]) == ("got 1 of two", "lib", "p")
    assert "bad %d" in lines[1]["event"] and "TypeError" in lines[1]["event"]
    assert lines[2]["a"] == 1
    assert lines[3]["logger"] == "py.warnings" and "old" in lines[3]["event"]
    assert lines[4]["level"] == "error" and "KeyError: 'gone'" in lines[4]["exception"]


def test_secrets_are_masked_by_name_and_by_value() -> None:
    secret = config.Secret('pass"word\\with é')

    def work() -> None:
        log.info("plain", password="abc", Api_Key="x", data={"auth-token": "t", "list": [{"secret": 1}]}, tokens=3)
        log.info(f"value {secret.reveal()}", secret_object=secret, url=f"http://u:{secret.reveal()}@h/")
        try:
            raise ValueError(secret.reveal())
        except ValueError:
            log.exception("failed")

    pipe = Pipe()
    set_up(pipe.writer)
    work()
    assert logging.flush(5)
    lines = pipe_text(pipe)
    assert "abc" not in lines and "with" not in lines.replace("with_", "")
    first, second, third = map(json.loads, lines.splitlines())
    assert (first["password"], first["Api_Key"], first["data"]) == \
        ("***", "***", {"auth-token": "***", "list": [{"secret": "***"}]})
    assert second["event"] == "value ***" and second["url"] == "http://u:***@h/"
    assert "ValueError: ***" in third["exception"]


def pipe_text(pipe: Pipe) -> str:
    assert state.sink
    state.sink.close()
    os.close(pipe.writer)
    with os.fdopen(pipe.reader, "rb") as stream:
        return stream.read().decode()


class Awkward:
    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


def test_no_value_can_make_a_log_call_fail() -> None:
    loop: list[Any] = []
    loop.append(loop)

    def work() -> None:
        log.info("a", value=Awkward())
        log.info("b", value=10 ** 400)
        log.info("c", value="\udcff")
        log.info("d", value=loop)
        log.info("e", value={1: 2, (3, 4): Awkward()})
        log.info("f", value="x" * 1_000_000)
        log.info("g", value=b"\xff\x00")
        log.info(7, value=float("nan"))  # type: ignore[arg-type]
        log.info("h", exc_info=True)  # noqa: LOG014 - on purpose
        log.log("no such level", "i")

    lines = written(work)
    assert [line["event"] for line in lines] == ["a", "b", "c", "d", "e", "f", "g", 7, "h", "i"]
    assert len(lines[5]["value"]) < 10_000


def test_text_cannot_steer_the_terminal() -> None:
    render = _render.text_renderer(colors=False)
    line = render({"time": "2026-01-02T03:04:05.000001Z", "level": "info", "event": "\x1b[2J\x9b", "a": "\r\x00"})
    assert not set(line) & {0x1B, 0x0D, 0x00} and b"\\x1b[2J" in line


def test_a_flood_is_held_back_and_counted() -> None:
    def work() -> None:
        for number in range(100):
            log.warning("flood", number=number)
            standard.getLogger("lib").warning("number %d", number)
        log.warning("other")

    lines = written(work, rate=10, rate_period=config.Duration(60))
    assert [line["event"] for line in lines].count("flood") == 10
    assert sum(line["event"].startswith("number") for line in lines) == 10
    assert sum(line["event"] == "other" for line in lines) == 1
    held = {line["held_event"]: line["held"] for line in lines if line["event"] == "log lines were held back"}
    assert held["flood"] == 90 and held["number %d"] == 90


def test_a_flood_of_different_texts_is_held_back_too() -> None:
    def work() -> None:
        for number in range(300):
            log.info(f"text {number}")

    lines = written(work, rate=10, rate_period=config.Duration(60))
    assert sum(line["event"].startswith("text") for line in lines) == 100


def test_a_full_pipe_neither_blocks_nor_loses_until_memory_is_full() -> None:
    pipe = Pipe()
    set_up(pipe.writer, rate=0)
    began = time.monotonic()
    for number in range(2000):
        log.info("line", number=number, padding="x" * 200)
    assert time.monotonic() - began < 2
    received: list[dict[str, Any]] = []
    with os.fdopen(pipe.reader, "rb") as stream:
        for line in stream:
            received.append(json.loads(line))
            if len(received) == 2000:
                break
    os.close(pipe.writer)
    assert [line["number"] for line in received] == list(range(2000))


def test_lines_beyond_the_memory_are_counted_and_told_of() -> None:
    reader, writer = os.pipe()
    sink = _sink.Sink(_channel.StreamChannel(writer), capacity=10_000, lost_lines=lambda count: b"lost %d\n" % count)
    total = 0
    while not sink.lost:
        sink.write(b"%07d\n" % total)
        total += 1
    for number in range(total, total + 500):
        sink.write(b"%07d\n" % number)
    lost = sink.lost
    assert lost == 501
    os.close(writer)
    threading.Thread(target=sink.close, args=(5,)).start()
    with os.fdopen(reader, "rb") as stream:
        lines = stream.read().splitlines()
    assert lines[:-1] == [b"%07d" % number for number in range(total - 1)]
    assert lines[-1] == b"lost %d" % lost


def test_others_that_share_the_pipe_keep_their_blocking_view_of_it() -> None:
    reader, writer = os.pipe()
    channel = _channel.StreamChannel(writer)
    assert os.get_blocking(writer)
    with pytest.raises(BlockingIOError):
        while True:
            channel.send(b"x" * 4096)
    channel.close()
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("kind", ["pipe", "socket", "file", "full device"])
def test_a_way_out_that_fails_loses_lines_and_nothing_else(kind: str, tmp_path: Path) -> None:
    if kind == "pipe":
        reader, writer = os.pipe()
        set_up(writer)
        os.close(reader)
    elif kind == "socket":
        left, right = socket.socketpair()
        writer = right.detach()
        set_up(writer)
        left.close()
    elif kind == "file":
        writer = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
        set_up(writer)
    else:
        writer = os.open("/dev/full", os.O_WRONLY)
        set_up(writer)
    log.info("one")
    log.info("two")
    assert logging.lost() == (0 if kind == "file" else 2)
    os.close(writer)


def test_a_closed_standard_error_is_no_fault() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    os.close(writer)
    set_up(writer)
    log.info("nobody hears this")
    assert logging.flush(1)


def test_a_socket_that_is_full_does_not_block() -> None:
    left, right = socket.socketpair()
    set_up(right.fileno(), rate=0)
    began = time.monotonic()
    for number in range(3000):
        log.info("line", number=number, padding="x" * 200)
    assert time.monotonic() - began < 2
    received = b""
    while received.count(b"\n") < 3000:
        received += left.recv(1 << 20)
    assert [json.loads(line)["number"] for line in received.splitlines()] == list(range(3000))
    left.close()
    right.close()


def test_under_systemd_lines_become_journal_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with JournalSocket(tmp_path / "journal") as journal:
        left, right = socket.socketpair()
        status = os.fstat(right.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        monkeypatch.setenv("YC_JOURNAL_SOCKET", str(journal.path))
        set_up(right.fileno(), format="auto")
        config.Secret("topsecretvalue")
        log.warning("order placed", order=7, priority="mine", note="two\nlines", token="t", text="topsecretvalue")
        entry = journal.entry()
        assert entry["MESSAGE"].startswith("order placed order=7 priority=mine")
        assert (entry["PRIORITY"], entry["SYSLOG_IDENTIFIER"], entry["LOGGER"]) == ("4", "test", "tests")
        assert (entry["ORDER"], entry["FIELD_PRIORITY"], entry["NOTE"]) == ("7", "mine", "two\nlines")
        assert (entry["TOKEN"], entry["TEXT"]) == ("***", "***")
        log.info("large", body="x" * 1_000_000)
        assert len(journal.entry()["BODY"]) == 1_000_000
        left.close()
        right.close()


def test_a_journal_that_restarts_gets_what_was_logged_meanwhile(tmp_path: Path,
                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YC_JOURNAL_SOCKET", str(tmp_path / "journal"))
    set_up(2, format="journal")
    for number in range(5):
        log.info("line", number=number)
    with JournalSocket(tmp_path / "journal") as journal:
        assert [journal.entry()["NUMBER"] for _ in range(5)] == ["0", "1", "2", "3", "4"]


def test_a_journal_that_does_not_read_does_not_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with JournalSocket(tmp_path / "journal") as journal:
        monkeypatch.setenv("YC_JOURNAL_SOCKET", str(journal.path))
        set_up(2, format="journal", rate=0)
        began = time.monotonic()
        for number in range(500):
            log.info("line", number=number)
        assert time.monotonic() - began < 2
        assert [journal.entry()["NUMBER"] for _ in range(500)] == [str(number) for number in range(500)]


def test_threads_lines_are_whole() -> None:
    def write() -> None:
        for _ in range(200):
            log.info("x", p="y" * 500)

    def work() -> None:
        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    pipe = Pipe()
    set_up(pipe.writer, rate=0)
    received: list[bytes] = []

    def read() -> None:
        with os.fdopen(pipe.reader, "rb") as stream:
            received.extend(stream)

    reader = threading.Thread(target=read)
    reader.start()
    work()
    assert logging.flush(5)
    assert state.sink
    state.sink.close()
    os.close(pipe.writer)
    reader.join()
    assert len(received) == 800
    assert all(json.loads(line)["p"] == "y" * 500 for line in received)


def test_a_process_that_ends_with_a_full_pipe_ends(tmp_path: Path) -> None:
    """Nobody reads; the process must end all the same, after at most the second that is left for it."""
    program = ("from yc_common import logging\nlogging.setup(logging.LogSettings(format='json', rate=0))\n"
               "log = logging.get('x')\nfor n in range(2000): log.info('line', n=n, padding='x' * 200)\n")
    reader, writer = os.pipe()
    began = time.monotonic()
    child = subprocess.Popen([sys.executable, "-c", program], stderr=writer)
    os.close(writer)
    assert child.wait(timeout=20) == 0
    assert time.monotonic() - began < 10
    os.close(reader)


def test_uncaught_exceptions_are_logged_and_secrets_in_them_masked() -> None:
    program = ("from yc_common import logging, config\nimport threading\n"
               "logging.setup(logging.LogSettings(format='json'))\n"
               "config.Secret('letmein99')\n"
               "t = threading.Thread(target=lambda: 1 / 0, name='worker'); t.start(); t.join()\n"
               "raise ValueError('letmein99')\n")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    first, second = [json.loads(line) for line in done.stderr.splitlines()]
    assert first["thread"] == "worker" and "ZeroDivisionError" in first["exception"]
    assert "ValueError: ***" in second["exception"] and "letmein99" not in done.stderr


def test_a_forked_child_logs_without_the_parents_lines() -> None:
    program = ("import os\nfrom yc_common import logging\nlogging.setup(logging.LogSettings(format='json'))\n"
               "log = logging.get('x')\nlog.info('before')\npid = os.fork()\n"
               "log.info('child' if pid == 0 else 'parent')\n"
               "if pid: os.waitpid(pid, 0)\n")
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, timeout=30,
                          check=True)
    assert sorted(json.loads(line)["event"] for line in done.stderr.splitlines()) == ["before", "child", "parent"]


def test_logging_works_without_any_set_up() -> None:
    program = "from yc_common import logging; logging.get('x').info('hello', a=1)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert json.loads(done.stderr)["a"] == 1
