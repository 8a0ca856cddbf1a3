"""Environments of tools, pinned by hash, outside any project: that of the network verbs, and others by their list."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from toolkit.core import console, debian_packages, documents, files, process, progress
from toolkit.core.documents import Table
from toolkit.core.errors import UserError
from toolkit.network.index_options import DEFAULTS, IndexOptions

REQUIREMENTS = Path(__file__).resolve().parents[2] / "tools.txt"
#: Written last, so that an environment without it is one that was not finished.
_STAMP = "complete.json"
#: Settings of pip for where files come from and how requests are sent; any other could change what is installed.
_KEPT = frozenset(
    "PIP_" + name
    for name in (
        *("INDEX_URL", "EXTRA_INDEX_URL", "FIND_LINKS", "NO_INDEX", "TRUSTED_HOST", "KEYRING_PROVIDER"),
        *("CERT", "CLIENT_CERT", "PROXY", "TIMEOUT", "DEFAULT_TIMEOUT", "RETRIES", "CONFIG_FILE", "CACHE_DIR"),
    )
)


def enter(options: IndexOptions) -> None:
    """Run this verb inside the tools environment: unless it does, start it again there with the same arguments.

    The environment is made when it is missing or damaged, from the given indexes or those pip is configured with.
    """
    if not inside():
        python = make(Path(sys.executable), options)
        sys.stdout.flush()
        sys.stderr.flush()
        # With these, the new process would not be in the tools environment either, and start itself again and again.
        environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONHOME", "PYTHONPATH")}
        words = [str(python), *options.hidden(sys.orig_argv[1:])]
        os.execve(python, words, {**environment, **options.environment()})


def inside() -> bool:
    """Tell whether this process runs in the tools environment."""
    prefix = Path(sys.prefix).resolve()
    return prefix.parent == _parent().resolve() and prefix.name.endswith(_digest(REQUIREMENTS))


def make(python: Path, options: IndexOptions = DEFAULTS, requirements: Path | None = None) -> Path:
    """Return the interpreter of the environment of `python` with these tools, made when missing or damaged.

    `requirements` pins them (default: the tools of the network verbs). Two runs at once make it once. Raises
    `UserError` when it cannot be made; then nothing of it is left in use.
    """
    requirements = requirements or REQUIREMENTS
    directory = _parent() / f"python{_version(python)}-{_digest(requirements)}"
    inner = directory / "bin" / "python"
    if not is_sound(directory):
        with files.exclusive(_parent(), "set-up of the toolkit's tools"):
            if not is_sound(directory):
                _create(directory, python, requirements, options)
    return inner


def _parent() -> Path:
    return files.cache_root().absolute() / "tools"


def _digest(requirements: Path) -> str:
    return hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]


def _version(python: Path) -> str:
    if python == Path(sys.executable):
        return f"{sys.version_info.major}.{sys.version_info.minor}"
    return process.read([python, "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).strip()


def _create(directory: Path, python: Path, requirements: Path, options: IndexOptions) -> None:
    console.step("TOOLS", f"{directory} (once; pinned in {requirements.parent.name}/{requirements.name})")
    files.remove(directory)
    _check_ensurepip(python)
    environment = _environment(options)
    try:
        process.run([python, "-I", "-m", "venv", directory], env=environment)
        with progress.watching("TOOLS", "pip install"):
            command: list[str | Path] = [directory / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps"]
            command += ["--require-hashes", "--only-binary", ":all:", "--requirement", requirements]
            process.run(command, env=environment)
    except process.CommandError as error:
        raise UserError(
            "the toolkit's tools cannot be installed",
            "see pip's message above; pip's index (pip.conf, PIP_INDEX_URL or INDEX_URL=) has to hold these files",
            error.output,
        ) from None
    files.write_atomic(directory / _STAMP, json.dumps(dict(_contents(directory))))


def _check_ensurepip(python: Path) -> None:
    # Debian has it in a package of its own, without which venv fails with advice that is hard to follow.
    try:
        process.read([python, "-I", "-c", "import ensurepip, venv"])
    except process.CommandError:
        debian_packages.require(
            f"virtual environments of {python} need",
            missing=["python3-venv"],
            otherwise="an interpreter that is not Debian's needs its own ensurepip",
        )


def _environment(options: IndexOptions) -> dict[str, str]:
    environment = {
        key: value for key, value in os.environ.items() if key in _KEPT or not key.startswith(("PIP_", "PYTHON"))
    }
    if options.index_url:
        environment["PIP_NO_INDEX"] = "0"
    # These override pip's configuration files, which may hold a constraint or `user = true`.
    environment |= {
        "PIP_CONSTRAINT": os.devnull,
        "PIP_USER": "0",
        "PIP_REQUIRE_VIRTUALENV": "0",
        "PIP_NO_INPUT": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    return environment | {f"PIP_{key}": value for key, value in options.environment().items() if value}


def is_sound(directory: Path) -> bool:
    """Tell whether all that was installed still exists, each file with its size, and so does the interpreter."""
    try:
        expected = Table(documents.json_value((directory / _STAMP).read_bytes())).content
        return all(os.stat(os.path.join(directory, name)).st_size == size for name, size in expected.items())
    except (OSError, ValueError):
        return False


def _contents(directory: Path) -> Iterator[tuple[str, int]]:
    for parent, folders, names in os.walk(directory):
        folders[:] = [folder for folder in folders if folder != "__pycache__"]
        for name in names:
            path = os.path.join(parent, name)
            yield os.path.relpath(path, directory), os.stat(path).st_size
