"""What starts an adopted service, and where that is looked for."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from toolkit.model.names import normalize
from toolkit.scaffold.foreign_files import ForeignFiles

#: Servers of web applications, each with the requirements that bring it.
SERVERS = {
    "daphne": ("daphne",),
    "gunicorn": ("gunicorn",),
    "hypercorn": ("hypercorn",),
    "uvicorn": ("uvicorn", "fastapi[all]", "fastapi[standard]"),
    "waitress-serve": ("waitress",),
}
#: Other programs whose requirement is not called as they are.
_PROVIDERS = {**SERVERS, "fastapi": ("fastapi-cli", "fastapi[all]", "fastapi[standard]"), "huey_consumer": ("huey",)}
#: Requirements of programs that serve, or wait for work. A script of any other is taken for a command.
_OF_SERVERS = frozenset(
    {
        *("aio-pika", "aiohttp", "aiokafka", "aiosmtpd", "apscheduler", "bottle", "celery", "cherrypy"),
        *("confluent-kafka", "daphne", "django", "dramatiq", "fastapi", "flask", "grpcio", "gunicorn", "hypercorn"),
        *("kafka-python", "litestar", "nats-py", "paho-mqtt", "pika", "pyzmq", "quart", "rq", "sanic", "schedule"),
        *("starlette", "tornado", "twisted", "uvicorn", "waitress", "watchdog", "websockets"),
    }
)


@dataclass(frozen=True, kw_only=True)
class Program:
    """What starts a service: a `function` (`module:name`), a `module`, or a `command` of the environment; then `words`.

    `environment` has values for variables that are not set. `process` is its name, where it is not the main one;
    `origin` is where it was found, and `imports` a module without which it cannot do its work. One that `runs_on` is a
    service, any other ends when its work is done.
    """

    function: str = ""
    module: str = ""
    command: str = ""
    words: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    process: str = ""
    origin: str = ""
    imports: str = ""
    runs_on: bool = True

    @property
    def shown(self) -> str:
        """Return what is started, as a person would type it."""
        what = self.command or (f"python -m {self.module}" if self.module else self.function)
        return shlex.join([*what.split(), *self.words])


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What is known of a directory that programs are looked for in.

    `directory` is relative to the repository, and so are the `places` where a Procfile or Dockerfile of it may be;
    `root` is what its modules are imported from. `requires` are names of requirements, `name[extra]` too; `scripts`
    those that its metadata declares, each with `module:function`.
    """

    files: ForeignFiles
    directory: PurePosixPath
    places: tuple[PurePosixPath, ...]
    root: PurePosixPath
    name: str
    requires: frozenset[str]
    scripts: Mapping[str, str]

    def provides(self, program: str) -> bool:
        """Tell whether a requirement brings a program."""
        return not self.requires.isdisjoint(_PROVIDERS.get(program, (normalize(program),)))

    @property
    def serves(self) -> bool:
        """Tell by what is required whether its programs run on."""
        return not self.requires.isdisjoint(_OF_SERVERS)
