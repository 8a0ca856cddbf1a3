"""Write a directory of files from a template of it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from toolkit import files

_PLACEHOLDER = re.compile(r"@([a-z]+)@")
_SUFFIX = ".in"


def render(template: Path, target: Path, values: Mapping[str, str]) -> None:
    """Write `target` (a new or an empty directory) from `template`.

    Every `@word@` in a name or in a text stands for `values["word"]`; a word without a value is a mistake of the
    template (`KeyError`). Names of files end in `.in`, which is taken off: in a template, nothing looks like a package,
    a test or a script to the tools that search for these. Links are copied, and so is the permission to execute.
    """
    target.mkdir(parents=True, exist_ok=True)
    for entry in sorted(template.iterdir()):
        place = target / _fill(entry.name, values).removesuffix(_SUFFIX)
        if entry.is_symlink():
            place.symlink_to(os.readlink(entry))
        elif entry.is_dir():
            render(entry, place, values)
        else:
            files.write_atomic(place, _fill(entry.read_text(encoding="utf-8"), values))
            place.chmod(place.stat().st_mode | (entry.stat().st_mode & 0o111))


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)


def names(service: str, namespace: str) -> dict[str, str]:
    """Return every name that a service goes by, for `render`: `example-service` lives in example_service/."""
    directory = service.replace("-", "_")
    return {
        "namespace": namespace,
        "service": service,
        "directory": directory,
        "module": f"{namespace}_{directory}",
        "script": f"{namespace}-{service}",
        "package": f"{namespace}-{service}",
    }
