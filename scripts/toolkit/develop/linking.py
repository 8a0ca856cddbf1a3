"""The project's own packages in a development environment: linked, so that an edit is seen at once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from toolkit.core import files
from toolkit.project import source_files
from toolkit.project.discovery import Package
from toolkit.wheel import record, scripts
from toolkit.wheel.record import Row

_PATHS = "_python_common.pth"


def write(packages: Sequence[Package], prefix: Path, site: Path, old_links: Iterable[str] = ()) -> tuple[str, ...]:
    """Put packages on the environment's path, and their scripts into its bin/; return the names of the scripts.

    Those of `old_links`, the names of the last time, that no package has any more are removed.
    """
    roots = [root for package in packages for root in source_files.import_roots(package.path)]
    files.write_changed(site / _PATHS, "".join(f"{root}\n" for root in roots))
    for package in packages:
        _describe(package, site)
    links = {f"bin/{script.name}": script for package in packages for script in _scripts(package)}
    commands = {f"bin/{name}": target for package in packages for name, target in package.commands.items()}
    for name in set(old_links) - {*links, *commands}:
        (prefix / name).unlink(missing_ok=True)
    for name, script in links.items():
        _link(prefix / name, script)
    for name, target in commands.items():
        _write_command(prefix / name, target, prefix / "bin" / "python")
    return tuple(sorted({*links, *commands}))


def remove(names: Iterable[str], site: Path) -> None:
    """Remove the metadata of packages that are not linked any more."""
    for name in names:
        for directory in _metadata(name, site):
            files.remove(directory)


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
    version = package.version or "0"
    directory = site / f"{package.name.replace('-', '_')}-{version}.dist-info"
    for old in _metadata(package.name, site):
        if old != directory:
            files.remove(old)
    directory.mkdir(exist_ok=True)
    url = {"url": package.path.as_uri(), "dir_info": {"editable": True}}
    files.write_changed(directory / "METADATA", f"Metadata-Version: 2.1\nName: {package.name}\nVersion: {version}\n")
    files.write_changed(directory / "INSTALLER", "python-common\n")
    files.write_changed(directory / "direct_url.json", json.dumps(url))
    commands = "".join(f"{name} = {target}\n" for name, target in package.commands.items())
    files.write_changed(directory / "entry_points.txt", f"[console_scripts]\n{commands}" if commands else "")
    names = ("METADATA", "INSTALLER", "direct_url.json", "entry_points.txt", "RECORD")
    files.write_changed(directory / "RECORD", record.text(Row(f"{directory.name}/{name}") for name in names))
