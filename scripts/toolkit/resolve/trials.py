"""Trial builds of what may download: what the files of an sdist say is a suspicion; how it builds offline is not.

Each is built as hooks are run, in an environment of wheels of the index, and its wheel is thrown away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from toolkit.build import headers, wheel_build
from toolkit.build.wheel_build import Job
from toolkit.core import console, process
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import one_line
from toolkit.resolve.build_closure import Closure
from toolkit.resolve.hooks import Question
from toolkit.sandbox import confined

#: What is fetched is mostly fetched before anything is compiled, and somebody waits for this.
_SECONDS = 120
#: CMake tries for 85 seconds; told that there is no network, it says at once what it would have fetched.
#: https://cmake.org/cmake/help/latest/module/FetchContent.html#variable:FETCHCONTENT_FULLY_DISCONNECTED
_DISCONNECTED = "FETCHCONTENT_FULLY_DISCONNECTED"
_OFFLINE = {"CMAKE_ARGS": f"-D{_DISCONNECTED}=ON"}
_REFUSED = f"{_DISCONNECTED} is set to true, which requires"
#: Characters of a log in which a download is looked for.
_LONGEST_LOG = 1 << 20
_LINES = 15


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How a trial build ended: well, for want of a network, or for another reason, too long a time among them.

    `output` is the end of what one printed that `missed_network`, and `instead` says what of the system would do.
    """

    is_built: bool = False
    missed_network: bool = False
    output: str = ""
    instead: str = ""


def find_downloads(closure: Closure, keys: Iterable[str]) -> None:
    """Build what is new to the lock among these distributions, and may download; what does is a fault of it then.

    `keys` are `name==version`. Of what is not known after that, a note is printed.
    """
    places = closure.new_downloads(keys)
    quick = [key for key in places if closure.can_try(key)]
    if quick:
        console.step("TRIAL", f"{', '.join(map(_shown, quick))}: may download while built")
    found = closure.ask(TRIAL, quick)
    for key, place in places.items():
        if key not in found or not (found[key].is_built or found[key].missed_network):
            console.note(f"{_shown(key)} may download while it is built ({place}): `make vendor TRIAL=1` finds out")
    missed = {key: trial for key, trial in found.items() if trial.missed_network}
    closure.sources.failed |= {key: _error(key, trial, places[key]) for key, trial in missed.items()}


def _error(key: str, trial: Trial, place: str) -> UserError:
    of_system = f"have it take what Debian has: {trial.instead}" if trial.instead else ""
    return UserError(
        f"{_shown(key)}: its build downloads ({place}), and builds have no network",
        of_system or confined.suggestion(trial.output, key.partition("==")[0]),
        trial.output,
    )


def _shown(key: str) -> str:
    return key.replace("==", " ")


def _try(job: Job) -> Trial:
    limits = replace(job.sandbox.limits, seconds=min(_SECONDS, job.sandbox.limits.seconds))
    bounded = replace(job, sandbox=replace(job.sandbox, limits=limits), variables={**_OFFLINE, **job.variables})
    try:
        wheel_build.call_hook(bounded, "build_wheel")
    except process.CommandError as error:
        return _failed(error.output)
    except UserError:
        # It waits, perhaps for a server.
        with job.log.open(encoding="utf-8", errors="replace") as log:
            return _failed(log.read(_LONGEST_LOG))
    return Trial(is_built=True)


def _failed(output: str) -> Trial:
    if not confined.missed_network(output) and _REFUSED not in " ".join(output.split()):
        return Trial()
    tail = "\n".join(output.splitlines()[-_LINES:])
    return Trial(missed_network=True, output=tail, instead=headers.instead(output))


def _kept(found: object) -> Trial:
    """Return a trial that was kept: what did not build may do so on a machine that has changed."""
    if isinstance(found, dict) and found.get("is_built") is True:
        return Trial(is_built=True)
    raise ValueError(one_line(str(found)))


def _together(trials: Mapping[str, Trial]) -> Trial:
    """Return the worst of the trials by several interpreters."""
    return min(trials.values(), key=lambda trial: (not trial.missed_network, trial.is_built))


TRIAL = Question(ask=_try, what="build its wheel", kept_in="trials", read=_kept, together=_together)
