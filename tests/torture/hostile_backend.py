"""A PEP 517 backend that carries out an order before it does what it is asked for.

order.json: {"attack": a function of attacks.py, "at": the hook to do it in, and what the function needs to know}.
"""

import json
import os
from typing import Any

import attacks  # type: ignore[import-not-found]
import tiny_backend  # type: ignore[import-not-found]

with open("order.json", encoding="utf-8") as _stream:
    ORDER = json.load(_stream)


def _attacked(hook: str, output: str) -> Any:
    if ORDER["at"] == hook:
        return getattr(attacks, ORDER["attack"])(attacks.Order(ORDER, hook, os.path.abspath(output) if output else ""))
    return None


def get_requires_for_build_wheel(config_settings: Any = None) -> Any:
    result = _attacked("get_requires_for_build_wheel", "")
    return [] if result is None else result


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: Any = None) -> Any:
    result = _attacked("prepare_metadata_for_build_wheel", metadata_directory)
    return tiny_backend.prepare_metadata_for_build_wheel(metadata_directory) if result is None else result


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: Any = None) -> Any:
    result = _attacked("build_wheel", wheel_directory)
    return tiny_backend.build_wheel(wheel_directory) if result is None else result
