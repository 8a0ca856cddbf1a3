"""The life of packages in a clean system, as piuparts runs it: installed, upgraded, removed, with nothing left."""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.utils import formatdate
from pathlib import Path

from toolkit.core import console, directories, files
from toolkit.core.errors import UserError
from toolkit.debian.chroot import Chroot
from toolkit.debian.proof import loaded, testbed
from toolkit.debian.proof.loaded import PackedEnvironment

SCRIPT = Path(__file__).with_suffix(".sh")
_CONTROL = """\
Source: lifecycle
Maintainer: Nobody <nobody@localhost>

Package: lifecycle
Architecture: all
Description: nothing
"""
_CHANGELOG = "lifecycle (1) unstable; urgency=low\n\n  * None.\n\n -- Nobody <nobody@localhost>  {date}\n"
_TEST = "Tests: lifecycle\nDepends:\nRestrictions: needs-root, breaks-testbed, allow-stderr\n"
#: The error and its hint for paths that are there, or have changed, after a step.
_MEANINGS = {
    "reinstall": ("it changes files that dpkg installed", "a file that changes belongs below /var or /run"),
    "rollback": ("it changes files that dpkg installed", "a file that changes belongs below /var or /run"),
    "upgrade": ("it changes files that dpkg installed", "a file that changes belongs below /var or /run"),
    "remove": ("removed, but still there", "dpkg removes a package's own files: see its maintainer scripts"),
    "purge": ("purged, but it left or changed", "undo it in the `purge` of debian/{name}.postrm"),
}


def check(
    packages: Sequence[Path], older: Sequence[Path], environments: Sequence[PackedEnvironment], clean: Chroot, log: Path
) -> None:
    """Install, upgrade from `older` (or reinstall), load, remove and purge packages.

    Raises `UserError` for what is wrong.
    """
    with directories.temporary(log.parents[1], "lifecycle-") as scratch:
        tree = scratch / "lifecycle"
        _write(tree, packages, older)
        loaded.write(tree / "load", environments)
        [result] = testbed.run(tree, packages, clean, log)
    wrong, output = [], []
    told: dict[tuple[str, str], str] = {}
    # Not `splitlines`: what modules say of themselves may hold anything that ends a line for Python alone.
    for line in result.output.split("\n"):
        match line.split(" ", 3):
            case ["STEP", name, step]:
                console.debug(f"{name}: {step}")
            case ["WRONG", name, step, path]:
                wrong.append((name, step, path))
            case [("LOADED" | "HAS") as what, name, *_]:
                told[name, what] = line.split(" ", 2)[2]
                continue
        output.append(line)
    if wrong:
        raise error(wrong, "\n".join(output), log)
    if result.outcome != "PASS":
        raise UserError(f"{clean.suite}: {result.reason}", f"the whole output is in {log}", "\n".join(output))
    for environment in environments:
        failed, known = (told.get((environment.package, what), "") for what in ("LOADED", "HAS"))
        loaded.judge(environment, failed, known, log)


def _write(tree: Path, packages: Sequence[Path], older: Sequence[Path]) -> None:
    (tree / "debian" / "tests").mkdir(parents=True)
    (tree / "debian" / "control").write_text(_CONTROL, encoding="utf-8")
    (tree / "debian" / "changelog").write_text(_CHANGELOG.format(date=formatdate(localtime=True)), encoding="utf-8")
    (tree / "debian" / "tests" / "control").write_text(_TEST, encoding="utf-8")
    files.link_or_copy(SCRIPT, tree / "debian" / "tests" / "lifecycle")
    for directory, debs in (("new", packages), ("old", older)):
        (tree / directory).mkdir()
        # Their names may be any.
        for number, deb in enumerate(debs):
            files.link_or_copy(deb, tree / directory / f"{number}.deb")


def error(wrong: Sequence[tuple[str, str, str]], output: str, log: Path) -> UserError:
    """Return the error of the first step that went wrong, with all its paths; `wrong` has package, step and path."""
    name, step, _ = wrong[0]
    paths = [path for package, when, path in wrong if (package, when) == (name, step)]
    older = ", the one of UPGRADE_FROM" if step.endswith("-older") else ""
    if step.startswith("depends"):
        unmet = re.search(r"^ *(\S+ : (?:Pre-)?Depends: .+)$", output, re.MULTILINE)
        mirror = ", or name another mirror: MIRROR=" if not unmet or "not installable" in unmet[1] else ""
        return UserError(
            f"{name}{older}: what it depends on cannot be installed{f': {unmet[1]}' if unmet else ''}",
            f"depend on what that suite has{mirror}; the whole output is in {log}",
            output,
        )
    if older:
        return UserError(
            f"{name}{older}: it cannot be installed", f"name one that can; the whole output is in {log}", output
        )
    if paths == ["-"]:
        return UserError(f"{name}: {step} failed", f"the whole output is in {log}", output)
    what, hint = _MEANINGS[step]
    shown = ", ".join(paths[:5]) + (f" and {len(paths) - 5} more" if len(paths) > 5 else "")
    return UserError(f"{name}: {what} {shown}", hint.format(name=name))
