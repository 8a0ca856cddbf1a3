"""Wheels -> a virtual environment at its final path, with the service's own scripts in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import directories, threads
from toolkit.core.errors import UserError
from toolkit.install import pruning
from toolkit.install.pruning import Rule
from toolkit.model.interpreter import Interpreter
from toolkit.model.names import normalize
from toolkit.project.discovery import Package
from toolkit.wheel import environment, scripts, shared_files
from toolkit.wheel.image import Image, Images

#: Lets all that runs in an environment find the programs of its distributions, as an activated one does, by whatever it
#: was started: https://docs.python.org/3/library/site.html
_PATH_FILE = "programs-in-path.pth"
_PATH_LINE = (
    'import os, sys; os.environ["PATH"] = os.pathsep.join(dict.fromkeys('
    '[os.path.join(sys.prefix, "bin"), *os.environ.get("PATH", os.defpath).split(os.pathsep)]))\n'
)


@dataclass(frozen=True, kw_only=True)
class ServiceEnvironment:
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

    `left_out` has the sizes, in bytes, of the files that were pruned; `owners` has the wheel of each file, by its
    path relative to `root`.
    """

    plan: ServiceEnvironment
    root: Path
    scripts: tuple[str, ...]
    is_pure: bool
    left_out: tuple[int, ...]
    owners: Mapping[str, str]


def install(
    plan: ServiceEnvironment, destdir: Path, store: Path, jobs: int, *, runs_at: Path | None = None
) -> Installed:
    """Install a service's environment below `destdir`, whole or not at all; one that is there already is replaced.

    `store` keeps the image of each wheel, so that only what changed is unpacked and compiled again. Scripts
    start the interpreter of the environment at `runs_at` (default: its final path). Raises `UserError` when two
    distributions install one script.
    """
    images = Images(store=store, interpreter=plan.interpreter, jobs=jobs)
    made = images.get(plan.wheels)
    owners = shared_files.owners([*made, *images.byte_code(made, plan.prefix)])
    left_out = _prune(owners, plan)
    target = destdir / plan.prefix.relative_to("/")
    python = (runs_at or plan.prefix) / "bin" / "python"
    with directories.temporary(target.parent, f".{target.name}-") as staged:
        staged.chmod(0o755)
        environment.create(staged, plan.interpreter)
        _copy_files(owners, staged, python, jobs)
        path_file = staged / plan.interpreter.site_packages / _PATH_FILE
        path_file.write_text(_PATH_LINE, encoding="utf-8")
        path_file.chmod(0o644)
        pruning.rewrite_records(staged, left_out)
        own = [*_own_scripts(plan, made, owners), *_copy_scripts(plan, owners, staged, python)]
        directories.replace(staged, target)
    is_pure = all(image.is_pure for image in made)
    return Installed(
        plan=plan,
        root=target,
        scripts=tuple(sorted(own)),
        is_pure=is_pure,
        left_out=tuple(left_out.values()),
        owners={name: image.wheel for name, image in owners.items()},
    )


def _prune(owners: dict[str, Image], plan: ServiceEnvironment) -> dict[str, int]:
    """Take out what the plan leaves out, and return the size of each such file."""
    names = pruning.chosen(owners, plan.pruning, plan.interpreter.site_packages) if plan.pruning else set()
    return {name: owners.pop(name).files[name].size for name in names}


def _copy_files(owners: Mapping[str, Image], target: Path, python: Path, jobs: int) -> None:
    names: dict[Path, list[str]] = {}
    for name, image in owners.items():
        names.setdefault(image.root, []).append(name)
    images = {image.root: image for image in owners.values()}
    threads.each(lambda root: images[root].copy(names[root], target, python), names, threads=jobs)


def _own_scripts(plan: ServiceEnvironment, made: Sequence[Image], owners: Mapping[str, Image]) -> list[str]:
    """Return the scripts that the service's own wheel installed; those of its dependencies are their business."""
    return [script for image in made if _is_own(image, plan) for script in image.scripts if f"bin/{script}" in owners]


def _is_own(image: Image, plan: ServiceEnvironment) -> bool:
    return normalize(image.name.rpartition("-")[0]) == plan.service.name


def _copy_scripts(plan: ServiceEnvironment, owners: Mapping[str, Image], root: Path, python: Path) -> Iterator[str]:
    """Install the files of the service's bin/ that its setup.py does not, and yield their names."""
    for source in sorted((plan.service.path / "bin").glob("*")):
        target = root / "bin" / source.name
        owner = owners.get(f"bin/{source.name}")
        if source.name.startswith(".") or not source.is_file() or (owner and _is_own(owner, plan)):
            continue
        if target.exists():
            other = owner.name if owner else "the virtual environment"
            raise UserError(f"{source}: {other} has a script of this name too", "rename the script")
        target.write_bytes(scripts.with_interpreter(source.read_bytes(), python))
        target.chmod(0o755)
        yield source.name
