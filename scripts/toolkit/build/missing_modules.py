"""The line that mends a build which did not find a module, as its sdist forgot to name what has it."""

from __future__ import annotations

import re

_MISSING = re.compile(r"ModuleNotFoundError: No module named '(?P<name>\w+)[\w.]*'")
#: `wheel` has this command; setuptools from 70.1 on has it too.
_COMMAND = "error: invalid command 'bdist_wheel'"
#: What has the modules that builds import. Of others nothing is said: anybody may have a distribution of that name.
#: Only releases of setuptools before 82 have pkg_resources; all have the distutils that Python had before 3.12
#: (https://peps.python.org/pep-0632/).
_REQUIREMENTS = {
    "Cython": "cython",
    "bdist_wheel": "wheel",
    "cffi": "cffi",
    "distutils": "setuptools",
    "mesonpy": "meson-python",
    "numpy": "numpy",
    "packaging": "packaging",
    "pbr": "pbr",
    "pkg_resources": "setuptools<82",
    "pybind11": "pybind11",
    "setuptools": "setuptools",
    "setuptools_scm": "setuptools-scm",
    "skbuild": "scikit-build",
    "wheel": "wheel",
}


def suggestion(output: str, name: str, *, local: bool) -> str:
    """Return what to write for a build's output, or nothing where it lacks no module; `name` is what was built.

    A `local` package says itself what builds it.
    """
    # An earlier one may have been tried for, and done without.
    found = [match["name"] for match in _MISSING.finditer(output)]
    missing = found[-1] if found else "bdist_wheel" if _COMMAND in output else ""
    requirement = _REQUIREMENTS.get(missing, "")
    if not requirement:
        return ""
    if local:
        return f"its build lacks {missing}: add `{requirement}` to `requires` of [build-system] in its pyproject.toml"
    line = f"`{name}: {requirement}`"
    return f"its build lacks {missing}: add the line {line} to a build-requirements.txt and run `make vendor`"
