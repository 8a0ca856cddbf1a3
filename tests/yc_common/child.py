"""A service in a process of its own, with real signals and a real notify socket."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from yc_common.testing import NotifySocket, write_config

PROLOGUE = """
import asyncio, os, sys, threading, time
from yc_common import config, logging, service

class Config(service.BaseConfig):
    number: int = 0

log = logging.get("app")
"""

EPILOGUE = """
service.main(app, Config, "test-service", version="1.2.3")
"""


class Child:
    """A service in a process of its own, as systemd would start it."""

    def __init__(self, directory: Path, program: str, **environment: str) -> None:
        self.notify = NotifySocket(directory / "notify")
        self.directory = directory
        self.errors = directory / "stderr"
        file = directory / "program.py"
        file.write_text(PROLOGUE + textwrap.dedent(program) + EPILOGUE)
        if not (directory / "config.yaml").exists():
            write_config(directory, {"service": {"drain": 5, "stop": 1}})
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, str(file), "--config", str(directory)],
                stderr=errors,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "NOTIFY_SOCKET": str(self.notify.path), "PYTHONPATH": os.getcwd(), **environment},
            )

    def ready(self) -> None:
        self.notify.wait_for("READY=1")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ends(self, seconds: float = 15) -> int:
        return self.process.wait(seconds)

    def events(self) -> list[dict[str, Any]]:
        lines = self.errors.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def event(self, name: str) -> dict[str, Any]:
        found = [event for event in self.events() if event["event"] == name]
        assert len(found) == 1, f"{len(found)} times {name!r} in {self.errors.read_text()}"
        return found[0]

    def waits_for(self, name: str, seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while not any(event["event"] == name for event in self.events()):
            assert time.monotonic() < deadline, f"no {name!r} in {self.errors.read_text()}"
            time.sleep(0.01)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.notify.__exit__(None, None, None)


Start = Callable[..., Child]
