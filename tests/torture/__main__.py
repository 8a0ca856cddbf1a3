"""Attack the toolkit in every way there is, and print what survived. Usage: python -m tests.torture [--only KINDS]."""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.torture import at_once, backends, disk, foreign, kills, listeners, seats, shelf
from tests.torture.listeners import Listeners
from tests.torture.outcomes import Outcome, Outcomes, table
from tests.torture.seats import STRANGER, Seat
from tests.torture.shelf import Shelf

KINDS = ("kills", "backends", *foreign.KINDS, "disk", "at-once")
#: How often each verb is killed; some take long.
KILLS = {"vendor": 70, "build": 60, "install": 50, "deb": 30, "create-virtual-environment": 50, "commit-vendor": 40}
_BATCH = 10
#: How many of each kind the short form has: of kills two of each verb.
SHORT = {"kills": 6, "backends": 12, "archives": 6, "wheels": 6, "answers": 4, "network": 3, "disk": 2, "at-once": 1}
_INSIDE = "TORTURE_INSIDE"


@dataclass
class Bench:
    """Where one worker works: an index of its own, and a seat for each user."""

    root: Path
    template: Path
    tools: Path
    stack: ExitStack
    listeners: Listeners
    shelf: Shelf = field(init=False)
    seats: dict[int, tuple[Seat, Path]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.root.mkdir()
        self.shelf = self.stack.enter_context(shelf.serving())
        kills.publish(self.shelf)

    def seat(self, uid: int) -> tuple[Seat, Path]:
        """Return a user's seat, and what its caches hold when an attack begins; made when it is first asked for."""
        if uid not in self.seats:
            seat = Seat(self.root / str(uid), uid, self.template, self.shelf.url, backends.LIMITS)
            seat.cache.mkdir(parents=True)
            subprocess.run(["cp", "-a", str(self.tools), str(seat.cache / "tools")], check=True)
            seats.own(seat.root, uid)
            seat.reset("victim")
            kills.succeed(seat, ("make", "vendor", "build"))
            warm = self.root / f"warm-{uid}"
            shutil.copytree(seat.cache, warm, symlinks=True, ignore=shutil.ignore_patterns("tools", "tmp", "uv"))
            seats.own(warm, uid)
            seat.git("add", "--all")
            seat.git("commit", "--quiet", "--message", "vendor")
            seat.ready = self.root / f"ready-{uid}"
            seat.run(["rm", "-rf", "build"])
            shutil.copytree(seat.project, seat.ready, symlinks=True)
            seats.own(seat.ready, uid)
            self.seats[uid] = seat, warm
        return self.seats[uid]


@dataclass(frozen=True)
class Task:
    """An attack, or several of a kind, to be carried out at a bench as a user."""

    kind: str
    name: str
    uid: int
    attack: Callable[[Bench, Seat, Path], Iterable[Iterable[str]]]

    def run(self, bench: Bench) -> Iterator[Outcome]:
        """Yield what came of each."""
        seat, warm = bench.seat(self.uid)
        for faults in self.attack(bench, seat, warm):
            yield Outcome(self.kind, self.name, seat.who, tuple(faults))


def tasks(kind: str, uids: Sequence[int], seed: int, short: bool) -> list[Task]:
    """Return the attacks of a kind, in an order of chance; the short form has some of them."""
    # Whichever kinds are chosen, each has the same chances.
    chance = random.Random(f"{seed} {kind}")
    found = _of_kind(kind, uids, chance, short)
    chance.shuffle(found)
    return found[: SHORT[kind]] if short else found


def _of_kind(kind: str, uids: Sequence[int], chance: random.Random, short: bool) -> list[Task]:
    if kind == "kills":
        return _all_kills(uids, chance, 2 if short else _BATCH)
    if kind == "backends":
        return _all_backends(uids, chance)
    if kind == "disk":
        return [
            _disk(name, uid, random.Random(chance.random())) for name in disk.NAMES for uid in uids if not os.geteuid()
        ]
    if kind == "at-once":
        return [_at_once(name, chance.choice(uids)) for name in at_once.NAMES]
    return [_foreign(kind, name, chance.choice(uids)) for name in foreign.KINDS[kind][1]]


def _all_kills(uids: Sequence[int], chance: random.Random, size: int) -> list[Task]:
    found = []
    for verb, number in KILLS.items():
        for at in range(number // _BATCH):
            found.append(_kills(verb, size, uids[at % len(uids)], random.Random(chance.random())))
            if size < _BATCH:
                break
    return found


def _all_backends(uids: Sequence[int], chance: random.Random) -> list[Task]:
    """Return every attack on a build as each user, on hooks and metadata as either, and half of those on packages."""
    found = []
    for attack in backends.attacks():
        if attack.stage != "deb" or chance.random() < 0.5:
            found += [_backend(attack, uid) for uid in (uids if attack.stage == "build" else (chance.choice(uids),))]
    return found


def _kills(verb: str, number: int, uid: int, chance: random.Random) -> Task:
    return Task("kills", verb, uid, lambda bench, seat, warm: kills.batch(verb, number, seat, warm, chance))


def _backend(attack: backends.Attack, uid: int) -> Task:
    def run(bench: Bench, seat: Seat, warm: Path) -> Iterator[Iterable[str]]:
        yield backends.carry_out(attack, seat, bench.shelf, bench.listeners, warm)

    return Task("backends", str(attack), uid, run)


def _foreign(kind: str, name: str, uid: int) -> Task:
    return Task(kind, name, uid, lambda bench, seat, warm: [foreign.KINDS[kind][0](name, seat, bench.shelf, warm)])


def _disk(name: str, uid: int, chance: random.Random) -> Task:
    return Task("disk", name, uid, lambda bench, seat, warm: [disk.carry_out(name, seat, warm, chance)])


def _at_once(name: str, uid: int) -> Task:
    return Task("at-once", name, uid, lambda bench, seat, warm: [at_once.carry_out(name, seat, warm)])


def interleaved(lists: Sequence[Sequence[Task]]) -> list[Task]:
    """Return all tasks so that each kind is half done at half time: whatever ends early has seen some of each."""
    placed = [((at + 0.5) / len(each), task) for each in lists for at, task in enumerate(each)]
    return [task for _, task in sorted(placed, key=lambda pair: pair[0])]


def work(bench: Bench, queue: list[Task], lock: threading.Lock, outcomes: Outcomes, limit: float) -> None:
    """Carry out attacks until there are no more, or the time is up."""
    while time.monotonic() < limit:
        with lock:
            if not queue:
                return
            task = queue.pop(0)
        try:
            for outcome in task.run(bench):
                outcomes.add(outcome)
        except Exception as error:  # The attack goes on, and this one has failed.
            outcomes.add(Outcome(task.kind, task.name, "", (f"{type(error).__name__}: {str(error)[-600:]}",)))


def prepare_tools(at: Path) -> Path:
    """Have `make vendor` make its tools, with the index that this machine is configured with; return where."""
    project = seats.make_template(at / "first")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    environment |= {"HOME": str(at), "XDG_CACHE_HOME": str(at / "cache")}
    subprocess.run(["make", "vendor", "V=0"], cwd=project, env=environment, check=True)
    return at / "cache" / "python-common" / "tools"


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--only", default="", help=f"kinds of attacks, of: {' '.join(KINDS)}")
    parser.add_argument("--names", default="", help="only attacks with this in their names: to repeat some")
    parser.add_argument("--seed", type=int, default=0, help="what chance begins with (default: one by chance)")
    parser.add_argument("--short", action="store_true", help="some of each kind")
    parser.add_argument("--minutes", type=float, default=20, help="begin nothing new after this time (default: 20)")
    parser.add_argument("--workers", type=int, default=1 + (os.cpu_count() or 1), help="attacks at once")
    parser.add_argument("--verbose", action="store_true", help="also print what survived")
    return parser


def main(argv: list[str]) -> int:
    """Carry out the attacks, print the table, and return 1 if any succeeded."""
    arguments = build_parser().parse_args(argv)
    kinds = arguments.only.split() or list(KINDS)
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        print(f"error: no kind {unknown[0]}\n hint: there are {', '.join(KINDS)}", file=sys.stderr)
        return 1
    seed = arguments.seed or random.SystemRandom().randrange(1, 10**6)
    print(f"seed {seed}: SEED={seed} repeats it", flush=True)
    began = time.monotonic()
    uids = [0, STRANGER] if os.geteuid() == 0 else [os.geteuid()]
    lists = [tasks(kind, uids, seed, arguments.short) for kind in kinds]
    queue = interleaved([[task for task in each if arguments.names in task.name] for each in lists])
    outcomes = Outcomes(arguments.verbose)
    # On Ctrl-C, what there is to tell is told.
    with contextlib.suppress(KeyboardInterrupt):
        carry_out(queue, outcomes, arguments.workers, began + arguments.minutes * 60)
    print(table(outcomes.all))
    print(f"{len(outcomes.all)} attacks in {time.monotonic() - began:.0f} s; {len(outcomes.failed)} succeeded", end="")
    print(f"; {len(queue)} not tried for want of time" if queue else "")
    return 1 if outcomes.failed or not outcomes.all else 0


def carry_out(queue: list[Task], outcomes: Outcomes, workers: int, limit: float) -> None:
    """Carry out attacks side by side until there are no more, or the time is up."""
    lock = threading.Lock()
    root = Path(tempfile.mkdtemp(prefix="torture-", dir="/var/tmp"))
    try:
        root.chmod(0o755)
        (root / "public").mkdir()
        (root / "public").chmod(0o1777)
        template, tools = seats.make_template(root / "template"), prepare_tools(root)
        with ExitStack() as stack:
            heard = [Path("/tmp"), root, *([Path("/run")] if os.geteuid() == 0 else [])]
            told = stack.enter_context(listeners.listening(*heard))
            benches = [Bench(root / f"bench-{at}", template, tools, stack, told) for at in range(workers)]
            with ThreadPoolExecutor(len(benches)) as pool:
                try:
                    for running in [pool.submit(work, bench, queue, lock, outcomes, limit) for bench in benches]:
                        running.result()
                except KeyboardInterrupt:
                    # What has begun is waited for.
                    queue.clear()
                    raise
    finally:
        seats.remove(root)


def enter_namespace(argv: list[str]) -> None:
    """As root, go on in a mount namespace of one's own: what is mounted ends with it."""
    if os.geteuid() == 0 and _INSIDE not in os.environ:
        words = ["unshare", "--mount", "--", sys.executable, "-m", "tests.torture", *argv]
        os.execvpe(words[0], words, {**os.environ, _INSIDE: "1"})


if __name__ == "__main__":
    enter_namespace(sys.argv[1:])
    sys.exit(main(sys.argv[1:]))
