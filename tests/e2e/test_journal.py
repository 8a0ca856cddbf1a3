"""yc_common.logging writes to a real journald: one of this test's own, in a journal namespace."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

_PROGRAM = """
from yc_common import logging
logging.setup(logging.LogSettings(format="journal"))
with logging.context(request_id="r-1"):
    logging.get("test").warning("two\\nlines", mark="yes", size=3)
assert logging.flush(5)
"""


@pytest.fixture
def namespace() -> Iterator[str]:
    """Start a journald of our own and remove all that it wrote."""
    name = f"yctest{os.getpid()}"
    sockets = Path(f"/run/systemd/journal.{name}")
    with subprocess.Popen(["/lib/systemd/systemd-journald", name], stderr=subprocess.DEVNULL) as journald:
        try:
            deadline = time.monotonic() + 20
            while not (sockets / "socket").exists():
                assert journald.poll() is None, "journald ended"
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield name
        finally:
            journald.terminate()
            journald.wait(20)
            for directory in [
                sockets,
                *Path("/var/log/journal").glob(f"*.{name}"),
                *Path("/run/log/journal").glob(f"*.{name}"),
            ]:
                shutil.rmtree(directory, ignore_errors=True)


def entries(namespace: str) -> list[dict[str, object]]:
    command = ["journalctl", f"--namespace={namespace}", "--output=json", "MARK=yes"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_event_becomes_an_entry_with_fields(namespace: str) -> None:
    environment = {**os.environ, "YC_JOURNAL_SOCKET": f"/run/systemd/journal.{namespace}/socket"}
    subprocess.run([sys.executable, "-c", _PROGRAM], env=environment, check=True, timeout=60)
    deadline = time.monotonic() + 20
    while not (found := entries(namespace)):
        assert time.monotonic() < deadline, "the journal has no entry"
        time.sleep(0.1)
    (entry,) = found
    assert str(entry["MESSAGE"]).startswith("two\nlines")
    assert entry["PRIORITY"] == "4"
    assert entry["REQUEST_ID"] == "r-1"
    assert entry["SIZE"] == "3"
