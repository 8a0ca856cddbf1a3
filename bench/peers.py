#!/usr/bin/env python3
"""See whether what the README says of other tools is true of the newest release of each.

Each claim is a command run here; its words have to stand in the README, in the row of the tool that it is made of. Ends
with status 1 when one does not hold any more, or could not be tried. `--write` notes what was looked at in the README.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from reference import TOOLKIT

WORK = TOOLKIT / "build" / "peers"
README = TOOLKIT / "README.md"
_TOOLS = WORK / "tools" / "bin"
#: What all of them are given: an sdist that setuptools builds, with a module in C.
_PINNED = "markupsafe==3.0.2"
_NOTED = re.compile(r"What it says was tried with .*?\.\n", re.DOTALL)


@dataclass(frozen=True)
class Claim:
    """Something that the README says of a tool in these words, and what shows it in an empty directory."""

    tool: str
    words: str
    holds: Callable[[Path], bool]


def run(directory: Path, *argv: str, status: int = 0) -> str:
    """Run a tool and return its output. Raises `OSError` when it ends otherwise."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    caches = {"XDG_CACHE_HOME": str(directory / "cache"), "UV_CACHE_DIR": str(directory / "cache" / "uv")}
    environment = {**own, **caches, "PATH": f"{_TOOLS}:/usr/sbin:/usr/bin:/sbin:/bin"}
    done = subprocess.run(argv, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != status:
        raise OSError(f"{' '.join(argv)} ended with status {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def _pip_locks_what_runs(directory: Path) -> bool:
    said = run(directory, "pip", "lock", "--no-binary", ":all:", _PINNED)
    return "experimental" in said and _named(directory / "pylock.toml") == ["markupsafe"]


def _pip_leaves_out_builders(directory: Path) -> bool:
    run(directory, "pip", "download", "--no-binary", ":all:", "--dest", "out", _PINNED)
    return [path.name for path in (directory / "out").iterdir()] == ["markupsafe-3.0.2.tar.gz"]


def _pip_builds_to_read(directory: Path) -> bool:
    said = run(directory, "pip", "download", "--no-binary", ":all:", "--dest", "out", _PINNED)
    return "Installing build dependencies" in said and "Preparing metadata" in said


def _uv_locks_what_runs(directory: Path) -> bool:
    project = f'[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["{_PINNED}"]\n'
    (directory / "pyproject.toml").write_text(f"{project}[tool.uv]\nno-binary = true\n")
    run(directory, "uv", "lock")
    return _named(directory / "uv.lock") == ["markupsafe", "x"]


def _uv_demands_hashes(directory: Path) -> bool:
    words = ("uv", "pip", "install", "--no-binary", ":all:", "--target", "out", "--require-build-hashes", _PINNED)
    return "no trusted hash was provided for: `setuptools`" in run(directory, *words, status=1)


def _uv_does_not_download(directory: Path) -> bool:
    words = (("uv", "download"), ("uv", "pip", "download"))
    return all("unrecognized subcommand 'download'" in run(directory, *word, status=2) for word in words)


def _uv_installs_from_its_cache(directory: Path) -> bool:
    words = ("uv", "pip", "install", "--no-binary", ":all:", "--target")
    run(directory, *words, "first", _PINNED)
    run(directory, *words, "second", "--offline", _PINNED)
    return (directory / "second" / "markupsafe").is_dir()


def _fromager_builds_to_know(directory: Path) -> bool:
    run(directory, "fromager", "bootstrap", _PINNED)
    order = json.loads((directory / "work-dir" / "build-order.json").read_text())
    built = {path.name.partition("-")[0] for path in (directory / "wheels-repo" / "downloads").glob("*.whl")}
    return {step["dist"] for step in order} == built == {"markupsafe", "setuptools"}


def _fromager_isolates(directory: Path) -> bool:
    return bool(re.search(r"\[default:\s+network-isolation\]", run(directory, "fromager", "--help")))


def _dh_virtualenv_uses_sed(directory: Path) -> bool:
    _unpack_dh_virtualenv(directory)
    (code,) = directory.glob("usr/lib/python3/dist-packages/dh_virtualenv/deployment.py")
    return "subprocess.check_call(['sed', '-i'," in code.read_text()


def _unpack_dh_virtualenv(directory: Path) -> str:
    """Unpack the package that this machine's apt knows, and return its version."""
    run(directory, "apt-get", "-o", "APT::Sandbox::User=root", "download", "dh-virtualenv")
    (package,) = directory.glob("dh-virtualenv_*.deb")
    run(directory, "dpkg-deb", "--extract", str(package), ".")
    return run(directory, "dpkg-deb", "--field", str(package), "Version").strip()


def _named(lock: Path) -> list[str]:
    """Return the names of a lock's packages; both formats write them at the beginning of a line."""
    return sorted(set(re.findall(r'^name = "([a-z]+)"', lock.read_text(), re.MULTILINE)))


CLAIMS = (
    Claim("pip", "an experimental lock of what runs", _pip_locks_what_runs),
    Claim("pip", "left out", _pip_leaves_out_builders),
    Claim("pip", "`download` builds each to read its metadata", _pip_builds_to_read),
    Claim("uv", "a lock of what runs", _uv_locks_what_runs),
    Claim("uv", "hashes that you write by hand can be demanded, as an experiment", _uv_demands_hashes),
    Claim("uv", "there is no download command", _uv_does_not_download),
    Claim("uv", "from its cache", _uv_installs_from_its_cache),
    Claim("fromager", "known only after building everything", _fromager_builds_to_know),
    Claim("fromager", "builds are isolated", _fromager_isolates),
    Claim("dh-virtualenv", "paths rewritten by `sed`", _dh_virtualenv_uses_sed),
)


def main(argv: list[str]) -> int:
    """Try every claim."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="note releases and date in the README")
    arguments = parser.parse_args(argv)
    tools = _newest()
    readme = README.read_text()
    faults = 0
    for claim in CLAIMS:
        fault = _fault(claim, readme)
        faults += bool(fault)
        print(f"{claim.tool} {tools[claim.tool]}: {claim.words}: {fault or 'holds'}", flush=True)
    if arguments.write and not faults:
        README.write_text(_NOTED.sub(_note(tools), readme, count=1))
    return bool(faults)


def _fault(claim: Claim, readme: str) -> str:
    if not any(claim.words in row for row in _rows(readme, claim.tool)):
        return "the README does not say so"
    try:
        return "" if claim.holds(_empty(f"try-{CLAIMS.index(claim)}")) else "NO LONGER SO"
    except (OSError, ValueError) as error:
        return f"could not be tried: {error}"


def _rows(readme: str, tool: str) -> Iterator[str]:
    return (line for line in readme.splitlines() if re.match(rf"\| {tool}\b", line))


def _empty(name: str) -> Path:
    directory = WORK / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def _newest() -> dict[str, str]:
    """Return the newest release of each tool, which can be run from now on."""
    if not _TOOLS.exists():
        venv.create(_TOOLS.parent, with_pip=True)
    names = ("pip", "uv", "fromager")
    run(WORK, "pip", "install", "--quiet", "--upgrade", *names)
    listed = json.loads(run(WORK, "pip", "list", "--format", "json", "--disable-pip-version-check"))
    found = {item["name"]: item["version"] for item in listed if item["name"] in names}
    return {**found, "dh-virtualenv": _unpack_dh_virtualenv(_empty("dh-virtualenv"))}


def _note(tools: dict[str, str]) -> str:
    *first, last = (f"{tool} {version}" for tool, version in tools.items())
    today = datetime.datetime.now(datetime.UTC).date()
    return f"What it says was tried with {', '.join(first)} and {last} on {today} by `bench/peers.py`.\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
