"""What a Python file opens by name when it runs: shared libraries, and typelibs of GObject introspection.

The file is foreign, so it is read, and never imported. What it computes is not known.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product

from toolkit.install import platform_branches

#: The most names of one expression, and bytes of a file, that are looked at; the characters of a name.
_MOST, LONGEST, _LONGEST_NAME = 64, 2 << 20, 200
#: The most texts of all names of a file: sums of texts are longer than what the file has of them.
_MOST_KEPT = 1 << 16
#: Without one of these a file opens nothing that would be found here. Few have one, and few are parsed.
_MENTIONED = (
    b"find_library",
    b"_library(",
    b"CDLL",
    b"PyDLL",
    b"dlopen",
    b"LoadLibrary",
    b"require_version",
    b"kcs11",
    b"KCS11",
)
#: What looks for a library by the name that `-lfoo` has for a linker, and what wants the name of a file.
_FINDERS = re.compile(r"_*find_library|\w*dlopen\w*|_*(load_|locate_)+(\w+_)?library", re.IGNORECASE)
_LOADERS = frozenset({"CDLL", "PyDLL", "LoadLibrary"})
_PKCS11 = frozenset({"lib", "load"})
_TYPELIBS = frozenset({"require_version", "require_versions"})
_ENVIRONMENT = frozenset({"get", "getenv"})
#: `libfoo-1.2.so.3`; a path only where the system has its libraries.
_FILE = re.compile(r"(/usr)?/lib/([\w.+-]+/)*[\w.+-]+\.so[.0-9]*|[\w.+-]+\.so[.0-9]*|[\w.+-]+\.typelib")
_LINKER_NAME = re.compile(r"[A-Za-z0-9][\w.+-]{0,80}")
#: For another platform; `libfoo-2` is for Windows, where no name gets `lib` before it.
_ELSEWHERE = re.compile(r"\.(dll|dylib|exe|framework|sys|drv|pyd|bundle)$|^lib", re.IGNORECASE)
TYPELIB = ".typelib"
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
#: The texts that names may be: those of a function, and behind them those of what it stands in.
_Names = ChainMap[str, tuple[str, ...]]


@dataclass(frozen=True)
class Opened:
    """Names of files, in the order in which they are tried, of which one is enough; `line` is where that is done.

    `libfoo.so`, without a version, is whatever version there is.
    """

    names: tuple[str, ...]
    line: int


def read(content: bytes) -> list[Opened]:
    """Return what a file opens by name; nothing where it is no Python."""
    if not any(word in content for word in _MENTIONED):
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(content)
        found = list(_Reader(content).opened(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return sorted(found, key=lambda opened: opened.line)


def is_file(name: str) -> bool:
    """Tell whether a name is that of a library or a typelib which the system may have."""
    return len(name) <= _LONGEST_NAME and _FILE.fullmatch(name) is not None


class _Reader:
    """Goes through a file in the order of its lines, and knows what names of it have been given so far."""

    def __init__(self, content: bytes) -> None:
        self._is_gi = re.search(rb"\bgi\b", content) is not None
        self._is_pkcs11 = re.search(rb"pkcs11", content, re.IGNORECASE) is not None
        self._platforms: dict[str, str] = {}
        self._called: dict[str, str] = {}
        self._left = _MOST_KEPT

    def opened(self, tree: ast.Module) -> Iterator[Opened]:
        scopes: list[tuple[ast.Module | _Function, _Names]] = [(tree, ChainMap())]
        while scopes:
            scope, outer = scopes.pop()
            names = outer if isinstance(scope, ast.Module) else self._inside(scope, outer)
            body = scope.body if isinstance(scope.body, list) else [scope.body]
            inner = []
            for node in self._walk(body):
                self._note(node, names)
                if isinstance(node, _Function):
                    inner.append(node)
                elif isinstance(node, ast.Call) and (found := tuple(self._of_call(node, names))):
                    yield Opened(tuple(dict.fromkeys(found)), node.lineno)
            # What stands below a function is known when it is called.
            scopes += [(node, names) for node in inner]

    def _walk(self, body: Iterable[ast.AST]) -> Iterator[ast.AST]:
        """Yield what runs on Linux, in its order, functions without what is in them."""
        left = list(body)[::-1]
        while left:
            node = left.pop()
            yield node
            if isinstance(node, _Function):
                continue
            parts: Iterable[ast.AST] = ast.iter_child_nodes(node)
            if isinstance(node, ast.If | ast.IfExp):
                verdict = platform_branches.holds(node.test, self._platforms)
                if verdict is not None:
                    branch = node.body if verdict else node.orelse
                    parts = branch if isinstance(branch, list) else [branch]
            left += list(parts)[::-1]

    def _inside(self, node: _Function, names: _Names) -> _Names:
        """Return the names where a function begins."""
        given = node.args
        inner: dict[str, tuple[str, ...]] = {
            each.arg: () for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)
        }
        plain = [*given.posonlyargs, *given.args]
        defaults = [*zip(plain[len(plain) - len(given.defaults) :], given.defaults, strict=True)]
        defaults += [(name, value) for name, value in zip(given.kwonlyargs, given.kw_defaults, strict=True) if value]
        inner |= {name.arg: self._kept(self._values(value, names)) for name, value in defaults}
        return names.new_child(inner)

    def _kept(self, texts: Iterable[str]) -> tuple[str, ...]:
        kept = tuple(dict.fromkeys(texts))[: min(_MOST, self._left)]
        self._left -= len(kept)
        return kept

    def _note(self, node: ast.AST, names: _Names) -> None:
        """Keep what a node gives to names; one that several give something may be any of that."""
        if isinstance(node, ast.ImportFrom):
            self._called.update({each.asname: each.name for each in node.names if each.asname})
        for target, value in _given(node):
            if (platform := platform_branches.text(value, self._platforms)) is not None:
                self._platforms[target] = platform
            elif self._name(value) == "find_library":
                self._called[target] = "find_library"
            else:
                names[target] = self._kept((*names.get(target, ()), *self._values(value, names)))

    def _of_call(self, node: ast.Call, names: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
        """Yield the names of the files that a call opens."""
        name = self._name(node.func)
        given = node.args or [each.value for each in node.keywords]
        if name in _TYPELIBS and self._is_gi:
            yield from _typelibs(node.args)
        elif name in _LOADERS or (name in _PKCS11 and self._is_pkcs11 and isinstance(node.func, ast.Attribute)):
            yield from filter(is_file, (value for each in given[:1] for value in self._values(each, names)))
        elif _FINDERS.fullmatch(name):
            yield from _found(value for each in given for value in self._values(each, names))

    def _name(self, function: ast.expr) -> str:
        """Return the last word of what is called, by the name that it had where it was imported from."""
        match function:
            case ast.Name(id=word):
                found = self._called.get(word, word)
            case ast.Attribute(attr=word):
                found = word
            case _:
                found = ""
        return found if len(found) <= _LONGEST_NAME else ""

    def _values(self, node: ast.expr, names: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
        """Yield the texts that an expression may be, or consists of."""
        match node:
            case ast.Constant(value=str(value)) if len(value) <= _LONGEST_NAME:
                yield value
            case ast.Name(id=name):
                yield from names.get(name, ())
            case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts) | ast.BoolOp(values=parts):
                for part in parts[:_MOST]:
                    yield from self._values(part, names)
            case ast.IfExp(test=test, body=body, orelse=otherwise):
                verdict = platform_branches.holds(test, self._platforms)
                for part in [body] * (verdict is not False) + [otherwise] * (verdict is not True):
                    yield from self._values(part, names)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                one, other = (list(islice(self._values(side, names), _MOST)) for side in (left, right))
                is_list = isinstance(left, ast.List | ast.Tuple) or isinstance(right, ast.List | ast.Tuple)
                pairs = islice(product(one, other), _MOST)
                sums = (a + b for a, b in pairs if len(a) + len(b) <= _LONGEST_NAME)
                yield from [*one, *other] if is_list else sums
            case ast.Call(func=ast.Attribute(attr=name), args=[_, default]) if name in _ENVIRONMENT:
                yield from self._values(default, names)
            case ast.Call(func=function) if _FINDERS.fullmatch(self._name(function)):
                yield from self._of_call(node, names)


def _given(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names to which a node gives something, and what, each of it where that is a loop."""
    match node:
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value) | ast.NamedExpr(target=ast.Name(id=name), value=value)
        ):
            yield name, value
        case (
            ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            | ast.For(target=ast.Name(id=name), iter=value)
        ):
            yield name, value
        case ast.ListComp(generators=loops) | ast.SetComp(generators=loops) | ast.GeneratorExp(generators=loops):
            yield from ((loop.target.id, loop.iter) for loop in loops if isinstance(loop.target, ast.Name))


def _typelibs(arguments: list[ast.expr]) -> Iterator[str]:
    match arguments:
        case [ast.Constant(value=str(namespace)), ast.Constant(value=str(version))]:
            yield from filter(is_file, [f"{namespace}-{version}{TYPELIB}"])
        case [ast.Dict(keys=keys, values=values)]:
            for key, value in zip(keys, values, strict=True):
                yield from _typelibs([key, value] if key else [])


def _found(names: Iterable[str]) -> Iterator[str]:
    """Yield the names of the files that names mean to a function which takes both kinds."""
    for name in names:
        if is_file(name):
            yield name
        elif _LINKER_NAME.fullmatch(name) and not _ELSEWHERE.search(name):
            yield f"lib{name}.so"
