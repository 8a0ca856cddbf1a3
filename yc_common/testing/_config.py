"""A configuration directory as a service finds it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_config(directory: Path, values: Mapping[str, Any] | str, name: str = "config.yaml") -> Path:
    """Write a configuration (values, or YAML text) below `directory`, as an editor would; return the directory.

    `name` may be `conf.d/10-local.yaml`. The file is dated back, so that a loader need not wait for it to settle.
    """
    file = directory / name
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.new")
    beside.write_text(values if isinstance(values, str) else json.dumps(values, indent=1), "utf-8")
    moment = beside.stat().st_mtime - 10
    os.utime(beside, (moment, moment))
    os.replace(beside, file)
    return directory
