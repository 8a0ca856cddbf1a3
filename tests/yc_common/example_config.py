"""The configuration that these tests read."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest

from yc_common import config
from yc_common.testing import write_config


class Color(Enum):
    RED = "red"
    GREEN = "green"


class Log(config.Section):
    level: Literal["debug", "info", "warning"] = "info"
    flag: bool = False


class Server(config.Section):
    host: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 80


class Settings(config.Section):
    listen: config.Address = config.Address("127.0.0.1", 8080)
    workers: Annotated[int, msgspec.Meta(ge=1)] = 4
    ratio: float = 0.5
    name: str = "x"
    nick: str | None = None
    color: Color = Color.RED
    log: Log = Log()
    tags: list[str] = []  # noqa: RUF012 - msgspec copies it
    servers: list[Server] = []  # noqa: RUF012
    named: dict[str, Server] = {}  # noqa: RUF012
    pause: config.Duration = config.Duration(3)
    memory: config.Size = config.Size(1024)
    password: config.Secret | None = None
    state: Path = Path("/var/lib/x")

    def __post_init__(self) -> None:
        if self.workers == 13:
            raise ValueError("13 workers bring bad luck")


def load(directory: Path, text: str = "", **more: object) -> Settings:
    write_config(directory, text)
    return config.load(Settings, "example-service", directory=directory, environment={}, **more)  # type: ignore[arg-type]


def mistakes(directory: Path, text: str, **more: object) -> list[str]:
    with pytest.raises(config.ConfigError) as caught:
        load(directory, text, **more)
    return [line.removeprefix(f"{directory}/") for line in str(caught.value).splitlines()]
