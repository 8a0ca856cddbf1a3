"""Words by which a setup.py shows that it uses what newer releases have removed."""

from __future__ import annotations

import pytest

from toolkit.sources import removals


@pytest.mark.parametrize(
    ("setup", "words"),
    [
        ("import pkg_resources.extern", ("pkg_resources",)),
        ("from pkg_resources import parse_version as parse", ("pkg_resources",)),
        ("def run():\n    import os, pkg_resources\n", ("pkg_resources",)),
        ("from distutils.command.build_py import build_py_2to3 as build_py", ("build_py_2to3",)),
        ("from distutils import ccompiler, msvccompiler", ("msvccompiler",)),
        ("setup(name='x', use_2to3=True)", ("use_2to3",)),
        ("extra['use_2to3'] = True\nsetup(**extra)", ("use_2to3",)),
        ("# import pkg_resources, use_2to3\nsetup(pkg='pkg_resources is gone')", ()),
        # Not a module that this Python can read.
        ("print 'x'; import pkg_resources", ("pkg_resources",)),
        ("", ()),
    ],
)
def test_the_words_of_a_setup_py(setup: str, words: tuple[str, ...]) -> None:
    assert removals.words_in(setup.encode()) == words
