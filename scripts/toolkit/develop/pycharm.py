"""PyCharm: the interpreter, the modules and the repositories of a project, in the files of `.idea/` that it keeps.

It writes these anew by itself, with elements of its own, so what is missing is added element by element.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from toolkit.core import console
from toolkit.develop import editor_files, workon
from toolkit.develop.workon import Environment
from toolkit.project import submodules

_EXCLUDED = ("build", "dist", "vendor")
_MODULE = re.compile(r"\$PROJECT_DIR\$/\.idea/([^/]+\.iml)")


def write(environment: Environment) -> None:
    """Write what PyCharm has to know, beside what is there."""
    root = environment.project.root
    module = _module(root)
    parts: dict[str, Callable[[ET.Element], None]] = {
        "vcs.xml": partial(_map_repositories, environment),
        "misc.xml": partial(_name_interpreter, environment),
        "modules.xml": partial(_name_module, module),
        module: partial(_describe, environment),
    }
    for name, add in parts.items():
        editor_files.merge(root, f".idea/{name}", partial(_merged, add, name == module))
    console.note(
        f"PyCharm keeps interpreters in its own settings, not in projects: once, add {environment.python}\n"
        f"    as an existing one (Settings > Python Interpreter), under the name {_sdk(environment)!r}"
    )


def _merged(add: Callable[[ET.Element], None], is_module: bool, text: str) -> str:
    empty = _empty(is_module)
    tree = _parsed(text) if text else empty
    if tree.tag != empty.tag:
        raise ValueError(f"it is no <{empty.tag}>")
    before = ET.tostring(tree)
    add(tree)
    if text and ET.tostring(tree) == before:
        return text
    ET.indent(tree)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(tree, encoding="unicode")}'


def _parsed(text: str) -> ET.Element:
    # Entities, which could be of any size once they are expanded, are declared there.
    if "<!DOCTYPE" in text:
        raise ValueError("it has a DOCTYPE, as no file of PyCharm's")
    try:
        return ET.fromstring(text, ET.XMLParser(target=ET.TreeBuilder(insert_comments=True)))
    except ET.ParseError as error:
        raise ValueError(f"not XML: {error}") from None


def _empty(is_module: bool) -> ET.Element:
    return ET.Element("module", type="PYTHON_MODULE", version="4") if is_module else ET.Element("project", version="4")


def _module(root: Path) -> str:
    """Return the file of the project's module: the one that PyCharm knows, else one called as the project."""
    try:
        tree = _parsed(editor_files.read(editor_files.inside(root, ".idea/modules.xml")))
    except (OSError, ValueError):
        return f"{root.name}.iml"
    named = (_MODULE.fullmatch(element.get("filepath", "")) for element in tree.iter("module"))
    return next((found[1] for found in named if found and found[1].isprintable()), f"{root.name}.iml")


def _component(tree: ET.Element, name: str) -> ET.Element:
    found = next((element for element in tree.iter("component") if element.get("name") == name), None)
    return ET.SubElement(tree, "component", name=name) if found is None else found


def _map_repositories(environment: Environment, tree: ET.Element) -> None:
    mappings, root = _component(tree, "VcsDirectoryMappings"), environment.project.root
    known = {element.get("directory") for element in mappings}
    # Written so where the project's own directory was found by PyCharm.
    known |= {"$PROJECT_DIR$"} if "" in known else set()
    for path in (root, *_submodules(root)):
        directory = _from(environment, path, "$PROJECT_DIR$")
        if (path / ".git").exists() and directory not in known:
            ET.SubElement(mappings, "mapping", directory=directory, vcs="Git")


def _name_interpreter(environment: Environment, tree: ET.Element) -> None:
    manager = _component(tree, "ProjectRootManager")
    if manager.get("version") is None:
        manager.set("version", "2")
    _set_sdk(environment, manager, "project-jdk-name")
    manager.set("project-jdk-type", "Python SDK")
    if manager.get("project-jdk-name") != _sdk(environment):
        named = manager.get("project-jdk-name")
        editor_files.keep(".idea/misc.xml", f"the interpreter is {named!r}; choose {_sdk(environment)!r} in PyCharm")


def _set_sdk(environment: Environment, element: ET.Element, attribute: str) -> None:
    """Name the environment, unless another interpreter is named than one of this environment."""
    ours = re.compile(rf"Python [\d.]+ \({re.escape(environment.prefix.name)}\)")
    if ours.fullmatch(element.get(attribute) or _sdk(environment)):
        element.set(attribute, _sdk(environment))


def _name_module(module: str, tree: ET.Element) -> None:
    manager = _component(tree, "ProjectModuleManager")
    modules = manager.find("modules")
    modules = ET.SubElement(manager, "modules") if modules is None else modules
    path = f"$PROJECT_DIR$/.idea/{module}"
    if path not in [element.get("filepath") for element in modules]:
        ET.SubElement(modules, "module", fileurl=f"file://{path}", filepath=path)


def _describe(environment: Environment, tree: ET.Element) -> None:
    """Add source roots, what is excluded, and the interpreter to a module."""
    manager = _component(tree, "NewModuleRootManager")
    # A folder that is marked in whatever way stays so.
    known = {element.get("url") for content in manager.findall("content") for element in content}
    contents = _content_roots(environment)
    for root in contents:
        url = _url(environment, root)
        content = next((element for element in manager.findall("content") if element.get("url") == url), None)
        if content is None:
            content = ET.Element("content", url=url)
            manager.insert(len(manager.findall("content")), content)
        for tag, path, attributes in _folders(environment, root, contents):
            if _url(environment, path) not in known:
                ET.SubElement(content, tag, {"url": _url(environment, path), **attributes})
    entries = {element.get("type"): element for element in manager.findall("orderEntry")}
    if "inheritedJdk" not in entries and "jdk" not in entries:
        entries["jdk"] = ET.SubElement(
            manager, "orderEntry", type="jdk", jdkName=_sdk(environment), jdkType="Python SDK"
        )
    if "jdk" in entries:
        _set_sdk(environment, entries["jdk"], "jdkName")
    if "sourceFolder" not in entries:
        ET.SubElement(manager, "orderEntry", type="sourceFolder", forTests="false")


def _folders(environment: Environment, root: Path, contents: list[Path]) -> Iterator[tuple[str, Path, dict[str, str]]]:
    """Yield the folders of a content root: those that no root inside it has."""
    for paths, is_test in ((workon.roots(environment), "false"), (editor_files.tests(environment), "true")):
        for path in paths:
            owners = [each for each in contents if path.is_relative_to(each)]
            if max(owners, key=lambda each: len(each.parts)) == root:
                yield "sourceFolder", path, {"isTestSource": is_test}
    if root == environment.project.root:
        yield from (("excludeFolder", root / name, {}) for name in _EXCLUDED)


def _content_roots(environment: Environment) -> list[Path]:
    """Return the project, its submodules (each a repository, with a history of its own), and packages outside it."""
    root = environment.project.root
    inside = [root, *(path for path in _submodules(root) if path != root / "vendor")]
    return [*inside, *(package.path for package in environment.packages if not package.path.is_relative_to(root))]


def _submodules(directory: Path) -> Iterator[Path]:
    for path in (directory / name for name in submodules.paths(directory)):
        yield path
        yield from _submodules(path)


def _url(environment: Environment, path: Path) -> str:
    # For a module in .idea/, MODULE_DIR is the directory that holds .idea/.
    return f"file://{_from(environment, path, '$MODULE_DIR$')}"


def _from(environment: Environment, path: Path, variable: str) -> str:
    """Return a path in the project by the variable that stands for this in PyCharm's files."""
    root = environment.project.root
    return f"{variable}/{path.relative_to(root)}".removesuffix("/.") if path.is_relative_to(root) else str(path)


def _sdk(environment: Environment) -> str:
    return f"Python {environment.interpreter.version} ({environment.prefix.name})"
