"""Wheels -> a virtual environment at its final path, with the service's own scripts in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import console, files
from toolkit.core.errors import UserError
from toolkit.install import pruning
from toolkit.install.pruning import Rule
from toolkit.model.interpreter import Interpreter
from toolkit.model.names import normalize
from toolkit.project.discovery import Package
from toolkit.wheel import environment, scripts, trees
from toolkit.wheel.trees import Tree, Trees


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is installed for one service: wheels, the interpreter, and `prefix`, the environment's final path.

    `pruning` are the rules for what of the wheels is left out.
    """

    service: Package
    wheels: Sequence[Path]
    interpreter: Interpreter
    prefix: Path
    pruning: tuple[Rule, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Installed:
    """An environment as installed: where it is now, the service's own scripts, and whether it fits any machine.

    `left_out` has the sizes, in bytes, of the files that were pruned.
    """

    plan: Plan
    root: Path
    scripts: tuple[str, ...]
    is_pure: bool
    left_out: tuple[int, ...]


def install(plan: Plan, destdir: Path, store: Path, jobs: int) -> Installed:
    """Install a service's environment below `destdir`, whole or not at all; one that is there already is replaced.

    `store` keeps the installed form of each wheel, so that only what changed is unpacked and compiled again. Raises
    `UserError` when two distributions install one script.
    """
    made = Trees(store=store, interpreter=plan.interpreter, prefix=plan.prefix, jobs=jobs).get(plan.wheels)
    owners = _owners(made)
    left_out = _prune(owners, plan)
    target = destdir / plan.prefix.relative_to("/")
    with files.temporary_directory(target.parent, f".{target.name}-") as staged:
        staged.chmod(0o755)
        environment.create(staged, plan.interpreter, ())
        _unpack(owners, staged, jobs)
        pruning.rewrite_records(staged, left_out)
        own = [*_own_scripts(plan, made, owners), *_copy_scripts(plan, owners, staged)]
        files.swap_directory(staged, target)
    is_pure = all(tree.is_pure for tree in made)
    return Installed(
        plan=plan, root=target, scripts=tuple(sorted(own)), is_pure=is_pure, left_out=tuple(left_out.values())
    )


def _owners(made: Sequence[Tree]) -> dict[str, Tree]:
    """Return the tree that each file is taken from: as with pip, the last one that has it."""
    owners: dict[str, Tree] = {}
    for tree in made:
        for name in tree.members:
            if name in owners and not name.endswith(".pyc"):
                _compare(name, owners[name], tree)
            owners[name] = tree
    return owners


def _prune(owners: dict[str, Tree], plan: Plan) -> dict[str, int]:
    """Take out what the plan leaves out, and return the size of each such file."""
    site = environment.site_packages(plan.prefix, plan.interpreter).relative_to(plan.prefix).as_posix()
    names = pruning.chosen(owners, plan.pruning, site) if plan.pruning else set()
    return {name: owners.pop(name).members[name].size for name in names}


def _compare(name: str, first: Tree, second: Tree) -> None:
    if trees.content(first, name) == trees.content(second, name):
        return
    what = f"{first.name} and {second.name} both install {name}, with different content"
    if name.startswith("bin/"):
        raise UserError(what, "only one of them can be in this service: change requirements.txt, then `make vendor`")
    console.warn(f"{what}; the second is taken")


def _unpack(owners: dict[str, Tree], target: Path, jobs: int) -> None:
    for directory in trees.directories(owners):
        (target / directory).mkdir(exist_ok=True)
    names: dict[Tree, list[str]] = {}
    for name, tree in owners.items():
        names.setdefault(tree, []).append(name)
    # The kernel copies, without the interpreter's lock: threads are enough.
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(lambda tree: trees.unpack(tree, names[tree], target), names))


def _own_scripts(plan: Plan, made: Sequence[Tree], owners: Mapping[str, Tree]) -> list[str]:
    """Return the scripts that the service's own wheel installed; those of its dependencies are their business."""
    return [script for tree in made if _is_own(tree, plan) for script in tree.scripts if f"bin/{script}" in owners]


def _is_own(tree: Tree, plan: Plan) -> bool:
    return normalize(tree.name.rpartition("-")[0]) == plan.service.name


def _copy_scripts(plan: Plan, owners: dict[str, Tree], root: Path) -> Iterator[str]:
    """Install the files of the service's bin/ that its setup.py does not, and yield their names."""
    for source in sorted((plan.service.path / "bin").glob("*")):
        target = root / "bin" / source.name
        owner = owners.get(f"bin/{source.name}")
        if source.name.startswith(".") or not source.is_file() or (owner and _is_own(owner, plan)):
            continue
        if target.exists():
            other = owner.name if owner else "the virtual environment"
            raise UserError(f"{source}: {other} has a script of this name too", "rename the script")
        target.write_bytes(scripts.aim(source.read_bytes(), plan.prefix / "bin" / "python"))
        target.chmod(0o755)
        yield source.name
