"""The keys that every service's configuration has."""

from __future__ import annotations

from yc_common.config._types import Address, Duration, Section
from yc_common.logging import LogSettings


class ServiceSettings(Section):
    """How the process lives: the `service` section.

    `drain` is how long accepted work may take to finish once the service was told to stop, `stop` how long shutting
    down may take after that; together they must stay below systemd's `TimeoutStopSec` (90 s by default). `observe` is
    where `/healthz`, `/readyz` and `/metrics` are served; nowhere unless given.
    """

    drain: Duration = Duration(25)
    stop: Duration = Duration(5)
    observe: Address | None = None


class BaseConfig(Section):
    """The start of a service's configuration class: `class Config(service.BaseConfig): ...`."""

    log: LogSettings = LogSettings()
    service: ServiceSettings = ServiceSettings()
