"""What an aiohttp server of a service needs: request ids, errors as responses, metrics, an access log, draining.

application = web.Application(middlewares=[server.middleware(service)])
await server.serve(service, application, service.config.listen)
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from yc_common import errors, logging
from yc_common.config import Address
from yc_common.listen import listen, release
from yc_common.service import Service

__all__ = ["Observer", "middleware", "serve"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
#: Called with method, route, status and seconds of every request, for metrics.
Observer = Callable[[str, str, int, float], None]

#: What may come as somebody else's request id: it ends up in logs and headers.
_IDENTITY = re.compile(r"[A-Za-z0-9._\-]{1,64}")

_log = logging.get("yc_common.http.server")


def middleware(service: Service[Any], observer: Observer | None = None) -> Any:
    """Return the middleware: a request counts as accepted work, and every exception becomes a response."""

    @web.middleware
    async def handle(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("X-Request-Id", "")
        identity = given if _IDENTITY.fullmatch(given) else logging.new_id()
        began = time.perf_counter()
        with logging.context(request_id=identity), service.work(f"{request.method} {request.path}"):
            response = await _respond(request, handler, identity)
            seconds = time.perf_counter() - began
            resource = request.match_info.route.resource
            route = resource.canonical if resource else "unknown"
            if service.stop_event.is_set():
                response.force_close()  # so that a kept connection does not bring work for ever
            _log.info(
                "request", method=request.method, path=request.path, status=response.status, seconds=round(seconds, 6)
            )
            if observer:
                observer(request.method, route, response.status, seconds)
        return response

    return handle


async def _respond(request: web.Request, handler: Handler, identity: str) -> web.StreamResponse:
    try:
        response = await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        response = _failure(errors.Error(errors.Code.from_status(error.status), error.reason), identity)
        response.set_status(error.status)
        response.headers.update({key: value for key, value in error.headers.items() if key == "Allow"})
    except errors.Error as error:
        response = _failure(error, identity)
    except Exception as error:
        _log.exception("request failed", method=request.method, path=request.path)
        response = _failure(error, identity)
    if not response.prepared:
        response.headers["X-Request-Id"] = identity
    return response


def _failure(error: BaseException, identity: str) -> web.Response:
    status, headers, body = errors.to_response(error, identity)
    return web.Response(status=status, headers=headers, body=body)


async def serve(service: Service[Any], application: web.Application, address: Address) -> Address:
    """Serve until the service drains, then take no new connections and finish the requests that came.

    Returns where it listens, with the port that the system chose when the given one is 0.
    """
    listening = listen(address)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=30.0, handle_signals=False)
    service.on_stop(lambda: release(listening))
    service.on_stop(runner.cleanup)
    await runner.setup()
    site = web.SockSite(runner, listening.dup(), backlog=512)
    await site.start()
    service.on_drain(site.stop)
    bound = address if address.path else Address(*listening.getsockname()[:2])
    _log.info("listening", address=str(bound))
    return bound
