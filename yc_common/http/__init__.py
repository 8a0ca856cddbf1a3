"""An HTTP client with deadlines, retries, a circuit breaker and typed errors; for the other half see `.server`.

    async with http.Client("http://127.0.0.1:8080", timeout=3) as client:
        order = (await client.get("/orders/7")).json(Order)

Needs `yc_common[http]`.
"""

from yc_common.http._client import Client, Observer
from yc_common.http._errors import (
    BadResponseError,
    CircuitOpenError,
    ConnectError,
    ConnectionLostError,
    RequestError,
    StatusError,
    TimedOutError,
)
from yc_common.http._policy import BreakerPolicy, RetryPolicy
from yc_common.http._response import Response

__all__ = [
    "BadResponseError",
    "BreakerPolicy",
    "CircuitOpenError",
    "Client",
    "ConnectError",
    "ConnectionLostError",
    "Observer",
    "RequestError",
    "Response",
    "RetryPolicy",
    "StatusError",
    "TimedOutError",
]
