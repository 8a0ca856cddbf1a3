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
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import quoteattr

from toolkit.core import console, files
from toolkit.develop import workon
from toolkit.develop.workon import Environment
from toolkit.project import submodules
from toolkit.project.package_search import is_toolkit

_MARK = "written by create-virtual-environment, which brings it up to date while it is unchanged: "
_EXCLUDED = ("build", "dist", "vendor")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that ask for these files."""
    group = parser.add_argument_group("editors", "files of yours are never overwritten")
    group.add_argument("--pycharm", action="store_true", help="write .idea/: the interpreter and the source roots")
    group.add_argument("--vscode", action="store_true", help="write .vscode/settings.json: the same, and the tests")
    group.add_argument("--direnv", action="store_true", help="write .envrc: enter the environment with the directory")


def write(environment: Environment, arguments: argparse.Namespace) -> None:
    """Write the files that were asked for into the project of an environment."""
    contents = {
        **(_pycharm(environment) if arguments.pycharm else {}),
        **(_vscode(environment) if arguments.vscode else {}),
        **(_direnv(environment) if arguments.direnv else {}),
    }
    for name, text in contents.items():
        _write(environment.project.root, name, text)
    if arguments.pycharm:
        python = environment.python
        console.note(
            f"PyCharm keeps interpreters in its own settings, not in projects: once, add {python}\n"
            f"    as an existing one (Settings > Python Interpreter), under the name {_sdk(environment)!r}"
        )
    if arguments.direnv:
        console.note("direnv asks once for your consent: `direnv allow`")


def _write(root: Path, name: str, text: str) -> None:
    path, data = root / name, text.replace(_MARK, _MARK + _digest(text), 1)
    try:
        old = path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        old = ""
    if old == data:
        return
    if os.path.lexists(path) and not _is_ours(old):
        console.step("KEEP", f"{name}: it is yours, or was changed; remove it to have it written")
        return
    path.parent.mkdir(exist_ok=True)
    files.write_atomic(path, data)
    console.step("WRITE", name)


def _is_ours(text: str) -> bool:
    before, mark, after = text.partition(_MARK)
    return bool(mark) and after[:16] == _digest(before + mark + after[16:])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _roots(environment: Environment) -> list[Path]:
    return workon.roots(environment)


def _tests(environment: Environment) -> list[Path]:
    # Those of the toolkit are not the project's to run.
    own = (package for package in environment.packages if package.is_root or not is_toolkit(package.path))
    return [package.path / "tests" for package in own if (package.path / "tests").is_dir()]


def _sdk(environment: Environment) -> str:
    return f"Python {environment.interpreter.version} ({environment.prefix.name})"


def _pycharm(environment: Environment) -> dict[str, str]:
    module = f"$PROJECT_DIR$/.idea/{environment.project.root.name}.iml"
    sdk = quoteattr(_sdk(environment))
    modules = (
        f"    <modules>\n      <module fileurl={quoteattr(f'file://{module}')} filepath={quoteattr(module)} />\n"
        "    </modules>\n"
    )
    contents = _content_roots(environment)
    roots = "".join(_content(environment, root, contents) for root in contents)
    jdk = (
        f'    <orderEntry type="jdk" jdkName={sdk} jdkType="Python SDK" />\n'
        '    <orderEntry type="sourceFolder" forTests="false" />\n'
    )
    repositories = "".join(
        f'    <mapping directory={quoteattr(_from(environment, path, "$PROJECT_DIR$"))} vcs="Git" />\n'
        for path in (environment.project.root, *_submodules(environment.project.root))
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
        f".idea/{environment.project.root.name}.iml": _xml(
            'module type="PYTHON_MODULE"', f'  <component name="NewModuleRootManager">\n{roots}{jdk}  </component>\n'
        ),
    }


def _xml(root: str, body: str) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- {_MARK} -->\n<{root} version="4">\n{body}'
        f"</{root.partition(' ')[0]}>\n"
    )


def _content_roots(environment: Environment) -> list[Path]:
    """Return the project, its submodules (each a repository, with a history of its own), and packages outside it."""
    root = environment.project.root
    inside = [root, *(path for path in _submodules(root) if path != root / "vendor")]
    return [*inside, *(package.path for package in environment.packages if not package.path.is_relative_to(root))]


def _submodules(directory: Path) -> Iterator[Path]:
    for path in (directory / name for name in submodules.paths(directory)):
        yield path
        yield from _submodules(path)


def _content(environment: Environment, content: Path, contents: list[Path]) -> str:
    def folder(kind: str, path: Path, more: str = "") -> str:
        return f"      <{kind} url={quoteattr(_url(environment, path))}{more} />\n"

    def is_here(path: Path) -> bool:
        owners = [root for root in contents if path.is_relative_to(root)]
        return max(owners, key=lambda root: len(root.parts)) == content

    lines = [folder("sourceFolder", path, ' isTestSource="false"') for path in _roots(environment) if is_here(path)]
    lines += [folder("sourceFolder", path, ' isTestSource="true"') for path in _tests(environment) if is_here(path)]
    if content == environment.project.root:
        lines += [folder("excludeFolder", content / name) for name in _EXCLUDED]
    return f"    <content url={quoteattr(_url(environment, content))}>\n{''.join(lines)}    </content>\n"


def _url(environment: Environment, path: Path) -> str:
    # For a module in .idea/, MODULE_DIR is the directory that holds .idea/.
    return f"file://{_from(environment, path, '$MODULE_DIR$')}"


def _from(environment: Environment, path: Path, variable: str) -> str:
    """Return a path in the project by the variable that stands for this in PyCharm's files."""
    root = environment.project.root
    return f"{variable}/{path.relative_to(root)}".removesuffix("/.") if path.is_relative_to(root) else str(path)


def _vscode(environment: Environment) -> dict[str, str]:
    root = environment.project.root
    tests = [os.path.relpath(path, root) for path in _tests(environment) if path.is_relative_to(root)]
    has_pytest = (environment.site() / "pytest").is_dir()
    settings: dict[str, object] = {
        "python.defaultInterpreterPath": str(environment.python),
        "python.analysis.extraPaths": [str(root) for root in _roots(environment)],
        "python.testing.pytestEnabled": has_pytest,
        "python.testing.unittestEnabled": not has_pytest,
    }
    if has_pytest:
        settings["python.testing.pytestArgs"] = tests
    elif tests:
        settings["python.testing.unittestArgs"] = ["-v", "-s", tests[0]]
    # Its settings are JSON with comments.
    return {".vscode/settings.json": f"// {_MARK}\n{json.dumps(settings, indent=4, ensure_ascii=False)}\n"}


def _direnv(environment: Environment) -> dict[str, str]:
    prefix = shlex.quote(str(environment.prefix))
    return {".envrc": f'# {_MARK}\nexport VIRTUAL_ENV={prefix}\nPATH_add "$VIRTUAL_ENV/bin"\nunset PYTHONHOME\n'}
