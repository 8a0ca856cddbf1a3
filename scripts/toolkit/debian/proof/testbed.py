"""Clean systems of a suite, in which autopkgtest installs packages and runs their tests, without root."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import files, process, progress
from toolkit.core.errors import UserError
from toolkit.debian import apt_sources, build_user, source_package
from toolkit.debian.chroot import Chroot

#: `name  PASS`, `name  FAIL non-zero exit status 1`, in the summary of a run.
_RESULT = re.compile(r"^(?P<test>\S+) +(?P<outcome>PASS|FAIL|SKIP|FLAKY)(?: +(?P<reason>.*))?$", re.MULTILINE)
#: Exit statuses of a run, autopkgtest(1): passed, some skipped, some failed, both, no tests.
_RAN = (0, 2, 4, 6, 8)


@dataclass(frozen=True, kw_only=True)
class Result:
    """How one test ended: PASS, FAIL, SKIP or FLAKY, why, and what it printed."""

    test: str
    outcome: str
    reason: str
    output: str


def run(source: Path, packages: Sequence[Path], clean: Chroot, log: Path) -> list[Result]:
    """Run the tests of a source, a .dsc or a tree with a debian/tests, against these packages.

    `log` receives the output of autopkgtest. Raises `UserError` when it could not run them.
    """
    user = build_user.account()
    with build_user.workspace(user) as base:
        for path in (source, *packages):
            _copy(path, base, user)
        files.link_or_copy(clean.path, base / clean.path.name)
        words = command(source, packages, base / clean.path.name, clean.suite)
        output, status = _run(user, words, base)
        log.parent.mkdir(parents=True, exist_ok=True)
        files.write_atomic(log, output)
        summary = base / "out" / "summary"
        if status not in _RAN or not summary.is_file():
            raise explain(output, clean.suite, log)
        return [_result(found, base / "out") for found in _RESULT.finditer(summary.read_text(encoding="utf-8"))]


def _run(user: build_user.Account, words: Sequence[str], base: Path) -> tuple[str, int]:
    # autopkgtest opens its own output again by name, so that has to be a pipe of the same user.
    piped = ["bash", "-o", "pipefail", "-c", '"$@" 2>&1 | cat', "bash", *words]
    try:
        with progress.watching("SYSTEM", words[0]) as watch:
            return process.run(user.command(piped), cwd=base, env=user.environment(base), watch=watch), 0
    except process.CommandError as error:
        return error.output, error.status


def _copy(path: Path, base: Path, user: build_user.Account) -> None:
    """Copy a tree, or a file with the files that a .dsc names, to a directory that the user may read."""
    if path.is_dir():
        shutil.copytree(path, base / path.name)
        return
    for each in source_package.files_of(path) if path.suffix == ".dsc" else [path]:
        target = shutil.copyfile(each, base / each.name)
        if user.is_other:
            # Links to files of other users are forbidden, protected_hardlinks in proc(5).
            os.chown(target, user.uid, user.gid)


def command(source: Path, packages: Sequence[Path], tarball: Path, suite: str) -> list[str]:
    """Return the command that runs the tests and writes to `out/`."""
    return [
        "autopkgtest",
        "--no-built-binaries",
        "--output-dir=out",
        "--setup-commands=apt-get --quiet --option Acquire::Languages=none update",
        *(f"./{path.name}" for path in packages),
        f"./{source.name}/" if source.is_dir() else f"./{source.name}",
        *("--", "unshare", f"--release={suite}", f"--tarball={tarball}"),
    ]


def _result(found: re.Match[str], directory: Path) -> Result:
    printed = [directory / f"{found['test']}-{stream}" for stream in ("stdout", "stderr")]
    output = "".join(path.read_text(encoding="utf-8", errors="replace") for path in printed if path.is_file())
    return Result(test=found["test"], outcome=found["outcome"], reason=found["reason"] or "", output=output)


def explain(output: str, suite: str, log: Path) -> UserError:
    """Return the reason why autopkgtest ran no tests."""
    if full := build_user.no_space(output, f"{suite}: no space left for a system to test in"):
        return full
    unmet = re.search(r"^ (\S+ : Depends: .*?)(?: but .*)?$", output, re.MULTILINE)
    if unmet:
        return UserError(
            f"{suite} lacks what a package or its tests depend on: {unmet[1]}",
            f"look up its name in that suite; the whole output is in {log}",
            output,
        )
    if apt_sources.UNREACHED.search(output):
        return UserError(
            f"{suite}: the package archive was not reached",
            "check the network, or name another mirror: MIRROR=",
            output,
        )
    return UserError(f"{suite}: autopkgtest could not run", f"the whole output is in {log}", output)
