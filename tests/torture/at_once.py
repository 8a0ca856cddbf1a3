"""Eight runs at once, in one project and in several that share their caches."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.torture import effects, kills, seats
from tests.torture.seats import Done, Seat

NUMBER = 8
_MIX = ("vendor", "build", "deb", "create-virtual-environment")
NAMES = (
    *(f"{verb}, one project" for verb in ("vendor", "build", "deb", "create-virtual-environment")),
    *(f"{verb}, several projects" for verb in ("vendor", "build", "deb", "create-virtual-environment")),
    "all kinds, one project",
    "all kinds, several projects",
)


def carry_out(name: str, seat: Seat, warm: Path) -> Iterator[str]:
    """Yield what went wrong."""
    what, where = name.split(", ")
    projects = _projects(seat, warm, what, where)
    verbs = [what if what != "all kinds" else _MIX[number % len(_MIX)] for number in range(NUMBER)]

    def start(number: int) -> Done:
        return seat.warded(kills.VERBS[verbs[number]].argv, project=projects[number], tag=str(number), seconds=300)

    with ThreadPoolExecutor(NUMBER) as pool:
        for verb, done in zip(verbs, pool.map(start, range(NUMBER)), strict=True):
            for found in (*effects.messages(done), *effects.processes(done)):
                yield f"{verb}: {found}"
            if done.status:
                yield f"{verb} failed: {done.output[-300:]!r}"
    yield from _together(seat, projects)
    for project in projects if where == "several projects" else ():
        seats.remove(project)


def _projects(seat: Seat, warm: Path, what: str, where: str) -> list[Path]:
    """Return the project of each run, ready for it."""
    seat.reset(warm=warm)
    kills.require(seat, 1)
    kills.succeed(seat, ("make", "vendor"))
    if what == "vendor":
        seats.remove(seat.project / "vendor")
    else:
        seat.git("add", "--all")
        seat.git("commit", "--quiet", "--message", "vendor")
    seats.remove(seat.cache / "store")
    if where == "one project":
        return [seat.project] * NUMBER
    projects = [seat.root / f"project-{number}" for number in range(NUMBER)]
    for project in projects:
        seats.remove(project)
        seat.run(["cp", "-a", str(seat.project), str(project)])
    return projects


def _together(seat: Seat, projects: list[Path]) -> Iterator[str]:
    """Yield what is wrong with what all runs made."""
    vendored = [seats.snapshot(project / "vendor") for project in projects]
    if any(each != vendored[0] or not each for each in vendored):
        yield "not the same vendor/ everywhere"
    left = seat.leftovers()
    if left:
        yield f"left behind: {', '.join(left[:3])}"
