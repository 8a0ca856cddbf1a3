"""What builds have put where nothing will find it: files of absolute `data_files`, and search paths into a build."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import quoted
from toolkit.install.service_environment import Installed
from toolkit.sandbox.view import ROOT, TEMPORARY
from toolkit.wheel import elf

#: The first directories of paths that are absolute (hier(7)), which setup.py's data_files may name.
_SYSTEM = frozenset({"etc", "home", "lib", "opt", "root", "run", "srv", "tmp", "usr", "var"})
#: Directories that everybody may write to.
_SHARED = (TEMPORARY, f"/var{TEMPORARY}", "/dev/shm")


def report(installed: Installed, build: Path, vendor: Path) -> None:
    """Warn of what is in a place where it has no effect; `build` is the directory of builds.

    Raises `UserError` for a library built here that looks for others where anybody may put them.
    """
    for name, places in _data_files(installed).items():
        console.warn(
            f"{name}: its data_files {', '.join(places[:3])} are in site-packages, and not below /: "
            "where the system is to have them, list them in debian/<package>.install"
        )
    shipped = {wheel.name for wheel in installed.plan.wheels if wheel.parent == vendor}
    names = (name for name, wheel in installed.owners.items() if wheel not in shipped)
    for name, path in _search_paths(installed.root, names):
        what = f"{name} of {installed.owners[name].split('-')[0]} looks for libraries in {quoted(path)} (its RUNPATH)"
        if _is_below(path, _SHARED):
            raise UserError(
                f"{what}, where everybody may put some",
                "mend its build: the flag `-rpath` of the linker; or take a wheel",
            )
        if _is_below(path, (ROOT, str(build))):
            console.warn(f"{what}, where it was built: nothing is there any more")


def _data_files(installed: Installed) -> dict[str, list[str]]:
    """Return the files that were to be at absolute paths, as they were to be called, by the wheel that has them."""
    site = f"{installed.plan.interpreter.site_packages}/"
    found: dict[str, list[str]] = {}
    for name, wheel in sorted(installed.owners.items()):
        first, slash, _ = (path := name.removeprefix(site)).partition("/")
        if name.startswith(site) and slash and first in _SYSTEM and not name.endswith((".py", ".pyc", ".so")):
            found.setdefault("-".join(wheel.split("-")[:2]), []).append(f"/{path}")
    # A package may be called like that, and have data.
    return {
        wheel: places
        for wheel, places in found.items()
        if not any(f"{site}{place[1:].partition('/')[0]}/__init__.py" in installed.owners for place in places)
    }


def _search_paths(root: Path, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        if (".so" in name or name.startswith("bin/")) and (found := elf.read(root / name)):
            yield from ((name, path) for path in found.search_paths)


def _is_below(path: str, directories: Iterable[str]) -> bool:
    return any(f"{path}/".startswith(f"{directory}/") for directory in directories)
