"""The same service packaged by dh-virtualenv: the same versions, from the same index, as its manual says."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

from cases import Bench

_BUILD_DEPENDS = "Build-Depends: debhelper-compat (= 13), dh-virtualenv, python3-dev, python3-venv"
_RULES = """\
#!/usr/bin/make -f
%:
	dh $@ --with python-virtualenv --buildsystem=none

override_dh_virtualenv:
	dh_virtualenv --builtin-venv --python /usr/bin/python3
"""


def build(bench: Bench) -> Path:
    """Return the package that dh-virtualenv makes of the reference project; it is made again when the lock changes."""
    directory = bench.work / "dh-virtualenv" / "reference"
    pins = _pins(bench.project / "vendor" / "pylock.reference-service.toml")
    requirements = directory / "requirements.txt"
    found = list(directory.parent.glob("yc-reference-service_*.deb"))
    if not found or requirements.read_text() != pins:
        shutil.rmtree(directory.parent, ignore_errors=True)
        shutil.copytree(bench.project / "reference_service", directory)
        shutil.copytree(bench.project / "debian", directory / "debian")
        requirements.write_text(pins)
        _adapt(directory / "debian")
        # Another python3.11 in PATH would get into the package.
        path = bench.environment(PATH="/usr/sbin:/usr/bin:/sbin:/bin")
        bench.run("dpkg-buildpackage", "-us", "-uc", "-b", cwd=directory, env=path)
        found = list(directory.parent.glob("yc-reference-service_*.deb"))
    return found[0]


def _pins(lock: Path) -> str:
    packages = tomllib.loads(lock.read_text())["packages"]
    return "".join(
        f"{package['name']}=={package['version']}{' ; ' + package['marker'] if 'marker' in package else ''}\n"
        for package in packages
    )


def _adapt(debian: Path) -> None:
    for path in debian.glob("*.prune"):
        path.unlink()
    control = (debian / "control").read_text().replace("${python3:Depends}", "python3").splitlines()
    lines = [_BUILD_DEPENDS if line.startswith("Build-Depends:") else line for line in control]
    (debian / "control").write_text("\n".join([*lines, ""]))
    (debian / "rules").write_text(_RULES)
