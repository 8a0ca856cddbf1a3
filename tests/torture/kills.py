"""SIGKILL for make's whole process group at random moments: what is there afterwards is the old or the new."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.torture import distributions, effects, seats
from tests.torture.seats import Done, Seat, Tree
from tests.torture.shelf import Shelf

#: What the service requires in either state.
STATES = (("victim==1.0", "wire==1.0"), ("spare==1.0", "victim==1.0", "wire==2.0"))
_SLOW = "import time\nfrom tiny_backend import *\nimport tiny_backend\ndef build_wheel(*a, **k):\n"
_SLOW += "    time.sleep(0.2)\n    return tiny_backend.build_wheel(*a, **k)\n"


@dataclass(frozen=True)
class Verb:
    """A verb: how it is called, what it makes, and how that is brought from one state to the other."""

    argv: tuple[str, ...]
    made: Callable[[Seat], Tree]
    turn: Callable[[Seat, int], None]


def publish(shelf: Shelf) -> None:
    """Put on the index what the states require; each takes a moment to build."""
    for name, version in (("victim", "1.0"), ("wire", "1.0"), ("wire", "2.0"), ("spare", "1.0")):
        files = distributions.tree(name, version)
        files |= {"pyproject.toml": distributions.build_system("slow"), "slow.py": _SLOW}
        shelf.add(f"{name}-{version}.tar.gz", distributions.sdist(name, version, files=files))


def _kept(seat: Seat, state: int) -> Path:
    return seat.root / f"vendor-{state}"


def require(seat: Seat, state: int) -> None:
    seat.require(*STATES[state])


def _vendored(seat: Seat, state: int) -> None:
    """Put the vendor/ of a state in its place."""
    require(seat, state)
    seats.remove(seat.project / "vendor")
    seat.run(["cp", "-a", str(_kept(seat, state)), str(seat.project / "vendor")])


def _unbuilt(seat: Seat, state: int) -> None:
    _vendored(seat, state)
    seats.remove(seat.cache / "store")


def _uninstalled(seat: Seat, state: int) -> None:
    _vendored(seat, state)
    seats.remove(seat.root / "installed")


def _released(seat: Seat, state: int) -> None:
    _vendored(seat, state)
    seat.write("debian/changelog", seats.CHANGELOG.replace("(1.0)", f"({state + 1}.0)"))
    seat.git("add", "--all")
    seat.git("commit", "--quiet", "--allow-empty", "--message", f"state {state}")


def _store(seat: Seat) -> Tree:
    """Return the wheels of the store by their names: entries that are not finished are nobody's business."""
    return {path.name: distributions.digest(path.read_bytes()) for path in seat.cache.glob("store/**/*.whl")}


def _packages(seat: Seat) -> Tree:
    dist = seat.project / "dist"
    return {
        name: what if name.endswith(".deb") else ""
        for name, what in seats.snapshot(dist).items()
        if not name.endswith((".log", ".build"))
    }


def _environment(seat: Seat) -> Tree:
    found = seats.snapshot(seat.home / ".virtualenvs" / "project")
    return {name: what for name, what in found.items() if "__pycache__" not in name}


def _committed(seat: Seat) -> Tree:
    """Return what the last commit has of vendor/; raises where the repository is damaged."""
    seat.git("fsck", "--no-dangling", "--no-progress")
    lines = seat.git("ls-tree", "-r", "HEAD", "--", "vendor").splitlines()
    return {line.partition("\t")[2]: line.partition("\t")[0] for line in lines}


VERBS: Mapping[str, Verb] = {
    "vendor": Verb(("make", "vendor"), lambda seat: seats.snapshot(seat.project / "vendor"), require),
    "build": Verb(("make", "build"), _store, _unbuilt),
    "install": Verb(
        ("make", "install", "DESTDIR=../installed"), lambda seat: seats.snapshot(seat.root / "installed"), _uninstalled
    ),
    "deb": Verb(("make", "deb"), _packages, _released),
    "create-virtual-environment": Verb(("./create-virtual-environment",), _environment, _vendored),
    "commit-vendor": Verb(("make", "commit-vendor"), _committed, _vendored),
}
#: What promises to be the old or the new at any moment; the others are only to be whole after the next run.
ATOMIC = ("vendor", "deb", "create-virtual-environment", "commit-vendor")


def batch(name: str, number: int, seat: Seat, warm: Path, chance: random.Random) -> Iterator[list[str]]:
    """Kill a verb a number of times, and yield what went wrong with each."""
    verb = VERBS[name]
    references, durations = reference_runs(seat, verb, warm)
    for turn in range(number):
        state = turn % 2
        verb.turn(seat, state)
        done = seat.warded(verb.argv, kill_after=chance.uniform(0, max(durations) * 1.1))
        yield list(_killed(name, seat, verb, done, references, state))


def reference_runs(seat: Seat, verb: Verb, warm: Path) -> tuple[list[Tree], list[float]]:
    """Return what the verb makes in either state, and how long that takes."""
    seat.reset(warm=warm)
    for state in (0, 1):
        require(seat, state)
        succeed(seat, ("make", "vendor"))
        seats.remove(_kept(seat, state))
        seat.run(["cp", "-a", "vendor", str(_kept(seat, state))])
    references, durations = [], []
    for state in (0, 1):
        verb.turn(seat, state)
        done = succeed(seat, verb.argv)
        durations.append(float(done.seen["seconds"]))
        references.append(verb.made(seat))
    return references, durations


def succeed(seat: Seat, argv: tuple[str, ...]) -> Done:
    done = seat.warded(argv)
    if done.status:
        raise RuntimeError(f"{' '.join(argv)}: {done.output[-500:]}")
    return done


def _killed(name: str, seat: Seat, verb: Verb, done: Done, references: list[Tree], state: int) -> Iterator[str]:
    moment = f"killed after {done.seen['seconds']:.2f} s" if done.seen["killed"] else "not killed"
    if done.seen["left"]:
        yield f"{moment}: left running: {done.seen['left'][0][:80]!r}"
    if done.seen["mounted"]:
        yield f"{moment}: left mounted: {done.seen['mounted'][0]}"
    if not done.seen["killed"] and done.status:
        yield f"it failed: {done.output[-200:]!r}"
    made = verb.made(seat)
    if name in ATOMIC and made not in references:
        changed = seats.differences(references[state], made)
        yield f"{moment}: a mixture: {', '.join(changed[:3])} of {len(changed)}"
    after = seat.warded(verb.argv)
    if after.status:
        yield f"{moment}: the next run failed: {after.output[-300:]!r}"
        return
    changed = seats.differences(references[state], verb.made(seat))
    if changed:
        yield f"{moment}: after the next run, otherwise: {', '.join(changed[:3])} of {len(changed)}"
    left = seat.leftovers()
    if left:
        yield f"{moment}: left behind: {', '.join(left[:3])}"
    yield from effects.products(seat)
