"""lintian on built packages: its findings, and overrides without a reason."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import process, progress
from toolkit.debian import deb_names, suites

#: `E: package source: tag context` or `E: package (version) changes: …`, with the letter of its severity.
_LINE = re.compile(
    r"(?P<severity>[EW]): (?P<package>\S+?)(?: \([^)]*\))?(?: source| changes)?: (?P<tag>\S+) ?(?P<context>.*)"
)
_SHARED_SYMBOLS = re.compile(r"\S+-dbgsym \S+-dbgsym usr/lib/debug/")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One error (`E`) or warning (`W`) about a package."""

    severity: str
    package: str
    tag: str
    context: str

    def __str__(self) -> str:
        """Return it as lintian prints it."""
        return f"{self.severity}: {self.package}: {self.tag} {self.context}".rstrip()


def run(changes: Sequence[Path]) -> list[Finding]:
    """Return the errors and warnings about the packages of .changes files, without those that are overridden."""
    root = ["--allow-root"] if os.geteuid() == 0 else []
    with progress.watching("LINTIAN", " ".join(path.name for path in changes)) as watch:
        output = process.run(
            ["lintian", "--no-cfg", "--tag-display-limit=0", "--fail-on=none", *root, *changes], watch=watch
        )
    found = [Finding(**match.groupdict()) for match in map(_LINE.fullmatch, output.splitlines()) if match]
    return [finding for finding in found if not _is_unavoidable(finding)]


def _is_unavoidable(finding: Finding) -> bool:
    """Tell whether no file in debian/ can override a finding.

    Debian's archive accepts no zstd, though every dpkg since Debian 12 reads it. Packages of debug symbols are
    debhelper's: they get no overrides, and those of two services with the same extension share a path. lintian knows
    suites of one distribution alone, up to its own age.
    """
    is_zstd = finding.tag == "malformed-deb-archive" and ".tar.zst not" in finding.context
    is_shared = finding.tag == "binaries-have-file-conflict" and _SHARED_SYMBOLS.match(finding.context) is not None
    is_suite = finding.tag == "bad-distribution-in-changes-file" and finding.context in suites.known()
    return is_zstd or is_shared or is_suite or deb_names.is_symbols(finding.package)


def without_reason(debian: Path) -> list[str]:
    """Return `file:line` of each override without a comment above it; other overrides may stand between."""
    paths = [*debian.glob("*.lintian-overrides"), debian / "source" / "lintian-overrides"]
    return [
        f"debian/{path.relative_to(debian)}:{number}"
        for path in sorted(paths)
        if path.is_file()
        for number in _bare(path.read_text(encoding="utf-8").splitlines())
    ]


def _bare(lines: Sequence[str]) -> Iterator[int]:
    is_explained = False
    for number, line in enumerate(lines, 1):
        if line.strip().startswith("#"):
            is_explained = True
        elif not line.strip():
            is_explained = False
        elif not is_explained:
            yield number
