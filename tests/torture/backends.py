"""Hostile builds: sdists whose backend attacks, in each place where the toolkit runs it, as root and as a user."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.torture import distributions, effects, seats
from tests.torture.distributions import ATTACKS
from tests.torture.listeners import Listeners
from tests.torture.seats import CANARY, Seat
from tests.torture.shelf import Shelf

#: Small limits, so that an attack on them is over soon; in the environment, where the make of a package finds them too.
LIMITS = {
    "PYTHON_COMMON_SANDBOX_TIME": "8",
    "PYTHON_COMMON_SANDBOX_MEMORY": "400M",
    "PYTHON_COMMON_SANDBOX_DISK": "200M",
    "PYTHON_COMMON_SANDBOX_PROCESSES": "100",
    "PYTHON_COMMON_SANDBOX_OUTPUT": "4M",
}
#: Every function of attacks.py that takes an order and begins with no underscore is an attack.
NAMES = tuple(re.findall(r"^def ([a-z]\w*)\(order: Order\)", ATTACKS, re.MULTILINE))
#: Where the toolkit runs a backend: which hook, and the verb that calls it.
STAGES = {
    "hook": ("get_requires_for_build_wheel", "vendor"),
    "metadata": ("prepare_metadata_for_build_wheel", "vendor"),
    "build": ("build_wheel", "build"),
    "deb": ("build_wheel", "deb"),
}
#: What takes results from a build has nothing to take them from before there is one.
ONLY_BUILDS = ("replace_wheel_later", "setuid_wheel", "output_is_link")
_numbers = itertools.count()


@dataclass(frozen=True)
class Attack:
    """One attack in one stage."""

    name: str
    stage: str

    def __str__(self) -> str:
        return f"{self.name} in {self.stage}"


def attacks(stages: tuple[str, ...] = tuple(STAGES)) -> list[Attack]:
    """Return all attacks in these stages."""
    return [
        Attack(name, stage)
        for name in NAMES
        for stage in stages
        if stage in ("build", "deb") or not name.startswith((*ONLY_BUILDS, "wheel_"))
    ]


def carry_out(attack: Attack, seat: Seat, shelf: Shelf, listeners: Listeners, warm: Path) -> Iterator[str]:
    """Yield what went wrong."""
    number = next(_numbers)
    case, marker = f"Tortured{os.getpid()}x{number}", f"torture-marker-{os.getpid()}-{number}"
    name = f"hostile-{number}"
    hook, verb = STAGES[attack.stage]
    seat.reset(f"{name}==1.0", warm=warm)
    order = {
        "attack": attack.name,
        "at": hook,
        "canary": CANARY,
        "marker": marker,
        "case": case,
        "home": str(seat.home),
        "cache": str(seat.cache),
        "project": str(seat.project),
        "public": [str(seat.root.parent / "public")],
        "secrets": [str(seat.home / "other-project/settings.py"), str(seat.root / "private.txt")],
        "tcp": listeners.tcp,
        "udp": listeners.udp,
        "abstract": listeners.abstract,
        "sockets": listeners.paths,
    }
    files = distributions.hostile_tree(name, order, complete=attack.stage != "metadata")
    shelf.add(f"{name.replace('-', '_')}-1.0.tar.gz", distributions.sdist(name, files=files))
    if verb != "vendor":
        done = seat.make("vendor")
        if done.status:
            yield f"make vendor: {done.output[-300:]}"
            return
        seat.git("add", "--all")
        seat.git("commit", "--quiet", "--message", "vendor")
    before = _protected(seat)
    kept = seats.snapshot(seat.cache, "tools", "uv", "tmp")
    done = seat.make(verb, seconds=60)
    yield from effects.messages(done, forged=case)
    yield from effects.processes(done)
    yield from effects.leaks(seat, done)
    yield from effects.markers(seat, marker)
    yield from effects.calls(listeners, case)
    yield from effects.products(seat)
    changed = seats.differences(before, _protected(seat))
    if verb == "vendor" and not done.status:
        changed = [name for name in changed if name.partition("/")[0] != "vendor"]
    if changed:
        yield f"changed: {', '.join(changed[:3])}"
    after = seats.snapshot(seat.cache, "tools", "uv", "tmp")
    # What is written while a build goes on well is new; nothing that was there may be another.
    spoilt = [entry for entry in kept if after.get(entry) != kept[entry]]
    if spoilt:
        yield f"changed in the cache: {', '.join(spoilt[:3])}"
    left = seat.leftovers()
    if left:
        yield f"left behind: {', '.join(left[:3])}"
    if done.status:
        yield from _aftermath(seat)


def _protected(seat: Seat) -> dict[str, str]:
    """Return what a verb has no business to change, but for what is ignored: build/ and dist/."""
    found = seats.snapshot(seat.project, "build", "dist", ".git/index")
    return found | {f"~/{name}": what for name, what in seats.snapshot(seat.home, ".cache", ".virtualenvs").items()}


def _aftermath(seat: Seat) -> Iterator[str]:
    """Yield what is in the way of the next run, which has nothing hostile to do."""
    seat.require("victim")
    after = seat.make("vendor", "build")
    if after.status:
        yield f"the next run failed: {after.output[-200:]!r}"
