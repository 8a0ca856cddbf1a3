"""Verbs that choose versions: for vendor/, and to say what is newer; most runs of `vendor` find nothing changed."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.debian import rust_toolchains, suites
from toolkit.engines import version_options
from toolkit.network import index_options, tools_environment
from toolkit.project import build_depends
from toolkit.project.settings import words
from toolkit.vendored import check, lock_file
from toolkit.vendoring import staging
from toolkit.verbs.running import Run

if TYPE_CHECKING:
    from toolkit.engines.engine import Engine
    from toolkit.network.index_settings import Indexes
    from toolkit.vendoring.foreign_lock import ForeignLock
    from toolkit.vendoring.vendor_options import VendorOptions


def vendor_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `vendor`."""
    group = version_options.add_options(parser, "vendor")
    group.add_argument(
        "--upgrade", type=words, default="", metavar="NAMES", help="locked versions that may move: all, or names"
    )
    group.add_argument(
        "--from", dest="adopted", type=Path, metavar="LOCK", help="a lock of another tool, whose versions come first"
    )
    group.add_argument(
        "--trial", action="store_true", help="build all wheels first; if one fails, vendor/ stays as it was"
    )
    add_common_options(group)


def add_common_options(group: argparse._ActionsContainer) -> None:
    """Add the options of every verb that fills vendor/."""
    group.add_argument("--dry-run", "-n", action="store_true", help="say what would change, and change nothing")
    group.add_argument("--suites", default="", help="such as `bookworm trixie` (default: that of this machine)")
    group.add_argument("--apt", action="store_true", help="add to debian/control the build dependencies that it lacks")


def vendor(run: Run) -> None:
    """Fill vendor/, unless it is what this run would make."""
    arguments, chosen = run.arguments, run.settings
    staging.recover(chosen.vendor)
    staging.refuse_foreign(chosen.vendor)
    asks_for_others = arguments.upgrade or arguments.exclude_newer or os.environ.get("PIP_BUILD_CONSTRAINT")
    # What else Build-Depends could name is not in the locks.
    asks_for_others = asks_for_others or arguments.trial or arguments.apt
    if not (asks_for_others or arguments.adopted) and _is_current(run):
        return
    indexes, engine, options = _enter_tools_environment(run, arguments.upgrade)
    options = replace(options, adopted=_adopted(run), trial=arguments.trial)
    if _fill(run, options, indexes, engine):
        from toolkit.develop import develop

        develop.tell_behind(run.project)


def edit(run: Run, *, add: str = "", remove: str = "") -> None:
    """Add requirements to the files of a package or remove some, and fill vendor/ with what they say then."""
    arguments = run.arguments
    staging.recover(run.settings.vendor)
    staging.refuse_foreign(run.settings.vendor)
    indexes, engine, options = _enter_tools_environment(run, ())
    from toolkit.requirements import requirement_edits

    asked = requirement_edits.Asked(add=add, remove=remove, service=arguments.service, development=arguments.dev)
    edits = requirement_edits.plan(run.project, asked, run.arguments.platforms)
    for kept in edits.kept:
        console.note(kept)
    if edits.new or run.arguments.exclude_newer or not _is_current(run):
        _fill(run, replace(options, edits=edits), indexes, engine)


def _fill(run: Run, options: VendorOptions, indexes: Indexes, engine: Engine) -> bool:
    """Fill vendor/, or say what would be there, and tell whether versions have changed."""
    from toolkit.vendoring import vendor

    options = replace(options, oldest_rust=partial(_oldest_rust, run))
    dry_run = run.arguments.dry_run
    found = vendor.run(run.project, run.settings, options, indexes, engine, dry_run=dry_run)
    if not dry_run:
        _tell_build_depends(run, found.replaceable)
    return found.has_changed and not dry_run


def _tell_build_depends(run: Run, replaceable: Sequence[str] = ()) -> None:
    """Say what Build-Depends lacks for builds, or add it, and which suites have too old a Rust.

    `replaceable` are packages without which builds are slower, and locks other ones.
    """
    path = run.settings.project / "debian" / "control"
    if not path.is_file():
        return
    shown = path.relative_to(run.settings.project)
    source = build_depends.source(path)
    declared = build_depends.packages(source)
    locks = lock_file.of_project(run.project, run.settings.vendor)
    lacking = build_depends.lacking(locks, declared)
    if run.arguments.apt:
        if more := [*lacking, *replaceable]:
            build_depends.add(path, more)
            console.step("WRITE", f"{shown}: Build-Depends: {', '.join(more)}")
        if replaceable:
            console.note(
                f"`apt install {' '.join(replaceable)}` and run `make vendor` again: this lock is without them"
            )
    elif lacking:
        needs = "; ".join(f"{relation} ({', '.join(users)})" for relation, users in lacking.items())
        console.warn(
            f"{shown}:{source.line}: Build-Depends lacks {needs}\n"
            f"`make vendor APT=1` makes it: {build_depends.line(source, lacking)}"
        )
    for text in rust_toolchains.too_old(locks, declared, _suites(run)):
        console.warn(f"{shown}:{source.line}: {text}")


def _oldest_rust(run: Run) -> str:
    """Return the version of Rust that every suite has which is built for, empty where that is not known."""
    path = run.settings.project / "debian" / "control"
    declared = build_depends.packages(build_depends.source(path)) if path.is_file() else ()
    return rust_toolchains.oldest(declared, _suites(run))


def _suites(run: Run) -> tuple[str, ...]:
    """Return the suites that are built for; none where this machine is no Debian or Ubuntu and none is named."""
    with suppress(UserError):
        return tuple(run.arguments.suites.split()) or (suites.own(),)
    return ()


def _is_current(run: Run) -> bool:
    """Tell whether vendor/ is what this run would make, and then say so."""
    if not check.is_current(run.project, run.settings, run.arguments.platforms):
        return False
    console.step("VENDOR", "vendor/ is up to date")
    _tell_build_depends(run)
    return True


def _adopted(run: Run) -> ForeignLock | None:
    """Return the lock of another tool."""
    from toolkit.vendoring import foreign_lock

    path = run.arguments.adopted
    return foreign_lock.read(run.settings.project / path, str(path)) if path else None


def outdated_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `outdated`."""
    group = version_options.add_options(parser, "outdated")
    group.add_argument("--json", action="store_true", help="print JSON, and nothing else")
    group.add_argument("--strict", action="store_true", help="end with status 1 where anything has newer releases")


def outdated(run: Run) -> int:
    """Print what has newer releases."""
    arguments = run.arguments
    if arguments.json:
        console.verbosity = 0
    lock_file.of_project(run.project, run.settings.vendor)
    indexes, engine, options = _enter_tools_environment(run, ("all",))
    from toolkit.explain import outdated, upgrade

    rows, graphs = upgrade.look(run.project, run.settings, options, indexes, engine)
    console.report(outdated.to_json(rows) if arguments.json else outdated.text(rows, graphs))
    return 1 if rows and arguments.strict else 0


def _enter_tools_environment(run: Run, upgrade: tuple[str, ...]) -> tuple[Indexes, Engine, VendorOptions]:
    """Go on in the tools environment, which alone has what the network and the engines use."""
    arguments = run.arguments
    given = index_options.from_arguments(arguments)
    tools_environment.enter(given)
    from toolkit.engines import by_name
    from toolkit.network import index_settings
    from toolkit.vendoring.vendor_options import VendorOptions

    indexes = index_settings.read(given)
    options = VendorOptions(
        upgrade=upgrade,
        exclude_newer=arguments.exclude_newer,
        platforms=arguments.platforms,
        build_constraints=index_settings.build_constraints(),
        building=run.build_options,
    )
    return indexes, by_name.ENGINES[arguments.resolver](indexes), options
