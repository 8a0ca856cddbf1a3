"""A disk that is full at some moment of a verb: nothing is half done, and the next run, with room, ends well."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.torture import effects, kills, seats
from tests.torture.seats import Seat

#: The file system that is full: the project, the caches, or what is built in.
PLACES: Mapping[str, str] = {"project": "project", "caches": "home/.cache", "build": "project/build"}
VERBS = ("vendor", "build", "deb", "create-virtual-environment", "commit-vendor")
NAMES = tuple(f"{verb}, {place}" for verb in VERBS for place in PLACES if (verb, place) != ("vendor", "build"))


def carry_out(name: str, seat: Seat, warm: Path, chance: random.Random) -> Iterator[str]:
    """Yield what went wrong; needs the right to mount."""
    verb_name, place = name.split(", ")
    verb = kills.VERBS[verb_name]
    references, _ = kills.reference_runs(seat, verb, warm)
    grown = _growth(seat, verb, seat.root / PLACES[place])
    verb.turn(seat, 0)
    with_room = grown * chance.uniform(0.0, 0.9)
    small = seat.root / PLACES[place]
    small.mkdir(exist_ok=True)
    mounted = _mount(seat, small, int(with_room))
    try:
        before = verb.made(seat)
        done = seat.warded(verb.argv)
        yield from effects.messages(done)
        yield from effects.processes(done)
        if done.status and "space" not in done.output:
            yield f"it does not say that there is no space: {done.errors}"
        made = verb.made(seat)
        if verb_name in kills.ATOMIC and made not in (before, *references):
            yield f"a mixture: {', '.join(seats.differences(before, made)[:3])}"
        subprocess.run(["mount", "-o", "remount,size=2g", str(mounted)], check=True)
        after = seat.warded(verb.argv)
        if after.status:
            yield f"the next run failed: {after.output[-200:]!r}"
        elif verb.made(seat) != references[0]:
            yield "otherwise after the next run"
        left = seat.leftovers()
        if left:
            yield f"left behind: {', '.join(left[:3])}"
    finally:
        for path in (small, mounted):
            subprocess.run(["umount", "--lazy", str(path)], check=True)


def _growth(seat: Seat, verb: kills.Verb, place: Path) -> int:
    """Return what a verb adds to a place; it has room for some more while it goes on."""
    verb.turn(seat, 0)
    before = seats.size(place)
    seat.warded(verb.argv)
    return max(seats.size(place) - before, 40_000)


def _mount(seat: Seat, place: Path, room: int) -> Path:
    """Put a file system with little room in a place, with what was there before."""
    mounted = seat.root / "small"
    mounted.mkdir(exist_ok=True)
    owner = f"uid={seat.uid},gid={seat.uid},mode=755"
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=2g,{owner}", "none", str(mounted)], check=True)
    seat.run(["cp", "-a", f"{place}/.", str(mounted)], at=seat.root)
    used = _used(mounted)
    subprocess.run(["mount", "-o", f"remount,size={used + room}", str(mounted)], check=True)
    subprocess.run(["mount", "--bind", str(mounted), str(place)], check=True)
    return mounted


def _used(mounted: Path) -> int:
    words = subprocess.run(["df", "--block-size=1", "--output=used", str(mounted)], check=True, capture_output=True)
    return int(words.stdout.split()[-1])
