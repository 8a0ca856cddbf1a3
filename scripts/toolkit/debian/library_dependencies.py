"""What those depend on who use the libraries in packages, deb-shlibs(5): dh_makeshlibs writes it, unasked.

It believes the name that a library has for itself (SONAME). With one that is called `libx.so.1 telnetd,` and another
file that is linked to libx.so.1, dh_shlibdeps makes their own package depend on telnetd.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from toolkit.core import directories, process
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import quoted
from toolkit.debian import deb_names


def check(debs: Iterable[Path]) -> None:
    """Raise `UserError` for a package whose libraries make their users depend on any package but these."""
    paths = tuple(debs)
    names = deb_names.by_package(paths).keys()
    for path in paths:
        for line in _lines(path):
            others = sorted(set(_packages(line)) - names)
            if others:
                raise UserError(
                    f"{path.name} looks like an attack: a library in it is called so that users of it depend on "
                    f"{quoted(others[0])}: {quoted(line)}",
                    "do not use what brings that library: see which does, `objdump -p` shows the name (SONAME)",
                )


def _lines(deb: Path) -> Iterator[str]:
    with directories.temporary(Path(tempfile.gettempdir()), "python-common-shlibs-") as directory:
        process.run(["dpkg-deb", "--control", deb, directory])
        path = directory / "shlibs"
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            yield from (line for line in text.splitlines() if line.strip() and not line.startswith("#"))


def _packages(line: str) -> Iterator[str]:
    """Yield the names of the packages in a line: `[type:] library version relations`."""
    relations = re.sub(r"^\S+:\s+", "", line).split(None, 2)[2:]
    for relation in re.split(r"[,|]", "".join(relations)):
        yield relation.partition("(")[0].strip()
