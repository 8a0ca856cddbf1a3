"""The distribution of yc_common, which services name in their requirements.txt."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent


def read_version() -> str:
    """Return the version that the package itself states."""
    found = re.search(r'^__version__ = "(.+)"$', (HERE / "yc_common/__init__.py").read_text(encoding="utf-8"), re.M)
    assert found, "yc_common/__init__.py states no version"
    return found[1]


def read_requirements(name: str) -> list[str]:
    """Return the requirements that a file beside this one states."""
    lines = (line.partition("#")[0].strip() for line in (HERE / name).read_text("utf-8").splitlines())
    return [line for line in lines if line]


setup(
    name="yc_common",
    version=read_version(),
    description="What the Python services of one team share at run time",
    python_requires=">=3.11",
    packages=find_packages(include=["yc_common", "yc_common.*"]),
    package_data={"yc_common": ["py.typed", "CHANGELOG.md"]},
    install_requires=read_requirements("requirements.txt"),
    extras_require={
        "http": read_requirements("requirements-http.txt"),
        "metrics": read_requirements("requirements-metrics.txt"),
    },
)
