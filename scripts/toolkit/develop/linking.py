"""The project's own packages in a development environment: linked, so that an edit is seen at once."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from toolkit.core import files
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import quoted
from toolkit.develop.workon import Environment, State
from toolkit.project import source_files
from toolkit.project.discovery import Package
from toolkit.wheel import entry_points, record, scripts
from toolkit.wheel.record import Row

_VERSION = re.compile(r"[\w.!+-]{1,200}")
_PATHS = "_python_common.pth"


def write(environment: Environment, root: Path, before: State) -> tuple[str, ...]:
    """Put packages on the path of an environment that is at `root` for now, and their scripts into its bin/.

    What was linked `before`, and is not any more, is removed. Returns the names of the scripts.
    """
    packages, site = environment.packages, environment.site(root)
    paths = [path for package in packages for path in source_files.import_roots(package.path)]
    files.write_changed(site / _PATHS, "".join(f"{path}\n" for path in paths))
    for name in set(before.linked) - {package.name for package in packages}:
        for directory in _metadata(name, site):
            files.remove(directory)
    for package in packages:
        _describe(package, site)
    links, commands = _links(packages), _commands(packages)
    for name in set(before.links) - {*links, *commands}:
        (root / name).unlink(missing_ok=True)
    for name, script in links.items():
        _link(root / name, script)
    for name, target in commands.items():
        _write_command(root / name, target, environment.python)
    return tuple(sorted({*links, *commands}))


def scripts_of(packages: Iterable[Package]) -> set[str]:
    """Return the names, relative to the environment, of the scripts that packages put there."""
    packages = tuple(packages)
    return {*_links(packages), *_commands(packages)}


def _links(packages: Iterable[Package]) -> dict[str, Path]:
    return {f"bin/{script.name}": script for package in packages for script in _scripts(package)}


def _commands(packages: Iterable[Package]) -> dict[str, str]:
    found = {}
    for package in packages:
        for name, target in package.commands.items():
            if not entry_points.is_name(name):
                raise UserError(f"{package.path}: the command {quoted(name)} is no file name", "rename it")
            found[f"bin/{name}"] = target
    return found


def _metadata(name: str, site: Path) -> Iterator[Path]:
    """Yield the directories of metadata that `_describe` has written for a package; a wheel's have a WHEEL."""
    for directory in site.glob(f"{name.replace('-', '_')}-*.dist-info"):
        if (directory / "direct_url.json").is_file() and not (directory / "WHEEL").exists():
            yield directory


def _scripts(package: Package) -> Iterator[Path]:
    directory = package.path / "bin"
    if package.is_service and directory.is_dir():
        yield from (path for path in sorted(directory.iterdir()) if path.is_file() and not path.name.startswith("."))


def _link(path: Path, script: Path) -> None:
    if not path.is_symlink() or os.readlink(path) != str(script):
        path.unlink(missing_ok=True)
        path.symlink_to(script)


def _write_command(path: Path, target: str, python: Path) -> None:
    if path.is_symlink():
        path.unlink()
    files.write_changed(path, scripts.entry_point(python, target).decode())
    path.chmod(0o755)


def _describe(package: Package, site: Path) -> None:
    """Give a linked package metadata (PEP 610: an editable directory), for `importlib.metadata` and `pip list`."""
    # What is no version, no build will take either.
    version = package.version if _VERSION.fullmatch(package.version) else "0"
    directory = site / f"{package.name.replace('-', '_')}-{version}.dist-info"
    for old in _metadata(package.name, site):
        if old != directory:
            files.remove(old)
    directory.mkdir(exist_ok=True)
    commands = "".join(f"{name} = {target}\n" for name, target in package.commands.items())
    contents = {
        "METADATA": f"Metadata-Version: 2.1\nName: {package.name}\nVersion: {version}\n",
        "INSTALLER": "python-common\n",
        "direct_url.json": json.dumps({"url": package.path.as_uri(), "dir_info": {"editable": True}}),
        "entry_points.txt": f"[console_scripts]\n{commands}" if commands else "",
    }
    contents["RECORD"] = record.text(Row(f"{directory.name}/{name}") for name in (*contents, "RECORD"))
    for name, content in contents.items():
        files.write_changed(directory / name, content)
