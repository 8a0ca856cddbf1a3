"""`make deb`: one source package for the project, built by dpkg-buildpackage; results go to dist/ when all is well."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from toolkit.build.building_options import BuildOptions
from toolkit.core import console, debian_packages, directories, files, foreign_text, process, progress, secrets, threads
from toolkit.core.errors import UserError
from toolkit.core.sizes import human
from toolkit.debian import (
    deb_names,
    isolation,
    library,
    library_dependencies,
    own_relations,
    source_package,
    source_tree,
    upstream_tarball,
)
from toolkit.debian.compression import Compression
from toolkit.project import debian_control
from toolkit.project.debian_control import Control
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings, exported
from toolkit.sandbox import confined

_PROGRAMS = ("dpkg-buildpackage", "dh", "gcc")
# Trees are fresh, so nothing has to be cleaned, and the build dependencies have been checked.
_COMMAND = ("dpkg-buildpackage", "--no-pre-clean", "--no-check-builddeps", "--no-sign")
#: The suffixes of the files that a build of binary packages makes, and of those that packages consist of.
BINARY_SUFFIXES = (".deb", ".ddeb", ".udeb", ".changes", ".buildinfo")
_SUFFIXES = (*BINARY_SUFFIXES, ".dsc", ".gz", ".xz", ".bz2", ".zst")
_NONE: Mapping[str, Path] = {}
_SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
#: dh_python3 prints this and goes on; the rules of a library end there.
_UNKNOWN = re.compile(r"Cannot find package that provides \S+\. .* add \"(\S+) (\S+)\" line")


@dataclass(frozen=True, kw_only=True)
class Deb:
    """A finished binary package; `installed` and `size` in bytes."""

    path: Path
    name: str
    size: int
    installed: int

    def shown(self, root: Path) -> str:
        """Return its path as seen from `root`, and its sizes, for a reader."""
        return f"{self.path.relative_to(root)}  {human(self.size)}, installed {human(self.installed)}"


def prepare(project: Project, settings: Settings) -> Control:
    """Return the packaging, after it and this machine have been checked. Raises `UserError`."""
    packaging = read(project, settings)
    _check_machine(packaging)
    return packaging


def read(project: Project, settings: Settings) -> Control:
    """Return the packaging, checked, but not what this machine lacks for its build. Raises `UserError`."""
    packaging = (
        debian_control.read(settings.project / "debian") if project.services else library.read(project, settings)
    )
    # dpkg-buildpackage would only refuse it at the end.
    packaging.changelog.signature()
    for service in project.services:
        _check_stanza(packaging, packaging.package_of(service, settings.namespace))
    if project.services:
        _check_build_depends(packaging)
    return packaging


def _check_stanza(packaging: Control, package: str) -> None:
    stanza = packaging.binaries[package]
    if "python3" not in stanza.get("Depends") + stanza.get("Pre-Depends"):
        raise UserError(
            f"{packaging.path}:{stanza.line}: {package} does not depend on its interpreter",
            "add `${python3:Depends}` to its `Depends:`",
        )


def _check_build_depends(packaging: Control) -> None:
    declared = packaging.build_depends
    lacking = [
        text
        for text, names in debian_control.BUILD_DEPENDS.items()
        if not any(re.fullmatch(names, name) for name in declared)
    ]
    if lacking:
        words = ", ".join(lacking)
        raise UserError(
            f"{packaging.path}:{packaging.source.line}: Build-Depends lacks what the toolkit needs: {words}",
            f"add to it: {words}" if packaging.source.get("Build-Depends") else f"add `Build-Depends: {words}`",
        )


def _check_machine(packaging: Control) -> None:
    """Raise `UserError` for programs and build dependencies that are not installed, all at once."""
    root = ["fakeroot"] if packaging.needs_root and os.geteuid() != 0 else []
    unmet = _unmet(packaging) if shutil.which("dpkg-checkbuilddeps") else []
    debian_packages.require("the build needs", *_PROGRAMS, *root, missing=unmet)


def _unmet(packaging: Control) -> list[str]:
    """Return the build dependencies that are not installed; of alternatives the first. Raises `UserError`."""
    try:
        process.read(["dpkg-checkbuilddeps", packaging.path])
    except process.CommandError as error:
        found = re.search(r"Unmet build dependencies: (.*)", error.output)
        if not found:
            raise
        if level := debian_control.COMPAT.search(found[1]):
            where = f"{packaging.path}:{packaging.source.line}"
            what = f"{where}: this machine's debhelper does not know compat level {level[1]}"
            raise UserError(what, debian_control.LOWER_COMPAT) from None
        words = re.sub(r"\([^)]*\)|\[[^]]*\]|<[^>]*>|\|\s*\S+", "", found[1]).split()
        return [word.partition(":")[0] for word in words]
    return []


def build(
    project: Project, settings: Settings, options: BuildOptions, packaging: Control, compression: Compression
) -> list[Deb]:
    """Build source and binary packages, put them into dist/ and return the binary ones.

    Until all is built dist/ stays as it was. Raises `UserError`, with what was printed, when the build fails.
    """
    if project.services:
        options.sandbox.require()
    directory = settings.build / "deb"
    with files.exclusive_and_empty(directory, "package build"):
        source, binary = _export(project, settings, packaging, directory)
        variables = environment(settings, options, compression)
        _build_both(source, binary, packaging, options, variables, settings.build / "logs")
        built = [path for tree in (source, binary) for path in tree.parent.iterdir() if _is_of_package(path)]
        check_services(project, settings, packaging, built)
        # Directories hold the packages for other suites.
        return publish(built, settings.dist, [path for path in settings.dist.glob("[!.]*") if not _is_of_package(path)])


def check_services(project: Project, settings: Settings, packaging: Control, built: Iterable[Path]) -> None:
    """Raise `UserError` for a package that lacks its service, with which dpkg-buildpackage would be content."""
    debs = deb_names.by_package(built)
    for service in project.services:
        # One that is not for this architecture has no package here.
        deb = debs.get(packaging.package_of(service, settings.namespace))
        prefix = f"/usr/lib/{settings.namespace}/{service.service_name}"
        if deb and f" .{prefix}/bin/python" not in process.read(["dpkg-deb", "--contents", deb]):
            raise UserError(
                f"{deb.name} does not hold {service.service_name}: {prefix}/bin/python is not in it",
                "see what debian/rules and debian/*.install do with it: `make install` puts it into the package's tree",
            )


def _export(project: Project, settings: Settings, packaging: Control, directory: Path) -> tuple[Path, Path]:
    """Export the project twice, to pack one tree while the other is built."""
    start = time.monotonic()
    binary, source = directory / packaging.tree, directory / "source" / packaging.tree
    count = source_tree.export(project, settings, packaging, binary)
    shutil.copytree(binary, source, symlinks=True)
    if not packaging.is_native:
        upstream_tarball.place(packaging, source, settings.project, settings.dist)
    console.step("SOURCE", f"{packaging.name} {packaging.version}, {count} files ({time.monotonic() - start:.1f} s)")
    return source, binary


def _build_both(
    source: Path, binary: Path, packaging: Control, options: BuildOptions, environment: dict[str, str], logs: Path
) -> None:
    start = time.monotonic()
    options_of_source = [f"--source-option={option}" for option in source_package.options(packaging)]
    pack = partial(process.run, [*_COMMAND, "--build=source", *options_of_source], cwd=source, env=environment)
    with threads.beside(pack, process.end_children):
        run(binary_command(options), binary, environment, logs)
    console.step("PACKAGE", f"dpkg-buildpackage ({time.monotonic() - start:.1f} s)")


def binary_command(options: BuildOptions) -> list[str]:
    """Return the command that builds the binary packages of the tree it is run in, beside that."""
    return [*_COMMAND, "--build=binary", f"--jobs-try={options.jobs}"]


def environment(settings: Settings, options: BuildOptions, compression: Compression) -> dict[str, str]:
    """Return the environment of the package build: this run's settings, without credentials and make's variables."""
    kept = secrets.without(process.without_make())
    return {
        **kept,
        **compression.environment,
        # The system's programs come first: pybuild takes the first python3.11 in PATH.
        "PATH": f"{settings.toolkit / 'scripts' / 'debhelper'}:{_SYSTEM_PATH}:{kept.get('PATH', os.defpath)}",
        # An ordinary user is alone in the namespaces of the build, where a chown to others is EINVAL, which fakeroot
        # takes for an error (https://salsa.debian.org/clint/fakeroot/-/blob/master/libfakeroot.c, dont_try_chown).
        "FAKEROOTDONTTRYCHOWN": "1",
        **exported(
            {
                "PYTHON3": sys.executable,
                **forwarded(settings),
                # debhelper gives a build a home of its own, where there are no caches.
                "WHEEL_STORE": str(options.store),
                "PYTHON": options.python,
                "JOBS": str(options.jobs),
                "EXTENSIONS": options.extensions,
                **options.sandbox.settings(),
                "V": str(console.verbosity),
            }
        ),
    }


def forwarded(settings: Settings) -> dict[str, str]:
    """Return the settings to be passed on to the makefile inside the package build."""

    def relative(names: tuple[str, ...]) -> str:
        # The exported tree has them at the same paths.
        return " ".join(os.path.relpath(settings.project / name, settings.project) for name in names)

    return {
        "NAMESPACE": settings.namespace,
        "PACKAGES": relative(settings.packages),
        "SERVICES": relative(settings.services),
    }


def run(command: Sequence[str], tree: Path, environment: Mapping[str, str], logs: Path) -> None:
    """Run a package build in its tree, without a network. Raises `UserError` with what ended it.

    What an error names of logs in the tree, which does not stay, is kept in `logs`.
    """
    with progress.watching("PACKAGE", "dpkg-buildpackage") as watch, progress.relaying() as relay:
        try:
            process.run([*isolation.prefix(), *command], cwd=tree, env=environment, watch=watch, receive=relay.receive)
        except process.CommandError as error:
            raise explain(error, relay.error, keep_logs(relay.logs, logs / "deb.log")) from error


def keep_logs(inner: Mapping[str, str], log: Path) -> dict[str, Path]:
    """Keep texts of logs whose place ends with a build, beside the log of all of it; return where, by the old path."""
    kept: dict[str, Path] = {}
    for path, text in inner.items():
        # A build may write to where verbs tell of their logs.
        if re.fullmatch(r"/[^\0-\x1f]{1,4000}/[\w.+ -]{1,200}\.log", path):
            kept[path] = log.with_name(f"{log.stem}-{Path(path).name}")
            log.parent.mkdir(parents=True, exist_ok=True)
            files.write_atomic(kept[path], text.encode(errors="replace"))
    return kept


def explain(error: process.CommandError, inside: UserError | None, kept: Mapping[str, Path] = _NONE) -> UserError:
    """Return the error of the verb `inside` that ended the build, or what was printed where none did.

    `kept` has where the logs are now that it may name.
    """
    unknown = list(dict.fromkeys(_UNKNOWN.findall(error.output)))
    if unknown:
        return _unknown(unknown)
    if inside and _is_last(inside, error.output):
        hint, details = inside.hint or error.hint, inside.details
        for old, new in kept.items():
            hint, details = (text.replace(old, str(new)) for text in (hint, details))
        return UserError(inside.what, hint, details)
    # Not the error's own text: the first word of its command may be the prefix that isolates it from the network.
    what = f"dpkg-buildpackage failed with status {error.status}"
    return UserError(what, confined.suggestion(error.output) or error.hint, error.output)


def _is_last(inside: UserError, output: str) -> bool:
    """Tell whether a verb's error ended the build, by its output, which is empty where all of it was shown.

    Rules may ignore a verb's error; where they do not, only make, dh and dpkg-buildpackage print anything after it.
    What is not at the start of a line is a quotation.
    """
    line = re.escape(foreign_text.plain(inside.what).partition("\n")[0])
    found = [match.end() for match in re.finditer(f"^error: {line}$", output, re.MULTILINE)]
    return not output or (bool(found) and output.count("\n", found[-1]) <= 12)


def _unknown(found: Sequence[tuple[str, str]]) -> UserError:
    lines = "".join(f"\n       {name} {package}" for name, package in found)
    return UserError(
        f"Debian has no package of {', '.join(name for name, _ in found)} that this build knows",
        f"name the packages in debian/py3dist-overrides (a line without a package leaves its dependency out):{lines}",
    )


def _is_of_package(path: Path) -> bool:
    return path.is_file() and path.suffix in _SUFFIXES


def publish(built: Iterable[Path], target: Path, kept: Sequence[Path] = ()) -> list[Deb]:
    """Replace a directory by these files, and what is to be kept of it, in one step; return the binary packages there.

    The files become this user's, whoever built them. Raises `UserError` for a package that looks like an attack, or
    that cannot be installed with the others.
    """
    built = tuple(built)
    debs = [path for path in built if path.suffix == ".deb"]
    library_dependencies.check(debs)
    own_relations.check(debs)
    with directories.temporary(target.parent, f".{target.name}-") as staged:
        staged.chmod(0o755)
        for path in built:
            shutil.copyfile(path, staged / path.name)
        for path in kept:
            if path.is_dir():
                shutil.copytree(path, staged / path.name, symlinks=True)
            else:
                files.link_or_copy(path, staged / path.name)
        directories.replace(staged, target)
    return _debs(target)


def _debs(dist: Path) -> list[Deb]:
    """Return the binary packages in a directory, sorted by their files' names."""
    found = []
    for path in sorted(dist.glob("*.deb")):
        text = process.read(["dpkg-deb", "--show", "--showformat", "${Package} ${Installed-Size}", path])
        name, installed = text.split()
        found.append(Deb(path=path, name=name, size=path.stat().st_size, installed=int(installed) * 1024))
    return found
