"""The lock: `vendor/pylock.<service>.toml`, one per service, as PEP 751 defines it.

What PEP 751 has no word for stands in `[tool.python-common]`: build requirements of each sdist, the distributions that
only builds or tests need, local packages, the texts of direct requirements, and the fingerprints of the files the lock
was made from. Reading needs the standard library alone.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Literal, cast

from toolkit.archives.archive_limits import LONGEST_PART
from toolkit.core import documents
from toolkit.core.documents import Table
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import quoted
from toolkit.core.secrets import address
from toolkit.model import build_settings, crates, requirement_texts
from toolkit.model.build_settings import BuildSettings
from toolkit.model.lock import (
    TOOL,
    Crate,
    DirectRequirement,
    Distribution,
    Kind,
    LocalPackage,
    Lock,
    Patch,
    VendoredFile,
)
from toolkit.model.pins import SHA256, MetadataSource, Pinned
from toolkit.model.targets import SYSTEMS
from toolkit.project import submodules
from toolkit.project.discovery import Package, Project

#: Not just `make vendor`, which reads the old lock too: it must not give up all its versions unasked.
_RESTORE = "restore it from git, or remove it and run `make vendor`, which then chooses all versions anew"

#: A lock is the work of years: that of a thousand distributions has 3 MiB.
_LONGEST = 64 << 20
#: Names in their normal form (PEP 503), versions (PEP 440), and paths that stay below where they begin.
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.!+_-]{0,254}")
_PYTHON = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}")
_PLATFORM = re.compile("|".join(SYSTEMS))
_FILE = re.compile(r"[^./\\][^/\\]{0,254}")
_PATH = re.compile(r"\.|(?!/)(?!(.*/)?\.\.(/|$)).+")
_SHA256_OR_NONE = re.compile(f"({SHA256.pattern})?")
_KIND = re.compile(r"runtime|tests|build")
_METADATA = re.compile(r"|wheel|build")
_RUST_VERSION = re.compile(r"([0-9]{1,9}(\.[0-9]{1,9}(\.[0-9]{1,9}(-[0-9A-Za-z.-]{1,64})?)?)?)?")
_CRATE_OR_NONE = re.compile(f"({crates.NAME.pattern} [!-~]{{1,255}})?")


def path_of(vendor: Path, service: str) -> Path:
    """Return where the lock of a service stands."""
    return vendor / f"pylock.{service}.toml"


def of_package(project: Project, package: Package, vendor: Path) -> Lock:
    """Return the lock of a package of a project. Raises as `read` does."""
    return read(path_of(vendor, project.lock_name(package)))


def of_project(project: Project, vendor: Path) -> list[Lock]:
    """Return the locks of all packages that have one. Raises as `read` does, and where there is no vendor/ yet."""
    if submodules.is_empty(vendor):
        raise UserError("vendor/: there is nothing in it", "run `make vendor`")
    return [of_package(project, package, vendor) for package in project.locked]


def read(path: Path) -> Lock:
    """Read a lock. Raises `UserError` when the file is missing or is not a lock this toolkit wrote."""
    # A pipe never ends, nor does /dev/zero, to which git keeps a link.
    if path.exists() and not path.is_file():
        raise UserError(f"{path}: not a lock of this toolkit: it is no file", _RESTORE)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path.parent.name}/{path.name}: there is no lock", "run `make vendor`") from None
    return parse(content, path.name.removeprefix("pylock.").removesuffix(".toml"), str(path))


@cache
def parse(content: bytes, service: str, shown: str) -> Lock:
    """Return the lock of a service that a file's content is. Raises `UserError`, which calls it `shown`, for others."""
    try:
        data = documents.toml(content, _LONGEST)
    except ValueError as error:
        raise UserError(f"{shown}: not a TOML file: {error}", _RESTORE) from None
    try:
        return _lock_from(Table(data), service)
    except ValueError as error:
        raise UserError(f"{shown}: not a lock of this toolkit: {error}", _RESTORE) from None


def _lock_from(data: Table, service: str) -> Lock:
    if data.text("lock-version") != "1.0":
        raise ValueError(f"lock-version {quoted(data.text('lock-version'))} is not 1.0")
    tool = data.table("tool").table(TOOL)
    inputs = tool.table("inputs")
    lock = Lock(
        service=service,
        pythons=tool.texts("pythons", form=_PYTHON),
        platforms=tool.texts("platforms", form=_PLATFORM),
        packages=tuple(map(_distribution_from, data.tables("packages"))),
        build_packages=tuple(map(_distribution_from, tool.tables("build-packages", ()))),
        local=tuple(
            LocalPackage(
                name=item.text("name", form=_NAME),
                path=item.text("path", form=_PATH),
                build_requires=_pinned(item, "build-requires", None),
                build_dependencies=item.texts("build-dependencies", ()),
                crates=item.texts("crates", ()),
                rust=_is_rust(item),
                settings=_settings(item),
            )
            for item in tool.tables("local", ())
        ),
        test_requires=_pinned(tool, "test-requires"),
        dev_requires=_pinned(tool, "dev-requires"),
        inputs={_file_name(name): inputs.text(name) for name in inputs.content},
        direct=tuple(map(_direct_from, tool.tables("direct"))) if "direct" in tool.content else None,
        crates=tuple(map(_crate_from, tool.tables("crates", ()))),
    )
    if not lock.pythons:
        raise ValueError("it is for no version of Python")
    _refuse_doubles(lock)
    _refuse_gaps(lock)
    return lock


def _refuse_doubles(lock: Lock) -> None:
    """Raise `ValueError` for what is locked twice: one reader would check the first, and another use the second."""
    keys, files = set[str](), dict[str, VendoredFile]()
    for item in lock.distributions():
        if item.key in keys:
            raise ValueError(f"{item.key} is in it twice")
        keys.add(item.key)
        for file in (*item.files, *item.offered):
            first = files.setdefault(file.name, file)
            if (first.size, first.sha256) != (file.size, file.sha256):
                raise ValueError(f"it has two files of the name {quoted(file.name)}")
    known = set[str]()
    for crate in lock.crates:
        if crate.key in known or (crate.file and crate.file.name in files):
            raise ValueError(f"the crate {crate.key} is in it twice, or its file is another's")
        known.add(crate.key)


def _refuse_gaps(lock: Lock) -> None:
    """Raise `ValueError` for a reference to what is not locked: `make vendor` sees no reason to lock it."""
    keys = {item.key for item in lock.distributions()}
    builds = [item.build_requires for item in lock.distributions()] + [item.build_requires for item in lock.local]
    for pinned in chain(lock.test_requires, lock.dev_requires, *builds):
        if pinned.key not in keys:
            raise ValueError(f"{pinned.key}, which is required, is not in it")
    known = {crate.key for crate in lock.crates}
    for key in chain.from_iterable(item.crates for item in lock.built()):
        if key not in known:
            raise ValueError(f"the crate {quoted(key)}, which is required, is not in it")


def _distribution_from(item: Table) -> Distribution:
    kind: Kind = "sdist" if "sdist" in item.content else "archive" if "archive" in item.content else "wheels"
    entries = item.tables("wheels") if kind == "wheels" else (item.table(kind),)
    if not entries:
        raise ValueError(f"{item.name}.wheels is empty")
    own = item.table("tool", {}).table(TOOL, {})
    metadata = own.text("metadata", "", _METADATA)
    return Distribution(
        name=item.text("name", form=_NAME),
        version=item.text("version", form=_VERSION),
        kind=kind,
        files=tuple(map(_file_from, entries)),
        marker=_marker(item.text("marker", "")),
        requires_python=item.text("requires-python", ""),
        # Teams write it here too, when they move to another one.
        index=address(item.text("index", "")).rstrip("/"),
        metadata=cast("MetadataSource", metadata),
        requires_sha256=own.text("requires-sha256", "", _SHA256_OR_NONE),
        requires=own.texts("requires", ()),
        build_dependencies=own.texts("build-dependencies", ()),
        build_requires=_pinned(own, "build-requires"),
        offered=tuple(
            VendoredFile(
                name=wheel.text("name", form=_FILE),
                size=wheel.number("size"),
                sha256=wheel.text("sha256", form=SHA256),
                url=address(wheel.text("url")),
            )
            for wheel in own.tables("offered", ())
        ),
        crates=own.texts("crates", ()),
        rust=_is_rust(own),
        rust_version=own.text("rust-version", "", _RUST_VERSION),
        rust_version_of=own.text("rust-version-of", "", _CRATE_OR_NONE),
        settings=_settings(own),
        patches=tuple(
            Patch(path=patch.text("path", form=_PATH), sha256=patch.text("sha256", form=SHA256))
            for patch in own.tables("patches", ())
        ),
        system_files=own.texts("system-files", ()),
    )


def _is_rust(item: Table) -> bool:
    return "crates" in item.content or ("rust" in item.content and item.flag("rust"))


def _settings(item: Table) -> BuildSettings:
    config, environment = (dict(item.table(key, {}).content) for key in ("config-settings", "env"))
    try:
        return build_settings.of(config, environment)
    except UserError as error:
        raise ValueError(f"{item.name}: {error.what}") from None


def _crate_from(item: Table) -> Crate:
    """Return a crate. Raises `ValueError`, also where it has neither a file nor a line of an index."""
    name, version = item.text("name", form=crates.NAME), item.text("version", form=crates.VERSION)
    source = item.text("source", crates.CRATES_IO)
    sha256 = "" if source.startswith(crates.GIT) else item.text("sha256", form=SHA256)
    file = None
    if sha256 and "path" in item.content:
        path = item.text("path", form=_FILE)
        file = VendoredFile(name=path, size=item.number("size"), sha256=sha256, url=address(item.text("url", "")))
    return Crate(
        name=name,
        version=version,
        sha256=sha256,
        source=source,
        file=file,
        index_line="" if file else item.text("index-line", form=crates.INDEX_LINE),
    )


def _file_name(name: str) -> str:
    """Return the name of a file that the lock was made from. Raises `ValueError` for what no file is called."""
    if not name.isprintable() or not all(len(part.encode()) <= LONGEST_PART for part in name.split("/")):
        raise ValueError(f"inputs has the file {quoted(name)}")
    return name


def _direct_from(item: Table) -> DirectRequirement:
    return DirectRequirement(
        source=item.text("source", form=_NAME),
        name=item.text("name", form=_NAME),
        kind=cast("Literal['runtime', 'tests', 'build']", item.text("kind", form=_KIND)),
        text=item.text("text"),
        origin=item.text("origin"),
    )


def _file_from(entry: Table) -> VendoredFile:
    name = entry.text("path")
    if not _FILE.fullmatch(name):
        raise ValueError(f"{entry.name}.path, {quoted(name)}, leaves vendor/")
    return VendoredFile(
        name=name,
        size=entry.number("size"),
        sha256=entry.table("hashes").text("sha256", form=SHA256),
        url=address(entry.text("url", "")),
    )


def _pinned(table: Table, key: str, other: tuple[()] | None = ()) -> tuple[Pinned, ...]:
    found = tuple(map(Pinned.parse, table.texts(key, other)))
    for pinned in found:
        if not (_NAME.fullmatch(pinned.name) and _VERSION.fullmatch(pinned.version)):
            raise ValueError(f"{table.name}.{key} has {quoted(str(pinned))}")
        _marker(pinned.marker)
    return found


@cache
def _marker(text: str) -> str:
    """Return the text of a marker. Raises `ValueError` for anything else."""
    if text and not requirement_texts.parse(f"x ; {text}"):
        raise ValueError(f"{quoted(text)} is no marker")
    return text
