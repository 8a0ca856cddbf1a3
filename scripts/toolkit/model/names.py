"""Names of distributions."""

from __future__ import annotations

import re

#: https://packaging.python.org/en/latest/specifications/name-normalization/#name-format
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def normalize(name: str) -> str:
    """Return a distribution's name in its normal form (PEP 503): `Foo.Bar_baz` -> `foo-bar-baz`."""
    return re.sub(r"[-_.]+", "-", name).lower()
