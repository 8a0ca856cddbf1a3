"""Foreign bytes, as root and as a user: archives, wheels, answers of the index, a bad network."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path

from tests.torture import effects, seats
from tests.torture.answers import ANSWERS, CALLED, FAULTS, GOOD, PASSING, Change
from tests.torture.archives import ARCHIVES, MARKER
from tests.torture.seats import Done, Seat
from tests.torture.shelf import Shelf
from tests.torture.wheels import WHEELS

#: What nobody is to be told who was just sent something foul, and what is not so while vendoring.
_BAD_ADVICE = re.compile(r"^ hint: .*(vendor\.txt|SANDBOX=off|restore .* from git)", re.MULTILINE)
#: How long a refusal may take, and how much it may leave in the cache.
SECONDS, BYTES = 60.0, 150e6


def archive(name: str, seat: Seat, shelf: Shelf, warm: Path) -> Iterator[str]:
    """Yield what went wrong when an sdist was vendored, and, if it was taken, built."""
    it = ARCHIVES[name]
    shelf.files.pop("bad", None)
    shelf.add(f"bad-1.0{it.suffix}", it.make(), project="bad")
    refused = yield from _verbs(seat, warm, {"vendor": {}, "build": {}}, ("bad",), advised=it.harmless)
    if not refused and not it.harmless:
        yield "it was taken"


def wheel(name: str, seat: Seat, shelf: Shelf, warm: Path) -> Iterator[str]:
    """Yield what went wrong when a wheel was vendored, and, if it was taken, installed."""
    it = WHEELS[name]
    shelf.files.pop("bad", None)
    shelf.add("bad-1.0-py3-none-any.whl", it.make(), project="bad")
    verbs = {"vendor": {}, "build": {}, "install": {"DESTDIR": str(seat.root / "installed")}}
    refused = yield from _verbs(seat, warm, verbs, ("bad",), ("bad",))
    if not refused and not it.harmless:
        yield "it was taken"
    for path in (seat.root / "installed").rglob("*"):
        if not path.is_symlink() and path.is_file() and path.stat().st_mode & 0o6000:
            yield f"{path.name} was installed setuid"
    seats.remove(seat.root / "installed")


def answer(name: str, seat: Seat, shelf: Shelf, warm: Path) -> Iterator[str]:
    """Yield what went wrong with an answer of the index."""
    yield from _answered(ANSWERS[name], seat, shelf, warm, CALLED.get(name, ""))


def fault(name: str, seat: Seat, shelf: Shelf, warm: Path) -> Iterator[str]:
    """Yield what went wrong with a fault of the network."""
    refused = yield from _answered(FAULTS[name], seat, shelf, warm, CALLED.get(name, ""))
    if refused and name in PASSING:
        yield "it gave up on a fault that passes"


def _answered(change: Change, seat: Seat, shelf: Shelf, warm: Path, called: str) -> Generator[str, None, bool]:
    shelf.files.pop("bad", None)
    shelf.pages.clear()
    shelf.requests.clear()
    shelf.add("bad-1.0.tar.gz", GOOD, project="bad")
    change(shelf)
    refused = yield from _verbs(seat, warm, {"vendor": {}}, ("bad",), called=called)
    shelf.pages.clear()
    vendored = seat.project / "vendor" / "bad-1.0.tar.gz"
    if not refused and (not vendored.exists() or vendored.read_bytes() != GOOD):
        yield "another file was vendored"
    return refused


def _verbs(
    seat: Seat,
    warm: Path,
    verbs: Mapping[str, Mapping[str, str]],
    requirements: tuple[str, ...],
    vendor_txt: tuple[str, ...] = (),
    called: str = "",
    advised: bool = False,
) -> Generator[str, None, bool]:
    """Run verbs until one refuses, and return whether one did; yield what went wrong with them."""
    seat.reset("victim", warm=warm)
    seat.require(*requirements, "victim", vendor_txt=vendor_txt)
    for verb, settings in verbs.items():
        before = seats.snapshot(seat.project, "build", "dist")
        held, began = seats.size(seat.cache), time.monotonic()
        done = seat.make(verb, seconds=SECONDS * 2, settings=settings)
        yield from _look(seat, verb, done, before, time.monotonic() - began, seats.size(seat.cache) - held)
        advice = _BAD_ADVICE.search(done.output)
        if advice and verb == "vendor" and not advised:
            yield f"bad advice: {advice[0].strip()!r}"
        if done.status:
            if called and not re.search(f"^error: .*({called})", done.output, re.MULTILINE):
                yield f"{verb}: it is not called what it is: {''.join(done.errors)[:200]!r}"
            return True
    return False


def _look(seat: Seat, verb: str, done: Done, before: seats.Tree, took: float, grown: float) -> Iterator[str]:
    for found in (*effects.messages(done), *effects.processes(done), *effects.markers(seat, MARKER)):
        yield f"{verb}: {found}"
    if done.status:
        changed = seats.differences(before, seats.snapshot(seat.project, "build", "dist"))
        if changed:
            yield f"{verb}: changed: {', '.join(changed[:3])}"
    if took > SECONDS:
        yield f"{verb}: it took {took:.0f} s"
    if grown > BYTES:
        yield f"{verb}: {grown / 1e6:.0f} MB were left in the cache"
    left = seat.leftovers()
    if left:
        yield f"{verb}: left behind: {', '.join(left[:3])}"


#: The kinds of foreign bytes: what carries out an attack, and the names of all.
KINDS: Mapping[str, tuple[Callable[[str, Seat, Shelf, Path], Iterator[str]], tuple[str, ...]]] = {
    "archives": (archive, tuple(ARCHIVES)),
    "wheels": (wheel, tuple(WHEELS)),
    "answers": (answer, tuple(ANSWERS)),
    "network": (fault, tuple(FAULTS)),
}
