"""`make reproducible`: two builds of the packages, here and as if on another machine, compared byte for byte."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from toolkit.build.building_options import BuildOptions
from toolkit.core import console, files
from toolkit.core.errors import UserError
from toolkit.debian import deb_build, source_tree
from toolkit.debian.compression import Compression
from toolkit.debian.proof import deb_contents, other_machine
from toolkit.project.debian_control import Control
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings, exported

#: The directories of the two builds: paths of different lengths.
_FIRST, _SECOND = "here", "some/where/else"


def build(
    project: Project, settings: Settings, options: BuildOptions, packaging: Control, compression: Compression
) -> dict[str, str]:
    """Build the binary packages twice, each time from nothing, and return the SHA-256 of each file.

    Raises `UserError` when a build fails, or when the two make different packages; a report is then in dist/.
    """
    directory, logs = settings.build / "reproducible", settings.build / "logs"
    with files.exclusive_and_empty(directory, "comparison of builds"):
        original = directory / "source" / packaging.tree
        source_tree.export(project, settings, packaging, original)
        # No wheel of an earlier build may take part.
        variables = {**deb_build.environment(settings, options, compression), **exported({"WHEEL_STORE": ""})}
        first = shutil.copytree(original, directory / _FIRST / packaging.tree, symlinks=True)
        here = {**variables, **other_machine.HERE}
        first_debs = _build("FIRST", "build, here", deb_build.binary_command(options), first, here, logs)
        second = directory / _SECOND / packaging.tree
        second.mkdir(parents=True)
        one_core = deb_build.binary_command(dataclasses.replace(options, jobs=1))
        with other_machine.simulated(variables, second) as there:
            second_debs = _build(
                "SECOND",
                f"build; what is different: {', '.join(other_machine.varied(first))}",
                there.command(one_core, original),
                second,
                {**there.variables, **exported({"JOBS": "1"})},
                logs,
            )
        return compare(first_debs, second_debs, settings.dist / "reproducible")


def _build(
    tag: str, title: str, command: Sequence[str], tree: Path, variables: Mapping[str, str], logs: Path
) -> list[Path]:
    start = time.monotonic()
    console.step(tag, title)
    deb_build.run(command, tree, variables, logs)
    console.step(tag, f"built ({time.monotonic() - start:.1f} s)")
    return sorted(tree.parent.glob("*.deb"))


def compare(
    first: Sequence[Path], second: Sequence[Path], report: Path, circumstances: Sequence[str] = ()
) -> dict[str, str]:
    """Return the SHA-256 of each file of two builds, by name.

    Raises `UserError` where they differ, which says so after the `circumstances`; the directory `report` then has how.
    """
    if [path.name for path in first] != [path.name for path in second]:
        odd = sorted({path.name for path in first} ^ {path.name for path in second})
        what = f"{', '.join(odd)}: made by one of the two builds only"
        raise UserError(what, "V=2 shows both", "\n".join(circumstances))
    sums = {path.name: files.sha256(path) for path in first}
    differing = [(one, two) for one, two in zip(first, second, strict=True) if files.sha256(two) != sums[one.name]]
    if differing:
        details = "\n".join([*circumstances, *(line for one, two in differing for line in _describe(one, two, report))])
        names = ", ".join(one.name for one, _ in differing)
        raise UserError(f"{names}: not the same in both builds", f"the whole difference is in {report}", details)
    files.remove(report)
    return sums


def _describe(one: Path, two: Path, report: Path) -> list[str]:
    """Write the report of two packages that differ, and return lines that say which files do."""
    report.mkdir(parents=True, exist_ok=True)
    differences = deb_contents.differing(one, two)
    text = deb_contents.diffoscope(one, two) or "".join(f"{line}\n" for line in differences)
    files.write_atomic(report / f"{one.name}.txt", text)
    shown = [f"{one.name}: {line}" for line in differences[:10]]
    return [*shown, *([f"{one.name}: and {len(differences) - 10} more"] if len(differences) > 10 else [])]
