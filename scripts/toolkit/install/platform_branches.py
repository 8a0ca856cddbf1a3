"""Which branches of Python code run on Linux: what tests of the platform in it come to, as far as they say so."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

#: What tells the platform, as it is written, and what that is on Linux.
_PLATFORMS = {"sys.platform": "linux", "os.name": "posix", "platform.system()": "Linux", "os.uname().sysname": "Linux"}
_FALSE = re.compile(r"_*((is|on)_*)?(win(dows)?(32|64)?|nt|mac(os)?x?|osx|darwin|cygwin|apple|ios)", re.IGNORECASE)
_TRUE = re.compile(r"_*((is|on)_*)?(linux|posix|unix)", re.IGNORECASE)


def text(node: ast.expr, known: Mapping[str, str]) -> str | None:
    """Return the value on Linux of an expression that tells the platform; `known` has names that stand for one."""
    if isinstance(node, ast.Name):
        return known.get(node.id, "linux" if node.id == "platform" else None)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("lower", "casefold"):
        found = text(node.func.value, known)
        return found and found.lower()
    return _PLATFORMS.get(_spelled(node))


def _spelled(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{_spelled(value)}.{name}"
        case ast.Call(func=function, args=[]):
            return f"{_spelled(function)}()"
    return ""


def holds(test: ast.expr, known: Mapping[str, str]) -> bool | None:
    """Return what a test comes to on Linux, None where that is not known."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            found = holds(operand, known)
            return None if found is None else not found
        case ast.BoolOp(op=operator, values=values):
            decisive = isinstance(operator, ast.Or)
            each = [holds(value, known) for value in values]
            return decisive if decisive in each else None if None in each else not decisive
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            return _compared(left, operator, right, known)
        case ast.Call(func=ast.Attribute(value=value, attr="startswith"), args=[argument]):
            here = text(value, known)
            return None if here is None else here.startswith(tuple(_constants(argument)))
        case ast.Call(func=function, args=[]):
            return holds(function, known)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return False if _FALSE.fullmatch(name) else True if _TRUE.fullmatch(name) else None
    return None


def _compared(left: ast.expr, operator: ast.cmpop, right: ast.expr, known: Mapping[str, str]) -> bool | None:
    here = text(left, known)
    if here is None:
        here = text(right, known)
        # `"win" in sys.platform`
        found = [value in (here or "") for value in _constants(left)]
    elif isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn):
        found = [here in _constants(right)]
    else:
        return None
    if here is None or not found:
        return None
    return found[0] is not isinstance(operator, ast.NotEq | ast.NotIn)


def _constants(node: ast.expr) -> list[str]:
    """Return the texts that an expression consists of."""
    parts = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
