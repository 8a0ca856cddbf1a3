"""What holds for every test."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import hypothesis
import pytest

# The same examples each time, few enough for every run; `HYPOTHESIS_EXAMPLES=5000` looks further.
hypothesis.settings.register_profile(
    "toolkit",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "50")),
    suppress_health_check=list(hypothesis.HealthCheck),
)
hypothesis.settings.load_profile("toolkit")

# In a script, a shell has its background jobs (`make test &`) ignore Ctrl-C, and their children inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def signal_handlers() -> Iterator[None]:
    """Put back what a test's code did to signals: the next test starts as a new process would."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
