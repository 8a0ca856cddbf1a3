"""Files by which editors find a project's environment and packages: PyCharm, VS Code, direnv.

Each holds a line with a digest of the rest. So a file that somebody else wrote, or that was changed since, is known as
such and left alone, without a record of what was written.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from toolkit.core import console, files
from toolkit.model.interpreter import Interpreter
from toolkit.project import source_files, submodules
from toolkit.project.discovery import Package, Project
from toolkit.project.package_search import is_toolkit
from toolkit.wheel import environment

_MARK = "written by create-virtual-environment, which brings it up to date while it is unchanged: "
_EXCLUDED = ("build", "dist", "vendor")


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A project, its environment, and the packages that this links."""

    project: Project
    prefix: Path
    interpreter: Interpreter
    packages: Sequence[Package]

    @property
    def roots(self) -> list[Path]:
        return [root for package in self.packages for root in source_files.import_roots(package.path)]

    @property
    def tests(self) -> list[Path]:
        # Those of the toolkit are not the project's to run.
        own = (package for package in self.packages if package.is_root or not is_toolkit(package.path))
        return [package.path / "tests" for package in own if (package.path / "tests").is_dir()]

    @property
    def has_pytest(self) -> bool:
        return (environment.site_packages(self.prefix, self.interpreter) / "pytest").is_dir()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that ask for these files."""
    group = parser.add_argument_group("editors", "files of yours are never overwritten")
    group.add_argument("--pycharm", action="store_true", help="write .idea/: the interpreter and the source roots")
    group.add_argument("--vscode", action="store_true", help="write .vscode/settings.json: the same, and the tests")
    group.add_argument("--direnv", action="store_true", help="write .envrc: enter the environment with the directory")


def are_asked(arguments: argparse.Namespace) -> bool:
    """Tell whether any of these files is asked for."""
    return any((arguments.pycharm, arguments.vscode, arguments.direnv))


def write(
    project: Project,
    prefix: Path,
    interpreter: Interpreter,
    arguments: argparse.Namespace,
    extra: Sequence[Package] = (),
) -> None:
    """Write what was asked for, in the project; `extra` are packages of other projects that are linked too."""
    place = _Place(project=project, prefix=prefix, interpreter=interpreter, packages=(*project.packages, *extra))
    makers: dict[str, Callable[[_Place], dict[str, str]]] = {"pycharm": _pycharm, "vscode": _vscode, "direnv": _direnv}
    for name, make in makers.items():
        if getattr(arguments, name):
            for path, text in make(place).items():
                _write(project.root, path, text)
    if arguments.pycharm:
        console.note(
            f"PyCharm keeps interpreters in its own settings, not in projects: once, add {prefix}/bin/python\n"
            f"    as an existing one (Settings > Python Interpreter), under the name {_sdk(place)!r}"
        )
    if arguments.direnv:
        console.note("direnv asks once for your consent: `direnv allow`")


def _write(root: Path, name: str, text: str) -> None:
    path, data = root / name, _marked(text)
    try:
        old = path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        old = ""
    if old == data:
        return
    if os.path.lexists(path) and not is_ours(old):
        console.step("KEEP", f"{name}: it is yours, or was changed; remove it to have it written")
        return
    path.parent.mkdir(exist_ok=True)
    files.write_atomic(path, data)
    console.step("WRITE", name)


def _marked(text: str) -> str:
    """Put the digest into the line that stands for it."""
    return text.replace(_MARK, _MARK + _digest(text), 1)


def is_ours(text: str) -> bool:
    """Tell whether a text is as it was written here."""
    before, mark, after = text.partition(_MARK)
    return bool(mark) and after[:16] == _digest(before + mark + after[16:])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _sdk(place: _Place) -> str:
    return f"Python {place.interpreter.version} ({place.prefix.name})"


def _pycharm(place: _Place) -> dict[str, str]:
    module = f"$PROJECT_DIR$/.idea/{place.project.root.name}.iml"
    sdk = quoteattr(_sdk(place))
    modules = (
        f"    <modules>\n      <module fileurl={quoteattr(f'file://{module}')} filepath={quoteattr(module)} />\n"
        "    </modules>\n"
    )
    roots = "".join(_content(place, root) for root in _content_roots(place))
    jdk = (
        f'    <orderEntry type="jdk" jdkName={sdk} jdkType="Python SDK" />\n'
        '    <orderEntry type="sourceFolder" forTests="false" />\n'
    )
    repositories = "".join(
        f'    <mapping directory={quoteattr(_from(place, path, "$PROJECT_DIR$"))} vcs="Git" />\n'
        for path in (place.project.root, *_submodules(place.project.root))
        if (path / ".git").exists()
    )
    return {
        ".idea/vcs.xml": _xml("project", f'  <component name="VcsDirectoryMappings">\n{repositories}  </component>\n'),
        ".idea/misc.xml": _xml(
            "project",
            f'  <component name="ProjectRootManager" version="2" project-jdk-name={sdk} '
            'project-jdk-type="Python SDK" />\n',
        ),
        ".idea/modules.xml": _xml("project", f'  <component name="ProjectModuleManager">\n{modules}  </component>\n'),
        f".idea/{place.project.root.name}.iml": _xml(
            'module type="PYTHON_MODULE"', f'  <component name="NewModuleRootManager">\n{roots}{jdk}  </component>\n'
        ),
    }


def _xml(root: str, body: str) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- {_MARK} -->\n<{root} version="4">\n{body}'
        f"</{root.partition(' ')[0]}>\n"
    )


def _content_roots(place: _Place) -> list[Path]:
    """Return the project, its submodules (each a repository, with a history of its own), and packages elsewhere."""
    root = place.project.root
    inside = [root, *(path for path in _submodules(root) if path != root / "vendor")]
    return [*inside, *(package.path for package in place.packages if not package.path.is_relative_to(root))]


def _submodules(directory: Path) -> Iterator[Path]:
    for path in (directory / name for name in submodules.paths(directory)):
        yield path
        yield from _submodules(path)


def _content(place: _Place, content: Path) -> str:
    def folder(kind: str, path: Path, more: str = "") -> str:
        return f"      <{kind} url={quoteattr(_url(place, path))}{more} />\n"

    def is_here(path: Path) -> bool:
        owners = [root for root in _content_roots(place) if path.is_relative_to(root)]
        return max(owners, key=lambda root: len(root.parts)) == content

    lines = [folder("sourceFolder", path, ' isTestSource="false"') for path in place.roots if is_here(path)]
    lines += [folder("sourceFolder", path, ' isTestSource="true"') for path in place.tests if is_here(path)]
    if content == place.project.root:
        lines += [folder("excludeFolder", content / name) for name in _EXCLUDED]
    return f"    <content url={quoteattr(_url(place, content))}>\n{''.join(lines)}    </content>\n"


def _url(place: _Place, path: Path) -> str:
    # For a module in .idea/, MODULE_DIR is the directory that holds .idea/.
    return f"file://{_from(place, path, '$MODULE_DIR$')}"


def _from(place: _Place, path: Path, variable: str) -> str:
    """Return a path in the project by the variable that stands for this in PyCharm's files."""
    root = place.project.root
    return f"{variable}/{path.relative_to(root)}".removesuffix("/.") if path.is_relative_to(root) else str(path)


def _vscode(place: _Place) -> dict[str, str]:
    tests = [
        os.path.relpath(path, place.project.root) for path in place.tests if path.is_relative_to(place.project.root)
    ]
    settings: dict[str, object] = {
        "python.defaultInterpreterPath": str(place.prefix / "bin" / "python"),
        "python.analysis.extraPaths": [str(root) for root in place.roots],
        "python.testing.pytestEnabled": place.has_pytest,
        "python.testing.unittestEnabled": not place.has_pytest,
    }
    if place.has_pytest:
        settings["python.testing.pytestArgs"] = tests
    elif tests:
        settings["python.testing.unittestArgs"] = ["-v", "-s", tests[0]]
    # Its settings are JSON with comments.
    return {".vscode/settings.json": f"// {_MARK}\n{json.dumps(settings, indent=4, ensure_ascii=False)}\n"}


def _direnv(place: _Place) -> dict[str, str]:
    prefix = shlex.quote(str(place.prefix))
    return {".envrc": f'# {_MARK}\nexport VIRTUAL_ENV={prefix}\nPATH_add "$VIRTUAL_ENV/bin"\nunset PYTHONHOME\n'}
