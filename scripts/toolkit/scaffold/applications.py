"""Programs without a written command: scripts that metadata declares, Django, application objects, main modules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from toolkit.core import documents
from toolkit.core.foreign_text import quoted
from toolkit.model.names import normalize
from toolkit.scaffold.commands import FUNCTION, MODULE
from toolkit.scaffold.program import Program, Sources

#: Classes of applications, by the interface that their servers speak, each with the servers in the order of preference.
_INTERFACES = {
    **dict.fromkeys(("FastAPI", "Litestar", "Quart", "Sanic", "Starlette"), ("uvicorn", "hypercorn", "daphne")),
    "Flask": ("gunicorn", "waitress-serve"),
}
_SETTINGS = re.compile(r"""DJANGO_SETTINGS_MODULE["'],\s*["']([\w.]+)["']""")
#: Functions that make an application.
_FACTORIES = frozenset({"create_app", "make_app"})
#: Where applications mostly are.
_USUAL = ("app", "main", "wsgi", "asgi", "application", "server", "api", "__init__")


def declared(sources: Sources) -> Iterator[Program]:
    """Yield the script that metadata declares: the one called as the distribution, or the first."""
    known = {name: match for name, target in sources.scripts.items() if (match := FUNCTION.fullmatch(target))}
    for name in sorted(known, key=lambda name: (normalize(name) != sources.name, name))[:1]:
        function = f"{known[name]['module']}:{known[name]['name']}"
        origin = f"the script {quoted(name)}"
        yield Program(function=function, imports=known[name]["module"], origin=origin, runs_on=sources.serves)


def manage(sources: Sources) -> Program | None:
    """Return Django's own program."""
    path = sources.root / "manage.py"
    text = sources.files.text(path)
    if "django" not in text.lower():
        return None
    return Program(module="manage", process="manage", origin=str(path), imports="manage")


def of_django(sources: Sources) -> Iterator[Program]:
    """Yield what serves a Django project, its own server last."""
    if not (found := manage(sources)):
        return
    settings = _SETTINGS.search(sources.files.text(sources.root / "manage.py"))
    first = settings[1].split(".")[0] if settings else ""
    for server, file in (("gunicorn", "wsgi.py"), ("uvicorn", "asgi.py"), ("daphne", "asgi.py")):
        paths = [path for path in sources.files.below(sources.root) if path.name == file and len(path.parts) <= 3]
        for path in sorted(paths, key=lambda path: (path.parts[0] != first, path))[:1]:
            module = ".".join(path.with_suffix("").parts)
            if sources.provides(server) and MODULE.fullmatch(module):
                words = (f"{module}:application",)
                yield Program(command=server, words=words, imports=module, origin=str(sources.root / path))
    yield replace(found, process="", words=("runserver", "--noreload"))


def applications(sources: Sources) -> Iterator[Program]:
    """Yield what serves an application object, found by its class: `app = Flask(__name__)`."""
    for path in _modules(sources):
        tree = _tree(sources, path)
        module = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        origin = str(sources.root / path)
        for name, kind in _objects(sources, tree):
            target = f"{module}:{name}"
            for server in _INTERFACES[kind]:
                if sources.provides(server):
                    # gunicorn calls a factory by itself, others by an option.
                    options = {"uvicorn": ("--factory",), "waitress-serve": ("--call",)}
                    words = options.get(server, ()) if name.endswith("()") else ()
                    target = target if server == "gunicorn" else target.removesuffix("()")
                    yield Program(command=server, words=(*words, target), imports=module, origin=origin)
            if kind == "Flask":
                yield Program(command="flask", words=("--app", module, "run"), imports=module, origin=origin)


def _modules(sources: Sources) -> list[PurePosixPath]:
    """Return the modules of a directory, those where applications mostly are first."""
    found = [
        path
        for path in sources.files.below(sources.root)
        if path.suffix == ".py"
        and MODULE.fullmatch(".".join(path.with_suffix("").parts))
        and not {"test", "tests", "docs", "examples"} & set(path.parts)
    ]
    usual = {name: place for place, name in enumerate(_USUAL)}
    return sorted(found, key=lambda path: (usual.get(path.stem, len(usual)), len(path.parts), path))


def _tree(sources: Sources, path: PurePosixPath) -> ast.Module:
    try:
        return documents.python(sources.files.text(sources.root / path).encode())
    except ValueError:
        return ast.Module(body=[], type_ignores=[])


def _objects(sources: Sources, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the applications of a module, as servers name them, with their classes; factories come last."""
    factories = dict(_factories(tree))
    known = {**_imported(sources, tree), **factories}
    for statement in tree.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        value = getattr(statement, "value", None)
        kind = _class(value) or known.get(_called(value), "")
        if kind and isinstance(targets[0], ast.Name):
            yield targets[0].id, kind
    yield from ((f"{name}()", kind) for name, kind in factories.items())


def _factories(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the functions of a module that make an application, with its class."""
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef) and statement.name in _FACTORIES:
            made = (_class(node) for node in ast.walk(statement))
            if kind := next(filter(None, made), ""):
                yield statement.name, kind


def _imported(sources: Sources, tree: ast.Module) -> dict[str, str]:
    """Return such functions that a module takes from another one here, by the name that they have in it."""
    found = {}
    imports = [item for item in tree.body if isinstance(item, ast.ImportFrom) and item.module and not item.level]
    for item in imports:
        for alias in (alias for alias in item.names if alias.name in _FACTORIES):
            parts = str(item.module).split(".")
            for path in (PurePosixPath(*parts, "__init__.py"), PurePosixPath(*parts).with_suffix(".py")):
                if kind := dict(_factories(_tree(sources, path))).get(alias.name):
                    found[alias.asname or alias.name] = kind
    return found


def _class(node: ast.AST | None) -> str:
    """Return the class of an application that a call makes, empty for anything else."""
    name = _called(node)
    return name if name in _INTERFACES else ""


def _called(node: ast.AST | None) -> str:
    """Return the name of what a call calls, empty for anything else."""
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "id", "") or getattr(function, "attr", "")


def main_modules(sources: Sources) -> Iterator[Program]:
    """Yield modules that are made to be started, as by `python -m`."""
    for path in _modules(sources):
        module = ".".join(path.with_suffix("").parts).removesuffix(".__main__")
        if (path.name == "__main__.py" and len(path.parts) == 2) or (
            len(path.parts) == 1 and any(map(_is_guard, _tree(sources, path).body))
        ):
            yield Program(module=module, imports=module, origin=str(sources.root / path), runs_on=sources.serves)


def _is_guard(statement: ast.stmt) -> bool:
    """Tell whether a statement is `if __name__ == "__main__"`."""
    return isinstance(statement, ast.If) and "__main__" in {
        getattr(node, "value", None) for node in ast.walk(statement.test) if isinstance(node, ast.Constant)
    }
