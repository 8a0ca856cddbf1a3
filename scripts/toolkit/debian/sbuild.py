"""`make sbuild`: one source package, built in a clean chroot for each suite; results go to dist/<suite>/."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from toolkit.build.building_options import REQUIRED
from toolkit.core import console, events, files, process, progress
from toolkit.core.errors import UserError
from toolkit.debian import build_user, chroot, deb_build, source_package
from toolkit.debian.chroot import Chroot
from toolkit.debian.compression import Compression
from toolkit.debian.deb_build import Deb
from toolkit.project.debian_control import Control
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings

#: The path of a build, the same in every chroot, since packages may record it; and the name of the tree below it.
_BUILD_PATH, _TREE = "/build/python-common", "package"
_SUFFIX = re.compile(r"[A-Za-z0-9.+~]*")
#: sbuild's last words, when all is built: that it leaves the chroot's directory, which the workspace's end removes.
_LEAVING = ("Not cleaning session:", "rm: cannot remove '")
_NO_LOGS: Mapping[str, Path] = {}
_STAGE = re.compile(r"^Fail-Stage: (\S+)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class SbuildOptions:
    """The suites to build for, one after the other, with `jobs` processes, and how to compress packages.

    `suffix` is added to versions, its {suite} and {release} replaced. `mirror` and `max_age` (days) are those of the
    chroots. `extensions` is as in `BuildOptions`.
    """

    suites: tuple[str, ...]
    suffix: str
    jobs: int
    mirror: str
    max_age: int
    compression: Compression
    extensions: str = REQUIRED


@dataclass(frozen=True, kw_only=True)
class _Work:
    """The input of each suite's build, with the source package at `dsc`."""

    project: Project
    settings: Settings
    options: SbuildOptions
    packaging: Control
    dsc: Path


def check(options: SbuildOptions) -> None:
    """Raise `UserError` for a suffix that no version can have, or that gives two suites the same version."""
    shown = f"VERSION_SUFFIX={options.suffix}"
    if not _SUFFIX.fullmatch(options.suffix.replace("{suite}", "").replace("{release}", "")):
        raise UserError(
            f"{shown}: not the end of a version",
            "it has letters, digits and . + ~ and the words "
            "{suite} and {release}, such as ~{suite}1 or +deb{release}u1",
        )
    if len(set(options.suites)) > 1 and not re.search(r"\{(suite|release)\}", options.suffix):
        raise UserError(
            f"{shown} gives {' and '.join(options.suites)} the same version",
            "put {suite} or {release} into it, such as ~{suite}1",
        )


def build(project: Project, settings: Settings, options: SbuildOptions, packaging: Control) -> Iterator[list[Deb]]:
    """Build the project for one suite after the other, and yield the binary packages of each once they are in dist/.

    Raises `UserError`; dist/ keeps the older packages of a suite that could not be built.
    """
    directory = settings.build / "sbuild"
    with files.exclusive_and_empty(directory, "sbuild"):
        start = time.monotonic()
        dsc, count = source_package.write(project, settings, packaging, directory)
        console.step(
            "SOURCE", f"{packaging.name} {packaging.version}, {count} files ({time.monotonic() - start:.1f} s)"
        )
        work = _Work(project=project, settings=settings, options=options, packaging=packaging, dsc=dsc)
        for suite in options.suites:
            refuse_other_source(dsc, settings.dist / suite)
        for suite in dict.fromkeys(options.suites):
            yield _build_one(suite, work)


def refuse_other_source(dsc: Path, target: Path) -> None:
    """Raise `UserError` if a directory has this version of the source package with other files."""
    old = target / dsc.name
    if old.is_file() and source_package.checksums(old) != source_package.checksums(dsc):
        raise UserError(
            f"{old}: this version is there already, made from another source",
            f"raise the version in debian/changelog, or remove {target} if nobody has that version",
        )


def _build_one(suite: str, work: _Work) -> list[Deb]:
    recipe = chroot.recipe(work.packaging, suite, work.options.mirror)
    clean = chroot.provide(recipe, work.settings, work.options.max_age)
    version = work.packaging.version + suffix(work.options.suffix, clean)
    user = build_user.account()
    start = time.monotonic()
    console.step("SBUILD", f"{work.packaging.name} {version}, for {suite}")
    log = work.settings.build / "logs" / f"sbuild-{suite}.log"
    with build_user.workspace(user) as base:
        for path in [clean.path, *source_package.files_of(work.dsc)]:
            files.link_or_copy(path, base / path.name)
        (base / "config.pl").write_text(configuration(work, base), encoding="utf-8")
        words = command(work, clean, version, recipe.profiles)
        environment = {**user.environment(base), "SBUILD_CONFIG": str(base / "config.pl")}
        with progress.watching("SBUILD", suite) as watch, progress.relaying() as relay:
            try:
                shown = partial(_show, watch)
                process.run(user.command(words), cwd=base, env=environment, watch=shown, receive=relay.receive)
            except process.CommandError as error:
                raise explain(error, relay.error, suite, log, deb_build.keep_logs(relay.logs, log)) from error
            finally:
                _keep_log(base, log)
        console.step("SBUILD", f"{suite} ({time.monotonic() - start:.1f} s)")
        built = [path for path in base.iterdir() if path.suffix in deb_build.BINARY_SUFFIXES]
        deb_build.check_services(work.project, work.settings, work.packaging, built)
        return deb_build.publish([*built, *source_package.files_of(work.dsc)], work.settings.dist / suite)


def _show(watch: Callable[[str], None], line: str) -> None:
    if not line.startswith(_LEAVING):
        watch(line)


def suffix(template: str, clean: Chroot) -> str:
    """Return what a suite's versions end with. Raises `UserError` for the release number of a suite without one."""
    if "{release}" in template and not clean.release:
        raise UserError(f"VERSION_SUFFIX={template}: {clean.suite} has no release number", "use {suite} instead")
    return template.replace("{suite}", clean.suite).replace("{release}", clean.release)


def command(work: _Work, clean: Chroot, version: str, profiles: Sequence[str] = ()) -> list[str]:
    """Return the command that builds the binary packages, in a directory that holds source package and chroot.

    The chroot has exactly the build dependencies, which dpkg-buildpackage checks once more: so nothing is to be
    installed, and no step needs a network (sbuild builds without one in any case).
    """
    renamed = [f"--binNMU-changelog={_entry(work, clean.suite, version)}"] if version != work.packaging.version else []
    return [
        "sbuild",
        "--verbose",
        "--chroot-mode=unshare",
        f"--chroot=./{clean.path.name}",
        f"--dist={clean.suite}",
        "--build-dep-resolver=null",
        *(f"--no-{step}" for step in ("apt-update", "apt-upgrade", "apt-distupgrade", "source")),
        *(f"--no-run-{tool}" for tool in ("lintian", "piuparts", "autopkgtest")),
        f"--build-path={_BUILD_PATH}",
        f"--dsc-dir={_TREE}",
        f"--jobs={work.options.jobs}",
        *([f"--profiles={','.join(profiles)}"] if profiles else []),
        *renamed,
        # These come after the changelog's entry, which switches off packages of all architectures.
        "--arch-any",
        "--arch-all",
        work.dsc.name,
    ]


def _entry(work: _Work, suite: str, version: str) -> str:
    """Return the entry of the changelog that gives binary packages their version, deb-changelog(5)."""
    name, source = work.packaging.name, work.packaging.version
    return (
        f"{name} ({version}) {suite}; urgency=medium, binary-only=yes\n\n"
        f"  * Built for {suite} from the source of {source}.\n\n -- {work.packaging.changelog.signature().text}\n"
    )


def configuration(work: _Work, base: Path) -> str:
    """Return the text of a configuration file, sbuild.conf(5), with the settings that have no option."""
    # The toolkit in the source package; that of libraries may have none.
    toolkit = Path(_BUILD_PATH, _TREE, os.path.relpath(work.settings.toolkit, work.settings.project))
    inside = {
        **deb_build.forwarded(work.settings),
        **work.options.compression.environment,
        "WHEEL_STORE": "",
        "EXTENSIONS": work.options.extensions,
        "JOBS": str(work.options.jobs),
        "V": str(console.verbosity),
        **{name: os.environ[name] for name in ("DEB_BUILD_OPTIONS",) if name in os.environ},
    }
    lines = [f"  {_quote(name)} => {_quote(value)}," for name, value in inside.items()]
    path = f"{toolkit / 'scripts' / 'debhelper'}:{build_user.PATH}"
    return "\n".join(
        [
            f"$unshare_tmpdir_template = {_quote(f'{base}/root.XXXXXXXXXX')};",
            f"$path = {_quote(path)};",
            "$log_filter = 0;",
            "$log_colour = 0;",
            "$build_environment = {",
            *lines,
            # sbuild passes on few variables, but every file descriptor, such as the one that this variable names.
            f"  {events.VARIABLE} => $ENV{{{events.VARIABLE}}} // '',",
            "};",
            "1;\n",
        ]
    )


def _quote(text: str) -> str:
    """Return a string literal of Perl."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _keep_log(base: Path, target: Path) -> None:
    for path in base.glob("*.build"):
        if not path.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def explain(
    error: process.CommandError, inside: UserError | None, suite: str, log: Path, kept: Mapping[str, Path] = _NO_LOGS
) -> UserError:
    """Return the error of the verb `inside` the build if there is one; else name the stage at which sbuild failed.

    `kept` has where the logs are now that the error may name.
    """
    if full := build_user.no_space(error.output, f"{suite}: no space left for the build"):
        return full
    built, _, rest = error.output.partition("\nBuild finished at ")
    if rest:
        found = deb_build.explain(process.CommandError(["dpkg-buildpackage"], error.status, built), inside, kept)
        if found.details == built:
            return UserError(f"{suite}: dpkg-buildpackage failed", f"the whole output is in {log}", built)
        return UserError(f"{suite}: {found.what}", found.hint, found.details)
    stage = _STAGE.search(error.output)
    return UserError(
        f"{suite}: sbuild failed{f' at {stage[1]}' if stage else ''}", f"the whole output is in {log}", error.output
    )
