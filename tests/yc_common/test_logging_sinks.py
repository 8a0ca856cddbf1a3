"""What reads the log may be slow, gone, or full: never at the service's expense."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.yc_common.log_pipe import Pipe, log, set_up
from yc_common import config, logging
from yc_common.logging import _channel, _sink
from yc_common.logging._state import state
from yc_common.testing import JournalSocket

pytestmark = pytest.mark.usefixtures("fresh_logging")


def test_a_full_pipe_neither_blocks_nor_loses_until_memory_is_full() -> None:
    pipe = Pipe()
    set_up(pipe.writer, rate=0)
    began = time.monotonic()
    for number in range(2000):
        log.info("line", number=number, padding="x" * 200)
    assert time.monotonic() - began < 30
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
    assert time.monotonic() - began < 30
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


def test_a_journal_that_restarts_gets_what_was_logged_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
        assert time.monotonic() - began < 30
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
    program = (
        "from yc_common import logging\nlogging.setup(logging.LogSettings(format='json', rate=0))\n"
        "log = logging.get('x')\nfor n in range(2000): log.info('line', n=n, padding='x' * 200)\n"
    )
    reader, writer = os.pipe()
    began = time.monotonic()
    child = subprocess.Popen([sys.executable, "-c", program], stderr=writer)
    os.close(writer)
    assert child.wait(timeout=20) == 0
    assert time.monotonic() - began < 10
    os.close(reader)


def test_uncaught_exceptions_are_logged_and_secrets_in_them_masked() -> None:
    program = (
        "from yc_common import logging, config\nimport threading\n"
        "logging.setup(logging.LogSettings(format='json'))\n"
        "config.Secret('letmein99')\n"
        "t = threading.Thread(target=lambda: 1 / 0, name='worker'); t.start(); t.join()\n"
        "raise ValueError('letmein99')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    first, second = [json.loads(line) for line in done.stderr.splitlines()]
    assert first["thread"] == "worker" and "ZeroDivisionError" in first["exception"]
    assert "ValueError: ***" in second["exception"] and "letmein99" not in done.stderr


def test_a_forked_child_logs_without_the_parents_lines() -> None:
    program = (
        "import os\nfrom yc_common import logging\nlogging.setup(logging.LogSettings(format='json'))\n"
        "log = logging.get('x')\nlog.info('before')\npid = os.fork()\n"
        "log.info('child' if pid == 0 else 'parent')\n"
        "if pid: os.waitpid(pid, 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert sorted(json.loads(line)["event"] for line in done.stderr.splitlines()) == ["before", "child", "parent"]


def test_logging_works_without_any_set_up() -> None:
    program = "from yc_common import logging; logging.get('x').info('hello', a=1)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert json.loads(done.stderr)["a"] == 1
