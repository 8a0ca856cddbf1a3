"""What services need in their own tests; nothing here is for production.

with testing.captured_logs() as logs, testing.Peer(testing.RESET, testing.Answer(body=b"[]")) as peer: ...
"""

from yc_common.testing._clock import FakeClock
from yc_common.testing._config import write_config
from yc_common.testing._logs import CapturedLogs, captured_logs
from yc_common.testing._peer import CLOSE, HANG, RESET, Answer, Peer, Request
from yc_common.testing._service import running
from yc_common.testing._systemd import JournalSocket, NotifySocket

__all__ = [
    "CLOSE",
    "HANG",
    "RESET",
    "Answer",
    "CapturedLogs",
    "FakeClock",
    "JournalSocket",
    "NotifySocket",
    "Peer",
    "Request",
    "captured_logs",
    "running",
    "write_config",
]
