"""What several of these tests start from."""

from __future__ import annotations

import logging as standard
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.yc_common.child import Child, Start
from yc_common.logging._state import state


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    children: list[Child] = []

    def begin(program: str, **environment: str) -> Child:
        children.append(Child(tmp_path, program, **environment))
        return children[-1]

    yield begin
    for child in children:
        child.close()


@pytest.fixture
def fresh_logging() -> Iterator[None]:
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
