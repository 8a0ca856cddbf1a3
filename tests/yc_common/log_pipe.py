"""Logging into a pipe, and reading what came out of it."""

from __future__ import annotations

import json
import logging as standard
import os
from collections.abc import Callable
from typing import Any

from yc_common import logging
from yc_common.logging import _setup
from yc_common.logging._state import state

log = logging.get("tests")


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


def pipe_text(pipe: Pipe) -> str:
    assert state.sink
    state.sink.close()
    os.close(pipe.writer)
    with os.fdopen(pipe.reader, "rb") as stream:
        return stream.read().decode()
