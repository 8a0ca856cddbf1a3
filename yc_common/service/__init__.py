"""The life of a process: start-up, readiness, watchdog, reload, drain, stop, exit status.

async def app(service: Service[Config]) -> None:
store = await service.enter(open_store(service.config.database))
server = await start_server(service.config.listen, store)
service.on_drain(server.finish)

service.main(app, Config, "example-service")
"""

from yc_common.service._notify import Notifier
from yc_common.service._run import App, main, run
from yc_common.service._service import Check, Hook, Phase, ReloadHook, Service
from yc_common.service._settings import BaseConfig, ServiceSettings

__all__ = [
    "App",
    "BaseConfig",
    "Check",
    "Hook",
    "Notifier",
    "Phase",
    "ReloadHook",
    "Service",
    "ServiceSettings",
    "main",
    "run",
]
