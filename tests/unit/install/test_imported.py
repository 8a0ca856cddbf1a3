"""Which modules are reached from others."""

from __future__ import annotations

import pytest

from toolkit.install import imported

FILES = {
    "app.py": b"import a.one as first, b\nTEXT = 'c.settings:load'\n",
    "a/__init__.py": b"",
    "a/one.py": b"def later():\n    from . import (two,  # the other\n        three as third)\n",
    "a/two.py": b"from .deep.inner import x; y = 1\n",
    "a/three.py": b"from .. import b\n",
    "a/four.py": b"import app\n",
    "a/deep/__init__.py": b"",
    "a/deep/inner.py": b"from ..five import *\n",
    "a/five.py": b"PLUGINS = ['.six', \".deep.seven\"]\n",
    "a/six.py": b"'''see a.four, and import a.four'''\n",
    "a/deep/seven.py": b"import \xff, app\n",
    "b.py": b"import app\n",
    "c/__init__.py": b"",
    "c/settings.py": b"# import c.unused\n",
    "c/unused.py": b"import c\n",
}


def reached(*roots: str) -> set[str]:
    modules = {name.removesuffix(".py").removesuffix("/__init__").replace("/", "."): name for name in FILES}
    return imported.reached(modules, roots, FILES.__getitem__)


def test_imports_and_names_in_texts_lead_on_with_the_packages_that_modules_are_in() -> None:
    assert reached("app") == FILES.keys() - {"a/four.py", "c/unused.py"}


def test_what_is_no_module_leads_nowhere() -> None:
    assert reached("nothing", "c.unused.of.it", "") == {"c/__init__.py", "c/unused.py"}


@pytest.mark.parametrize(
    "text",
    [
        b"from " + b"." * 500_000 + b" x",
        b"from a import (\n" * 60_000,
        b"import " + b"a." * 500_000 + b"a",
        b"'" + b"a." * 500_000 + b"a'",
        b"import " + b"a, " * 300_000,
        b"'" * 500_000,
        b" " * 500_000,
        b"from" + b" " * 500_000,
        b"from " + b"a" * 500_000 + b" import " + b"a, " * 300_000,
        b"from " + b"a." * 140 + b"a import " + b"a, " * 150_000,
    ],
)
def test_a_file_that_is_made_to_take_long_does_not(text: bytes) -> None:
    assert imported.reached({"a": "a.py"}, ["a"], lambda _: text) == {"a.py"}
