"""Log lines are complete, masked, and limited."""

from __future__ import annotations

import asyncio
import json
import logging as standard
import warnings
from typing import Any

import pytest
import structlog

from tests.yc_common.log_pipe import Pipe, log, pipe_text, set_up, written
from yc_common import config, logging
from yc_common.logging import _render
from yc_common.testing import captured_logs

pytestmark = pytest.mark.usefixtures("fresh_logging")


def test_a_line_has_time_level_event_logger_context_and_fields() -> None:
    def work() -> None:
        with logging.context(request_id="r1"):
            log.bind(order=7).info("placed", price=1.5, tags=["a"])

    (line,) = written(work)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "event": "placed",
        "logger": "tests",
        "request_id": "r1",
        "order": 7,
        "price": 1.5,
        "tags": ["a"],
    }


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
    assert (first["password"], first["Api_Key"], first["data"]) == (
        "***",
        "***",
        {"auth-token": "***", "list": [{"secret": "***"}]},
    )
    assert second["event"] == "value ***" and second["url"] == "http://u:***@h/"
    assert "ValueError: ***" in third["exception"]


class Awkward:
    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


def test_no_value_can_make_a_log_call_fail() -> None:
    loop: list[Any] = []
    loop.append(loop)

    def work() -> None:
        log.info("a", value=Awkward())
        log.info("b", value=10**400)
        log.info("c", value="\udcff")
        log.info("d", value=loop)
        log.info("e", value={1: 2, (3, 4): Awkward()})
        log.info("f", value="x" * 1_000_000)
        log.info("g", value=b"\xff\x00")
        log.info(7, value=float("nan"))  # type: ignore[arg-type]
        log.info("h", exc_info=True)
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
