"""Whether an environment is ready: all that is required is there, and modules of linked packages can be imported."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from toolkit.build import completeness
from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import one_line
from toolkit.develop.wheel_sources import WheelSources
from toolkit.develop.workon import Check, Environment, Link
from toolkit.install import loading
from toolkit.install.loadable import Installed
from toolkit.install.loading import Failure
from toolkit.model import core_metadata
from toolkit.model.core_metadata import CoreMetadata
from toolkit.model.lock import Lock
from toolkit.model.names import normalize
from toolkit.project.discovery import Package
from toolkit.vendored import check as vendored
from toolkit.vendored.check import Problem

#: Part of every key: a change in what is looked at has it looked at again.
_RECIPE = 1
#: The most that the import of a module may take.
_SECONDS = 30
_FRAME = re.compile(r' *File "(?P<path>[^"]+)", line (?P<line>\d+)')


def check(
    environment: Environment,
    root: Path,
    locks: tuple[Lock, ...],
    sources: WheelSources,
    links: Mapping[str, Link],
    before: Check,
) -> Check:
    """Look at an environment that is at `root` for now, unless nothing has changed since the look `before`.

    Only packages that the locks are for are looked at: others may lack what they require. What is missing raises
    `UserError`; a module that cannot be imported, which may want to be set up first, is a problem.
    """
    key = _key(environment, sources, links)
    if key == before.key:
        return before
    _require_complete(environment, root, locks, links.keys() - sources.local.keys())
    found = {name: link.modules for name, link in links.items() if name in sources.local and link.modules}
    if not found:
        return Check(key=key)
    try:
        sources.options.sandbox.require()
    except UserError as error:
        console.warn(f"what is linked was not imported: {error.what}\n{error.hint}")
        return Check()
    installed = [
        Installed(metadata=CoreMetadata(name=name), modules=modules, libraries=(), names=frozenset())
        for name, modules in found.items()
    ]
    log = sources.settings.build / "logs" / "imports.log"
    beside = dict.fromkeys(path for link in links.values() for path in _places(link))
    failures = loading.load(
        root, installed, environment.interpreter, sources.options, log, seconds=_SECONDS, beside=beside
    )
    # Of several that have a module, that of the last is imported. The result may name others: foreign code ran there.
    owners = {module: name for name, modules in found.items() for module in modules}
    problems = (_problem(environment, owners[each.name], links, each) for each in failures if each.name in owners)
    return Check(key=key, problems=tuple(problems))


def _key(environment: Environment, sources: WheelSources, links: Mapping[str, Link]) -> str:
    nodes = {name: node.identity for name, node in sources.local.items()}
    held = [(item.name, item.identity) for item in sources.distributions()]
    known = [_RECIPE, held, nodes, sorted(links.items(), key=lambda item: item[0]), environment.interpreter]
    return hashlib.sha256(repr(known).encode()).hexdigest()


def _require_complete(environment: Environment, root: Path, locks: tuple[Lock, ...], unknown: Collection[str]) -> None:
    """Raise `UserError` with what distributions of the environment require and is not there."""
    every = (core_metadata.parse(path.read_bytes()) for path in environment.site(root).glob("*.dist-info/METADATA"))
    installed = {normalize(found.name): found for found in every}
    problems: dict[str, Problem] = {}
    for lock in locks:
        for found in completeness.problems(environment.project, lock, installed, environment.interpreter, unknown):
            problems.setdefault(found.what, found)
    vendored.refuse(list(problems.values()))


def _places(link: Link) -> Iterator[Path]:
    """Yield what of a package's source is imported: foreign code finds nothing else of it."""
    yield from map(Path, link.mapped.values())
    for name in {module.partition(".")[0] for module in link.modules}:
        places = (Path(root, each) for root in link.roots for each in (name, f"{name}.py"))
        yield from filter(Path.exists, places)


def _problem(environment: Environment, owner: str, links: Mapping[str, Link], failure: Failure) -> str:
    package = next(each for each in environment.packages if each.name == owner)
    shown = environment.project.shown
    error = one_line(": ".join(filter(None, (failure.error, failure.text))), 300)
    place = _place(package, failure)
    where = f" ({one_line(str(shown(place[0])), 300)}:{place[1]})" if place else ""
    hint = "it may want to be set up first"
    if failure.error == "ModuleNotFoundError" and failure.about:
        missing = failure.about.partition(".")[0]
        is_ours = any(missing == name.partition(".")[0] for link in links.values() for name in link.modules)
        hint = (
            "there is no such file"
            if is_ours
            else f"add what has {missing} to {shown(package.path / 'requirements.txt')} and run `make vendor`"
        )
    return f"{shown(package.path)}: the module {failure.name} cannot be imported: {error}{where}; {hint}"


def _place(package: Package, failure: Failure) -> tuple[Path, str] | None:
    """Return the file and the line of a package's source where an error comes from, as far as its traceback says."""
    frames = [found for line in failure.traceback if (found := _FRAME.match(line))]
    own = [(Path(found["path"]), found["line"]) for found in frames]
    inside = [(path, line) for path, line in own if path.is_relative_to(package.path)]
    return next(iter(inside[-1:] or own[-1:]), None)
