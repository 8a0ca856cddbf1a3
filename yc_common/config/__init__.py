"""Typed configuration: one class a service, values from files, credentials, the environment and the command line.

class Config(config.Section):
listen: config.Address = config.Address("127.0.0.1", 8080)
workers: Annotated[int, msgspec.Meta(ge=1)] = 4
password: config.Secret

settings = config.load(Config, "example-service")
"""

from yc_common.config._command import EXIT_CONFIG, build_parser, from_command_line
from yc_common.config._loader import Loader, Value, load
from yc_common.config._problem import ConfigError, Origin, Problem
from yc_common.config._types import Address, Duration, Secret, Section, Size

__all__ = [
    "EXIT_CONFIG",
    "Address",
    "ConfigError",
    "Duration",
    "Loader",
    "Origin",
    "Problem",
    "Secret",
    "Section",
    "Size",
    "Value",
    "build_parser",
    "from_command_line",
    "load",
]
