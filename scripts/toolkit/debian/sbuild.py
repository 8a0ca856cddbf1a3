"""`make sbuild`: one source package, built in a clean chroot for each suite; results go to dist/<suite>/."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from toolkit.build.building_options import REQUIRED
from toolkit.core import console, events, files, process, progress
from toolkit.core.errors import UserError
from toolkit.debian import build_user, chroot, deb_build, source_package
from toolkit.debian.chroot import Chroot, Recipe
from toolkit.debian.compression import Compression
from toolkit.debian.deb_build import Deb
from toolkit.project.debian_control import Control
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings, exported

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
class PackageBuild:
    """How sbuild makes binary packages of the source package at `dsc`, with `jobs` processes, in a recipe's chroot.

    `entry` of debian/changelog gives them a version other than the source's (empty: none does). The build sees the
    `variables`, and what the command `prefix` has changed.
    """

    dsc: Path
    recipe: Recipe
    jobs: int
    compression: Compression
    extensions: str = REQUIRED
    entry: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()


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
        for suite in options.suites:
            refuse_other_source(dsc, settings.dist / suite)
        variables = {name: os.environ[name] for name in ("DEB_BUILD_OPTIONS",) if name in os.environ}
        for suite in dict.fromkeys(options.suites):
            work = PackageBuild(
                dsc=dsc,
                recipe=chroot.recipe(packaging, suite, options.mirror),
                jobs=options.jobs,
                compression=options.compression,
                extensions=options.extensions,
                variables=variables,
            )
            yield _build_one(project, settings, options, packaging, work)


def refuse_other_source(dsc: Path, target: Path) -> None:
    """Raise `UserError` if a directory has this version of the source package with other files."""
    old = target / dsc.name
    if old.is_file() and source_package.checksums(old) != source_package.checksums(dsc):
        raise UserError(
            f"{old}: this version is there already, made from another source",
            f"raise the version in debian/changelog, or remove {target} if nobody has that version",
        )


def _build_one(
    project: Project, settings: Settings, options: SbuildOptions, packaging: Control, work: PackageBuild
) -> list[Deb]:
    clean = chroot.provide(work.recipe, settings, options.max_age)
    version = packaging.version + suffix(options.suffix, clean)
    work = replace(work, entry=_entry(packaging, clean.suite, version) if version != packaging.version else "")
    console.step("SBUILD", f"{packaging.name} {version}, for {clean.suite}")
    with built(work, clean, settings) as packages:
        deb_build.check_services(project, settings, packaging, packages)
        return deb_build.publish([*packages, *source_package.files_of(work.dsc)], settings.dist / clean.suite)


@contextmanager
def built(work: PackageBuild, clean: Chroot, settings: Settings, tag: str = "SBUILD") -> Iterator[list[Path]]:
    """Build in a chroot, and give the block the files that came of it; they end with the block.

    Steps are shown under `tag`, the output is kept in build/logs/. Raises `UserError`.
    """
    user = build_user.account()
    start = time.monotonic()
    log = settings.build / "logs" / f"{tag.lower()}-{clean.suite}.log"
    with build_user.workspace(user) as base:
        for path in [clean.path, *source_package.files_of(work.dsc)]:
            files.link_or_copy(path, base / path.name)
        (base / "config.pl").write_text(configuration(work, settings, base), encoding="utf-8")
        words = [*work.prefix, *command(work, clean)]
        environment = {**user.environment(base), "SBUILD_CONFIG": str(base / "config.pl")}
        with progress.watching(tag, clean.suite) as watch, progress.relaying() as relay:
            try:
                shown = partial(_show, watch)
                process.run(user.command(words), cwd=base, env=environment, watch=shown, receive=relay.receive)
            except process.CommandError as error:
                raise explain(error, relay.error, clean.suite, log, deb_build.keep_logs(relay.logs, log)) from error
            finally:
                _keep_log(base, log)
        console.step(tag, f"{clean.suite} ({time.monotonic() - start:.1f} s)")
        yield [path for path in base.iterdir() if path.suffix in deb_build.BINARY_SUFFIXES]


def _show(watch: Callable[[str], None], line: str) -> None:
    if not line.startswith(_LEAVING):
        watch(line)


def suffix(template: str, clean: Chroot) -> str:
    """Return what a suite's versions end with. Raises `UserError` for the release number of a suite without one."""
    if "{release}" in template and not clean.release:
        raise UserError(f"VERSION_SUFFIX={template}: {clean.suite} has no release number", "use {suite} instead")
    return template.replace("{suite}", clean.suite).replace("{release}", clean.release)


def command(work: PackageBuild, clean: Chroot) -> list[str]:
    """Return the command that builds the binary packages, in a directory that holds source package and chroot.

    The chroot has exactly the build dependencies, which dpkg-buildpackage checks once more: so nothing is to be
    installed, and no step needs a network (sbuild builds without one in any case).
    """
    profiles = work.recipe.profiles
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
        f"--jobs={work.jobs}",
        *([f"--profiles={','.join(profiles)}"] if profiles else []),
        *([f"--binNMU-changelog={work.entry}"] if work.entry else []),
        # These come after the changelog's entry, which switches off packages of all architectures.
        "--arch-any",
        "--arch-all",
        work.dsc.name,
    ]


def _entry(packaging: Control, suite: str, version: str) -> str:
    """Return the entry of the changelog that gives binary packages their version, deb-changelog(5)."""
    name, source = packaging.name, packaging.version
    return (
        f"{name} ({version}) {suite}; urgency=medium, binary-only=yes\n\n"
        f"  * Built for {suite} from the source of {source}.\n\n -- {packaging.changelog.signature().text}\n"
    )


def configuration(work: PackageBuild, settings: Settings, base: Path) -> str:
    """Return the text of a configuration file, sbuild.conf(5), with the settings that have no option."""
    # The toolkit in the source package; that of libraries may have none.
    toolkit = Path(_BUILD_PATH, _TREE, os.path.relpath(settings.toolkit, settings.project))
    inside = {
        **exported(
            {
                **deb_build.forwarded(settings),
                "WHEEL_STORE": "",
                "EXTENSIONS": work.extensions,
                "JOBS": str(work.jobs),
                "V": str(console.verbosity),
            }
        ),
        **work.compression.environment,
        **work.variables,
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
