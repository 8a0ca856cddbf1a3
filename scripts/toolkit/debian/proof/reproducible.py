"""`make reproducible`: build the packages twice, here and as if elsewhere, and compare them byte for byte."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from toolkit.build.wheels import BuildOptions
from toolkit.core import console, files, process
from toolkit.core.errors import UserError
from toolkit.debian import deb_build, source_tree
from toolkit.debian.compression import Compression
from toolkit.debian.proof import deb_contents, elsewhere
from toolkit.project.debian_control import Control
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings

#: Paths of different lengths; what stands in both is where the other build takes its files from.
_HERE, _ELSEWHERE = "here", "some/where/else"


def build(
    project: Project, settings: Settings, options: BuildOptions, packaging: Control, compression: Compression
) -> dict[str, str]:
    """Build the binary packages twice, each time from nothing, and return the SHA-256 of each file.

    Raises `UserError` when a build fails, or when the two make different packages; a report is then in dist/.
    """
    directory = settings.build / "reproducible"
    with files.exclusive(directory, "comparison of builds"):
        try:
            files.empty(directory)
            name = f"{packaging.name}-{packaging.upstream_version}"
            original = directory / "source" / name
            source_tree.export(project, settings, packaging, original)
            # Nothing that was built before may take part.
            variables = {**deb_build.environment(settings, options, compression), "WHEEL_STORE": ""}
            first = _build_here(original, directory / _HERE / name, options, variables)
            second = _build_elsewhere(original, directory / _ELSEWHERE / name, options, variables)
            return _compare(first, second, settings)
        finally:
            files.empty(directory)


def _build_here(original: Path, tree: Path, options: BuildOptions, variables: Mapping[str, str]) -> list[Path]:
    start = time.monotonic()
    console.step("FIRST", "build, here")
    tree.mkdir(parents=True)
    process.run(["cp", "--archive", f"{original}/.", tree])
    deb_build.run(deb_build.binary_command(options), tree, {**variables, **elsewhere.HERE})
    console.step("FIRST", f"built ({time.monotonic() - start:.1f} s)")
    return sorted(tree.parent.glob("*.deb"))


def _build_elsewhere(original: Path, tree: Path, options: BuildOptions, variables: Mapping[str, str]) -> list[Path]:
    start = time.monotonic()
    console.step("SECOND", f"build; what is different: {', '.join(elsewhere.varied())}")
    tree.mkdir(parents=True)
    one = dataclasses.replace(options, jobs=1)
    words = elsewhere.command(deb_build.binary_command(one), tree, original)
    with elsewhere.environment(variables, tree) as varied:
        deb_build.run(words, tree, {**varied, "JOBS": "1"})
    console.step("SECOND", f"built ({time.monotonic() - start:.1f} s)")
    return sorted(tree.parent.glob("*.deb"))


def _compare(first: Sequence[Path], second: Sequence[Path], settings: Settings) -> dict[str, str]:
    report = settings.dist / "reproducible"
    if [path.name for path in first] != [path.name for path in second]:
        odd = sorted({path.name for path in first} ^ {path.name for path in second})
        raise UserError(f"{', '.join(odd)}: made by one of the two builds only", "V=2 shows both")
    sums = {path.name: files.sha256(path) for path in first}
    differing = [(one, two) for one, two in zip(first, second, strict=True) if files.sha256(two) != sums[one.name]]
    if differing:
        details = "\n".join(line for one, two in differing for line in _describe(one, two, report))
        names = ", ".join(one.name for one, _ in differing)
        raise UserError(f"{names}: not the same in both builds", f"the whole difference is in {report}", details)
    files.remove_tree(report)
    return sums


def _describe(one: Path, two: Path, report: Path) -> list[str]:
    """Write the report of two packages that differ, and return lines that say which files do."""
    report.mkdir(parents=True, exist_ok=True)
    differences = deb_contents.differing(one, two)
    text = deb_contents.diffoscope(one, two) or "".join(f"{line}\n" for line in differences)
    files.write_atomic(report / f"{one.name}.txt", text)
    shown = [f"{one.name}: {line}" for line in differences[:10]]
    return [*shown, *([f"{one.name}: and {len(differences) - 10} more"] if len(differences) > 10 else [])]
