"""A service inside a test's own event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from yc_common.config import Loader, Section
from yc_common.service import App, Service
from yc_common.service._run import Life

C = TypeVar("C", bound=Section)


@asynccontextmanager
async def running(app: App[C], config: C | Loader[C], *, name: str = "test") -> AsyncIterator[Service[C]]:
    """Run a service for the length of the block: it is ready when the block begins, drained and stopped after it.

    Raises what made it crash, or `AssertionError` when it did not end as it should.
    """
    life = Life(app, config, name)
    task = asyncio.ensure_future(life.live(asyncio.get_running_loop()))
    while not task.done() and (life.service is None or life.service.phase == "starting"):
        await asyncio.sleep(0.001)
    service = life.service
    assert service is not None
    try:
        if not task.done() and service.phase == "ready":
            yield service
    finally:
        service.stop("the test is over")
        try:
            status = await task
        finally:
            life.close()
    if service.failure is not None:
        raise service.failure
    assert status == 0, "the service did not drain or stop in time"
