"""What the checks of a suite's packages found, as JUnit's XML, which CI systems show."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

from toolkit.core import console, files
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import plain

#: What `plain` leaves though no XML may have it: https://www.w3.org/TR/xml/#charsets.
_NO_XML = re.compile("[\ufffe\uffff]")


class CheckReport:
    """The checks of one suite, each a test case."""

    def __init__(self, suite: str) -> None:
        self._suite = ElementTree.Element("testsuite", name=f"check-deb {suite}")

    @contextmanager
    def case(self, name: str) -> Iterator[None]:
        """Note how a check ends, and how long it takes."""
        start = time.monotonic()
        case = ElementTree.SubElement(self._suite, "testcase", classname=self._suite.get("name", ""), name=name)
        try:
            yield
        except UserError as error:
            failure = ElementTree.SubElement(case, "failure", message=_text(error.what))
            failure.text = _text(str(error))
            raise
        except BaseException as error:
            # An interrupt, or a fault of the machine: nobody knows how the check would have ended.
            ElementTree.SubElement(case, "error", message=_text(f"{type(error).__name__}: {error}"))
            raise
        finally:
            case.set("time", f"{time.monotonic() - start:.3f}")

    def write(self, path: Path) -> None:
        """Write the report."""
        self._suite.set("tests", str(len(self._suite)))
        for kind in ("failure", "error"):
            self._suite.set(f"{kind}s", str(len(self._suite.findall(f"*/{kind}"))))
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_atomic(path, ElementTree.tostring(self._suite, "utf-8", xml_declaration=True))
        console.step("REPORT", str(path))


def _text(text: str) -> str:
    return _NO_XML.sub("?", plain(text))
