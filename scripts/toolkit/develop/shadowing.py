"""Modules of linked packages that an import does not find, because it finds others of these names first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from toolkit.develop.workon import Environment, Link
from toolkit.wheel import record


def warnings(environment: Environment, root: Path, links: Mapping[str, Link], built: Collection[str]) -> Iterator[str]:
    """Yield a warning for each such module of the `built` packages, in an environment that is at `root` for now.

    `links` are in the order in which they are linked. What stands beside the modules of a package, on its path, may
    be found as well.
    """
    site, shown = environment.site(root), environment.project.shown
    paths = {package.name: package.path for package in environment.packages}
    roots = [Path(path) for link in reversed([*links.values()]) for path in link.roots]
    mapped = {module: Path(place) for link in links.values() for module, place in link.mapped.items()}
    rows = ((name, row) for name, link in links.items() for row in record.read(site / link.information / record.FILE))
    owners = {row.path: name for name, row in rows}
    for name, link in links.items():
        for module in link.modules if name in built else ():
            if module in mapped:
                found, is_own = mapped[module], str(mapped[module]) == link.mapped.get(module)
            elif place := _place(site, module):
                found, is_own = environment.site() / place, owners.get(place) == name
            else:
                at = next(((each, place) for each in roots if (place := _place(each, module))), None)
                if not at:
                    continue
                found, is_own = at[0] / at[1], str(at[0]) in link.roots
            if not is_own:
                yield f"{shown(paths[name])}: an import of {module} finds {shown(found)} instead; rename one of them"


def _place(directory: Path, module: str) -> str | None:
    """Return the file of a module or package in a directory of sys.path, relative to that; None where it has none."""
    name = module.replace(".", "/")
    for place in (f"{name}/__init__.py", f"{name}.py"):
        if (directory / place).is_file():
            return place
    return next((str(path.relative_to(directory)) for path in directory.glob(f"{name}.*so")), None)
