"""Whatever a stranger's metadata holds, an engine gets lines of known fields, and no address."""

from __future__ import annotations

import re

from hypothesis import example, given

from tests.foreign_values import lines
from tests.unit.engines.test_catalogue import SDIST, Reader, catalogue
from toolkit.model import core_metadata

WORDS = (
    *("Metadata-Version: 2.1\n", "Name: thing\n", "Version: 1.0\n", "Requires-Python: ", "Requires-Dist: ", "lib>=1"),
    *(
        "lib @ ",
        "git+https://host.test/x",
        "file:///x",
        " ; ",
        "extra == 'x'",
        "\n  ",
        "\r",
        "[x]",
        "-r x",
        "--index-url",
    ),
)


@given(lines(*WORDS))
@example(b"Requires-Dist: lib\r\n -r /etc/passwd\n")
@example(b"Requires-Dist: lib @ https://host.test/x ; extra == '\n\nx'\n")
@example(b"Requires-Dist: lib ; " + b"(" * 1300 + b"python_version > '3'" + b")" * 1300)
@example(b"Requires-Dist: lib>=" + b"1" * 4090)
@example(b"Requires-Python: >=3\n Requires-Dist: evil\n")
def test_an_engine_gets_known_fields_and_no_address(content: bytes) -> None:
    found = core_metadata.parse(content)
    reader = Reader(*found.requires, requires_python=found.requires_python)
    shown = catalogue(SDIST, reader=reader)
    text = shown.metadata("thing", "1.0")
    assert shown.faults == []
    listed = text.split("\n")
    assert listed.pop() == ""
    assert listed[:3] == ["Metadata-Version: 2.1", "Name: thing", "Version: 1.0"]
    assert all(re.match(r"(Requires-Python|Provides-Extra|Requires-Dist): ", line) for line in listed[3:])
    assert not any(part in text for part in ("://", "git+", "\r"))
