"""Core metadata: what METADATA of a wheel and PKG-INFO of an sdist say of a distribution.

https://packaging.python.org/en/latest/specifications/core-metadata/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.core.foreign_text import one_line
from toolkit.model.names import normalize

if TYPE_CHECKING:
    from email.message import Message

#: Bytes, more than any METADATA has; that of large ones, with their README, has some hundred KiB.
LONGEST = 8 << 20
_LONGEST_LINE = 4096
_CLASSIFIER = "License :: OSI Approved :: "


@dataclass(frozen=True, kw_only=True)
class CoreMetadata:
    """Fields as they are written; empty where a field is missing, or is the `UNKNOWN` of old setuptools.

    `requires` are the values of Requires-Dist (PEP 508). `requires_certain` tells whether every build of the sdist will
    have just these. `extras` are those of Provides-Extra, normalised. `licence_expression` is an SPDX expression;
    `licence` is what else there is, in words. `repeated` is a field that stands there twice, with different values, and
    tells who the distribution is.
    """

    name: str = ""
    version: str = ""
    summary: str = ""
    requires_python: str = ""
    requires: tuple[str, ...] = ()
    requires_certain: bool = False
    extras: tuple[str, ...] = ()
    licence_expression: str = ""
    licence: str = ""
    authors: tuple[str, ...] = ()
    repeated: str = ""


def parse(content: bytes) -> CoreMetadata:
    """Read the bytes of METADATA or PKG-INFO. Lines that are no headers are passed over."""
    # Every verb knows of packages, and few read metadata: the import is a tenth of what `make vendor` takes to see that
    # nothing has changed.
    from email.parser import HeaderParser

    # As the specification has it: the policy compat32, the parser's default, and UTF-8, which BytesHeaderParser does
    # not decode.
    headers = HeaderParser().parsestr(content.decode("utf-8", "replace"))
    return CoreMetadata(
        name=_line(_text(headers, "Name")),
        version=_line(_text(headers, "Version")),
        summary=_line(_text(headers, "Summary")),
        requires_python=_line(_text(headers, "Requires-Python")),
        requires=tuple(map(_line, _texts(headers, "Requires-Dist"))),
        requires_certain=_is_certain(headers),
        extras=tuple(dict.fromkeys(map(normalize, map(_line, _texts(headers, "Provides-Extra"))))),
        licence_expression=_line(_text(headers, "License-Expression")),
        licence=_line(_licence(headers)),
        repeated=next((field for field in ("Name", "Version") if len(_texts(headers, field)) > 1), ""),
        authors=tuple(map(_line, _texts(headers, "Author", "Author-email", "Maintainer", "Maintainer-email"))),
    )


def _texts(headers: Message, *fields: str) -> tuple[str, ...]:
    values = (value.strip() for field in fields for value in headers.get_all(field, ()))
    return tuple(dict.fromkeys(value for value in values if value and value.upper() != "UNKNOWN"))


def _text(headers: Message, field: str) -> str:
    return next(iter(_texts(headers, field)), "")


def _line(text: str) -> str:
    """Return a text on one line, without characters that a terminal would obey: folded headers have line feeds."""
    return one_line(" ".join(text.split()), _LONGEST_LINE)


def _is_certain(headers: Message) -> bool:
    """Tell whether Requires-Dist is final: from version 2.2 on, `Dynamic` names the fields that a build may change."""
    # https://peps.python.org/pep-0643/
    version = re.fullmatch(r"([0-9]{1,4})\.([0-9]{1,4})", _text(headers, "Metadata-Version"))
    if version is None or (int(version[1]), int(version[2])) < (2, 2):
        return False
    return "requires-dist" not in map(str.lower, _texts(headers, "Dynamic"))


def _licence(headers: Message) -> str:
    """Return the licence in words: one line of `License`, else what the classifiers say."""
    written = _text(headers, "License")
    if written and "\n" not in written:
        return written
    named = _texts(headers, "Classifier")
    return ", ".join(value.removeprefix(_CLASSIFIER) for value in named if value.startswith(_CLASSIFIER))
