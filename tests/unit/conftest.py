"""Fixture projects: real directories below a temporary one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from toolkit.project import discovery
from toolkit.project.settings import Settings

SETUP = 'from setuptools import setup\nsetup(name="{name}", version="{version}")\n'


@dataclass(frozen=True)
class Workspace:
    """A project to be filled with files."""

    root: Path

    def write(self, files: dict[str, str]) -> Workspace:
        """Write files by their path; a path that ends in a slash makes an empty directory."""
        for name, text in files.items():
            path = self.root / name
            (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
            if not name.endswith("/"):
                path.write_text(text, encoding="utf-8")
        return self

    def package(self, directory: str, name: str, version: str = "1.0", **files: str) -> Workspace:
        """Write a package; the keywords are files, their dots and dashes spelled `__` and `_`."""
        self.write({f"{directory}/setup.py": SETUP.format(name=name, version=version)})
        named = {key.replace("__", ".").replace("_", "-"): text for key, text in files.items()}
        return self.write({f"{directory}/{key}": text for key, text in named.items()})

    def service(self, directory: str, name: str, requirements: str = "") -> Workspace:
        """Write a service with one script."""
        self.package(directory, name, requirements__txt=requirements)
        return self.write({f"{directory}/bin/yc-{name}": "#!/usr/bin/python3\n"})

    def settings(self, *, packages: str = "", services: str = "") -> Settings:
        """Return settings as `PACKAGES=` and `SERVICES=` make them."""
        words = tuple(packages.split()), tuple(services.split())
        return Settings(project=self.root, toolkit=self.root / "common", packages=words[0], services=words[1])

    def discover(self, *, packages: str = "", services: str = "") -> discovery.Project:
        """Return what is found in the project."""
        return discovery.discover(self.settings(packages=packages, services=services))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return an empty project."""
    (tmp_path / "project").mkdir()
    return Workspace(tmp_path / "project")
