"""The project's own packages in a development environment: linked, so that an edit is seen at once.

A linked package has the metadata of its wheel, so that it is known as when it is installed, and what only that has.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from toolkit.core import files
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import quoted
from toolkit.develop import import_hook, wheel_layout
from toolkit.develop.workon import Environment, Link, State
from toolkit.install import loadable
from toolkit.model.interpreter import Interpreter
from toolkit.project import source_files
from toolkit.project.discovery import Package
from toolkit.wheel import entry_points, record, scripts
from toolkit.wheel.image import Image
from toolkit.wheel.record import Row

#: Part of every identity: a change in how packages are linked links them again.
RECIPE = 1
_VERSION = re.compile(r"[\w.!+-]{1,200}")
_PATHS, _HOOK = "_python_common.pth", "_python_common_imports"
_METADATA, _ENTRY_POINTS = "METADATA", entry_points.FILE


@dataclass(frozen=True, kw_only=True)
class Linked:
    """What links a package: its `link`, the part of its wheel's `image` that the environment holds, and `texts`.

    These are files of its metadata, by their names there.
    """

    package: Package
    link: Link
    image: Image | None = None
    texts: Mapping[str, str] = field(default_factory=dict)


def of_wheel(package: Package, image: Image, interpreter: Interpreter, identity: str) -> Linked:
    """Return what links a package of which there is a wheel."""
    site = f"{interpreter.site_packages}/"
    every = {name.removeprefix(site): file for name, file in image.files.items() if name.startswith(site)}
    information = next(name for name in every if name.count("/") == 1 and name.endswith(".dist-info/RECORD"))
    information = information.rpartition("/")[0]
    inside = {name: file.sha256 for name, file in every.items() if not name.startswith(f"{information}/")}
    layout = wheel_layout.read(inside, package.path)
    entries = image.root / site / information / _ENTRY_POINTS
    commands = entry_points.commands(entries.read_bytes()) if entries.is_file() else {}
    from_source = dict(_from_source(package, image, commands))
    scripts_elsewhere = {*commands, *from_source, *_own(package)}

    def is_kept(name: str) -> bool:
        if name.startswith(site):
            return (short := name.removeprefix(site)) not in inside or short in layout.made
        return name.removeprefix("bin/") not in scripts_elsewhere

    link = Link(
        identity=identity,
        information=information,
        roots=tuple(map(str, layout.roots)),
        mapped={name: str(path) for name, path in layout.mapped.items()},
        merges=_merges(inside, layout.made),
        modules=loadable.modules(image.root / site, inside, interpreter),
        commands=commands,
        scripts={name: str(path) for name, path in from_source.items()},
    )
    own = {name: file for name, file in image.files.items() if is_kept(name)}
    return Linked(package=package, link=link, image=replace(image, files=own))


def of_files(package: Package, interpreter: Interpreter, identity: str) -> Linked:
    """Return what links a package that cannot be built here: what its files say literally, and where modules stand."""
    # What is no version, no build will take either.
    version = package.version if _VERSION.fullmatch(package.version) else "0"
    for name in package.commands:
        if not entry_points.is_name(name):
            raise UserError(f"{package.path}: the command {quoted(name)} is no file name", "rename it")
    commands = "".join(f"{name} = {target}\n" for name, target in package.commands.items())
    texts = {_METADATA: f"Metadata-Version: 2.1\nName: {package.name}\nVersion: {version}\n"}
    if commands:
        texts[_ENTRY_POINTS] = f"[console_scripts]\n{commands}"
    roots = source_files.import_roots(package.path)
    listed = {root: [path.as_posix() for path in source_files.source_files(root)] for root in roots}
    link = Link(
        identity=identity,
        information=f"{package.name.replace('-', '_')}-{version}.dist-info",
        roots=tuple(map(str, roots)),
        modules=tuple(name for root in roots for name in loadable.modules(root, listed[root], interpreter)),
        commands=package.commands,
    )
    return Linked(package=package, link=link, texts=texts)


def _merges(inside: Iterable[str], made: Iterable[str]) -> bool:
    """Tell whether imports have to look for modules of one package in several directories."""
    names = [name for name in inside if name.endswith((".py", ".so"))]
    packages = {name.rpartition("/")[0] for name in names if name.endswith("/__init__.py")}
    is_namespace = any("/" in name and name.partition("/")[0] not in packages for name in names)
    return is_namespace or any("/" in name and name.endswith((".py", ".so")) for name in made)


def _from_source(package: Package, image: Image, commands: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """Yield the scripts of a wheel that are files of the source outside its bin/, but for their first line."""
    left = {*image.scripts} - commands.keys() - _own(package).keys()
    for path in source_files.source_files(package.path) if left else ():
        if path.name in left and _without_interpreter(package.path / path) == _without_interpreter(
            image.root / "bin" / path.name
        ):
            left.discard(path.name)
            yield path.name, package.path / path


def _without_interpreter(path: Path) -> bytes:
    return scripts.with_interpreter(path.read_bytes(), Path("python"))


def _own(package: Package) -> dict[str, Path]:
    """Return the files of a service's bin/, by their names."""
    directory = package.path / "bin"
    if not package.is_service or not directory.is_dir():
        return {}
    return {path.name: path for path in directory.iterdir() if path.is_file() and not path.name.startswith(".")}


def write(environment: Environment, root: Path, linked: Iterable[Linked], links: Mapping[str, Link]) -> None:
    """Put packages into an environment that is at `root` for now, where those of the same names have been taken out.

    All `links` are on its path, then; the last ones come first there, as they do among files.
    """
    site = environment.site(root)
    for item in linked:
        _install(item, site, root, environment.python)
    roots = list(dict.fromkeys(path for link in reversed([*links.values()]) for path in link.roots))
    places = {name: path for link in links.values() for name, path in link.mapped.items()}
    hook = site / f"{_HOOK}.py"
    needs_hook = bool(places) or any(link.merges for link in links.values())
    if needs_hook:
        code = Path(import_hook.__file__).read_text(encoding="utf-8")
        files.write_changed(hook, f"{code}\n\nadd({roots!r}, {places!r})\n")
    else:
        files.remove(hook)
    lines = [*roots, *([f"import {_HOOK}"] if needs_hook else [])]
    files.write_changed(site / _PATHS, "".join(f"{line}\n" for line in lines))


def _install(item: Linked, site: Path, root: Path, python: Path) -> None:
    names = list(item.image.files) if item.image else []
    if item.image:
        item.image.link(root, python)
    directory = site / item.link.information
    directory.mkdir(exist_ok=True)
    # PEP 610: an editable directory.
    url = json.dumps({"url": item.package.path.as_uri(), "dir_info": {"editable": True}})
    for name, text in {**item.texts, "INSTALLER": "python-common\n", "direct_url.json": url}.items():
        files.write_atomic(directory / name, text)
        names.append(os.path.relpath(directory / name, root))
    own = f"{item.link.information}/{record.FILE}"
    paths = {os.path.relpath(root / name, site): root / name for name in names}
    rows = [record.row_of_file(name, path) for name, path in sorted(paths.items()) if name != own]
    files.write_atomic(site / own, record.text([*rows, Row(own)]))


def write_scripts(environment: Environment, root: Path, links: Mapping[str, Link], before: State) -> tuple[str, ...]:
    """Put the scripts of packages into bin/ of an environment that is at `root` for now, and return their names.

    Those that were there `before`, and are not any more, are removed.
    """
    runners = {f"bin/{name}": path for name, path in _runners(environment.packages, links).items()}
    commands = {f"bin/{name}": target for link in links.values() for name, target in link.commands.items()}
    for name in set(before.links) - {*runners, *commands}:
        (root / name).unlink(missing_ok=True)
    for name, target in commands.items():
        _write_script(root / name, scripts.entry_point(environment.python, target))
    for name, script in runners.items():
        if name in commands:
            continue
        if content := scripts.runner(environment.python, script):
            _write_script(root / name, content)
        else:
            _link(root / name, script)
    return tuple(sorted({*runners, *commands}))


def scripts_of(packages: Iterable[Package], linked: Iterable[Linked], links: Mapping[str, Link]) -> set[str]:
    """Return the names, relative to the environment, of the scripts that packages are going to have there.

    Some are `linked` again, the others by their `links`.
    """
    linked = list(linked)
    links = {**links, **{item.package.name: item.link for item in linked}}
    names = {*_runners(packages, links), *(name for link in links.values() for name in link.commands)}
    names |= {name for item in linked if item.image for name in item.image.scripts}
    return {f"bin/{name}" for name in names}


def _runners(packages: Iterable[Package], links: Mapping[str, Link]) -> dict[str, Path]:
    listed = {name: Path(path) for link in links.values() for name, path in link.scripts.items()}
    return listed | {name: path for package in packages for name, path in sorted(_own(package).items())}


def _link(path: Path, script: Path) -> None:
    if not path.is_symlink() or os.readlink(path) != str(script):
        path.unlink(missing_ok=True)
        path.symlink_to(script)


def _write_script(path: Path, content: bytes) -> None:
    if path.is_symlink():
        path.unlink()
    files.write_changed(path, content.decode())
    path.chmod(0o755)
