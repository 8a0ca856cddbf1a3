"""The life of packages in a clean system, as piuparts runs it: installed, upgraded, removed, with nothing left.

Where a machine can be booted, their units live there as well: started by the installation, asked, restarted.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from pathlib import Path

from toolkit.core import console, directories, files, process, progress
from toolkit.core.errors import UserError
from toolkit.debian import build_user
from toolkit.debian.chroot import Chroot
from toolkit.debian.proof import loaded, machine, readiness, testbed
from toolkit.debian.proof.loaded import PackedEnvironment
from toolkit.debian.proof.testbed import Result
from toolkit.install import load_overrides
from toolkit.install.load_overrides import Override

SCRIPT, UNITS = Path(__file__).with_suffix(".sh"), Path(__file__).with_name("units.sh")
#: Whether units are started in a machine that boots: where one can be booted, always, or never.
AUTO, REQUIRED, NO = BOOT = ("auto", "required", "no")
_CONTROL = """\
Source: lifecycle
Maintainer: Nobody <nobody@localhost>

Package: lifecycle
Architecture: all
Description: nothing
"""
_CHANGELOG = "lifecycle (1) unstable; urgency=low\n\n  * None.\n\n -- Nobody <nobody@localhost>  {date}\n"
_TEST = "Tests: lifecycle\nDepends:\nRestrictions: needs-root, breaks-testbed, allow-stderr\n"
_UNIT = (
    "what it said is above; one that cannot run before it is set up says so: by ConditionPathExists=, or by "
    "`dh_installsystemd --no-enable --no-start` in debian/rules"
)
_KEPT = "or name it, with a reason, in debian/{name}.check-overrides"
#: The error and its hint for what is there, has changed, or does not run after a step.
_MEANINGS = {
    "upgrade": ("it changes files that dpkg installed", "a file that changes belongs below /var or /run"),
    "start": ("installed, but a unit does not run:", _UNIT),
    "start-again": ("installed once more, or upgraded, but a unit does not run:", _UNIT),
    "start-rolled-back": (
        "a unit that ran does not run once the older package is back:",
        f"what the newer one has written has to be readable for the older one; {_KEPT}",
    ),
    "reload": ("told to reload, a unit does not, or runs no more:", "see ExecReload= of the unit"),
    "restart": ("restarted, a unit does not run:", _UNIT),
    "remove": ("removed, but still there", "dpkg removes a package's own files: see its maintainer scripts"),
    "stop": ("removed, but processes are left of", "dh_installsystemd stops units that it knows: see debian/rules"),
    "purge": ("purged, but it left or changed", f"undo it in the `purge` of debian/{{name}}.postrm, {_KEPT}"),
}


@dataclass(frozen=True, kw_only=True)
class Lives:
    """Packages, and older ones to upgrade from; the environments in them; and `debian`, the directory of overrides.

    `boot` is one of `BOOT`.
    """

    packages: Sequence[Path]
    older: Sequence[Path]
    environments: Sequence[PackedEnvironment]
    debian: Path
    boot: str

    @property
    def have_units(self) -> bool:
        """Tell whether systemd has something to run of these packages."""
        listed = (process.read(["dpkg-deb", "--contents", deb]) for deb in self.packages)
        return any(
            re.search(r"/lib/systemd/system/[^/@]+\.(service|socket|timer|path)$", text, re.MULTILINE)
            for text in listed
        )


def check(lives: Lives, clean: Chroot, log: Path) -> None:
    """Install, upgrade from older packages (or reinstall), start, load, remove and purge packages.

    Raises `UserError` for what is wrong.
    """
    with directories.temporary(log.parents[1], "lifecycle-") as scratch:
        tree = scratch / "lifecycle"
        _write(tree, lives)
        result = _run(tree, lives, clean, log)
    told = _read(result.output)
    for name, units in told.ran.items():
        console.step("STARTED", f"{name}: {', '.join(units)}")
    for unit, why in told.idle.items():
        console.note(f"  {unit} did not run: {why}")
    if remaining := _without_overridden(told, lives):
        raise error(remaining, told.output, log)
    if not told.has_ended:
        raise UserError(f"{clean.suite}: {result.reason}", f"the whole output is in {log}", told.output)
    for environment in lives.environments:
        loaded.judge(environment, told.failed.get(environment.package, ""), told.has.get(environment.package, ""), log)


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What the script has told: what went wrong (package, step, what), and by package its units that ran.

    `idle` has why others did not; `failed` and `has` are what it says of loading, by package. `output` is the rest, for
    a reader. Only one that `has_ended` has come to all that there is to check.
    """

    wrong: list[tuple[str, str, str]] = field(default_factory=list)
    ran: dict[str, dict[str, None]] = field(default_factory=dict)
    idle: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    has: dict[str, str] = field(default_factory=dict)
    output: str = ""
    has_ended: bool = False


def _read(text: str) -> _Told:
    told, rest, has_ended = _Told(), [], False
    # Not `splitlines`: what modules say of themselves may hold anything that ends a line for Python alone.
    for line in text.split("\n"):
        match line.split(" ", 3):
            case ["LOADED", name, *_]:
                told.failed[name] = line.split(" ", 2)[2]
                continue
            case ["HAS", name, *_]:
                told.has[name] = line.split(" ", 2)[2]
                continue
            case ["STEP", "-", "end"]:
                has_ended = True
            case ["STEP", name, step]:
                console.debug(f"{name}: {step}")
            case ["WRONG", name, step, what]:
                told.wrong.append((name, step, what))
            case ["RUNS", name, unit]:
                told.ran.setdefault(name, {})[unit] = None
            case ["IDLE", name, unit, why]:
                told.idle[f"{name}: {unit}"] = why
        rest.append(line)
    return replace(told, output="\n".join(rest), has_ended=has_ended)


def _run(tree: Path, lives: Lives, clean: Chroot, log: Path) -> Result:
    """Run the script in a machine that boots where units are to be started and one can be; else in a testbed."""
    if lives.boot != NO and lives.have_units:
        obstacle = machine.obstacle()
        if not obstacle:
            output, kept = tree.parent / "output", log.with_name(f"boot-{clean.suite}.log")
            with _proxies(tree / "proxies"), progress.watching("SYSTEM", f"{clean.suite}, booted") as watch:
                status = machine.run(tree, clean.path, output, watch)
            text = output.read_text(encoding="utf-8", errors="replace")
            log.parent.mkdir(parents=True, exist_ok=True)
            # Where nothing could be fetched, a testbed could not either.
            has_run = re.search(r"^(BOOTED$|WRONG )", text, re.MULTILINE)
            files.write_atomic(log if has_run else kept, text)
            if has_run:
                outcome = "FAIL" if status else "PASS"
                return Result(test="lifecycle", outcome=outcome, reason=f"it ended with status {status}", output=text)
            obstacle = f"it did not come up: {kept}"
        if lives.boot == REQUIRED:
            raise UserError(f"{clean.suite}: no machine can be booted here: {obstacle}", "BOOT=no starts no unit")
        console.warn(f"{clean.suite}: no unit is started, as no machine can be booted here: {obstacle}")
    [result] = testbed.run(tree, lives.packages, clean, log)
    return result


@contextmanager
def _proxies(path: Path) -> Iterator[None]:
    """Write the proxies of this environment to a file, for a shell to read: they may have passwords."""
    lines = (f"export {name}={shlex.quote(value)}\n" for name, value in build_user.proxies().items())
    path.touch(0o600)
    path.write_text("".join(lines), encoding="utf-8")
    try:
        yield
    finally:
        path.unlink()


def _without_overridden(told: _Told, lives: Lives) -> list[tuple[str, str, str]]:
    """Return what no override of its package is for; warn of overrides that are for nothing. Raises `UserError`."""
    found, used = [], set()
    overrides: dict[str, tuple[Override, ...]] = {}
    for path in sorted(lives.debian.glob("*.check-overrides")):
        overrides[path.name.rpartition(".")[0]] = load_overrides.read(path, f"debian/{path.name}", "it may be so")
    for name, step, what in told.wrong:
        fitting = [each for each in overrides.get(name, ()) if each.matches(what.partition(": ")[0])]
        used.update(fitting)
        if what == "-" or not fitting:
            found.append((name, step, what))
    # Where nothing has run, there may be nothing to override.
    if told.ran or not lives.have_units:
        for each in (each for many in overrides.values() for each in many if each not in used):
            console.warn(f"{each.origin}: {each.pattern} is nothing that this check has found")
    return found


def _write(tree: Path, lives: Lives) -> None:
    (tree / "debian" / "tests").mkdir(parents=True)
    (tree / "debian" / "control").write_text(_CONTROL, encoding="utf-8")
    (tree / "debian" / "changelog").write_text(_CHANGELOG.format(date=formatdate(localtime=True)), encoding="utf-8")
    (tree / "debian" / "tests" / "control").write_text(_TEST, encoding="utf-8")
    files.link_or_copy(SCRIPT, tree / "debian" / "tests" / "lifecycle")
    files.link_or_copy(UNITS, tree / UNITS.name)
    for directory, debs in (("new", lives.packages), ("old", lives.older)):
        (tree / directory).mkdir()
        # Their names may be any.
        for number, deb in enumerate(debs):
            files.link_or_copy(deb, tree / directory / f"{number}.deb")
    loaded.write(tree / "load", lives.environments)
    files.link_or_copy(Path(readiness.__file__), tree / "load" / "readiness.py")


def error(wrong: Sequence[tuple[str, str, str]], output: str, log: Path) -> UserError:
    """Return the error of the first step that went wrong, with all of it; `wrong` has package, step, path or unit."""
    name, step, _ = wrong[0]
    if step == "update":
        return UserError(
            "the package archive was not reached", "check the network, or name another mirror: MIRROR=", output
        )
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
    said = output if step in ("start", "start-again", "start-rolled-back", "reload", "restart") else ""
    most = 20 if said else 5
    shown = ", ".join(paths[:most]) + (f" and {len(paths) - most} more" if len(paths) > most else "")
    return UserError(f"{name}: {what} {shown}", hint.format(name=name), said)
