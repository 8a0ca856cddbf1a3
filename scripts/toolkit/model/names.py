"""Names of distributions."""

from __future__ import annotations

import re


def normalize(name: str) -> str:
    """Return a distribution's name in its normal form (PEP 503): `Foo.Bar_baz` -> `foo-bar-baz`."""
    return re.sub(r"[-_.]+", "-", name).lower()
