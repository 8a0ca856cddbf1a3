"""The verb `vendor`: from requirements.txt to a new vendor/ with a lock for each service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from toolkit.build import wheels
from toolkit.core import console, directories, progress
from toolkit.core.errors import Gathering, UserError
from toolkit.core.sizes import human
from toolkit.engines.engine import Engine
from toolkit.model.lock import Lock
from toolkit.model.names import normalize
from toolkit.network.fetch import Fetcher
from toolkit.network.index_settings import Indexes
from toolkit.project import drafts, lines, patches
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings
from toolkit.requirements import lock_inputs
from toolkit.requirements.lock_inputs import LockInputs
from toolkit.requirements.vendor_txt import BinaryRule
from toolkit.resolve import resolution as resolve
from toolkit.resolve.resolution import Hold
from toolkit.vendored import lock_diff, lock_file
from toolkit.vendored.lock_diff import Change
from toolkit.vendoring import lock_warnings, staging
from toolkit.vendoring.draft_faults import Faults
from toolkit.vendoring.draft_lock import Finishing
from toolkit.vendoring.drafting import Drafting
from toolkit.vendoring.kept_files import KeptFiles
from toolkit.vendoring.locked_files import Binding, LockedFiles
from toolkit.vendoring.vendor_options import VendorOptions


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The old locks, those that the requirements now give, their files in the cache, by name, and warnings.

    `replaceable` are Debian packages that Build-Depends could name, to have less built from source.
    """

    old: tuple[Lock, ...]
    new: tuple[Lock, ...]
    files: Mapping[str, Path]
    warnings: tuple[str, ...]
    replaceable: tuple[str, ...]

    @property
    def changes(self) -> tuple[Change, ...]:
        """Return what was added, removed and moved to other versions."""
        return lock_diff.compare(*([d for item in side for d in item.distributions()] for side in (self.old, self.new)))

    @property
    def has_changed(self) -> bool:
        """Tell whether a service has other distributions than before."""
        changes = lock_diff.between(self.old, self.new)
        return any(item.shipped or item.build_only or item.is_new for item in changes)


def run(
    project: Project, settings: Settings, options: VendorOptions, indexes: Indexes, engine: Engine, *, dry_run: bool
) -> Outcome:
    """Make vendor/ what the requirements say, or with `dry_run` only say what would change."""
    with drafts.standing(options.edits.new):
        found = plan(project, settings, options, indexes, engine, refresh=bool(options.upgrade))
    _refuse_unknown_upgrades(options, (*found.old, *found.new))
    for warning in found.warnings:
        console.warn(warning)
    if not dry_run:
        staging.replace(settings.vendor, found.new, found.files, options.edits.written)
    for edit in options.edits.told:
        console.step("WOULD" if dry_run else "EDIT", edit)
    _report(found, dry_run=dry_run)
    if options.adopted:
        console.note(options.adopted.told(found.new))
    return found


def plan(
    project: Project, settings: Settings, options: VendorOptions, indexes: Indexes, engine: Engine, *, refresh: bool
) -> Outcome:
    """Find and fetch all that the requirements ask for, and change nothing. Raises `UserError`.

    With `refresh`, answers of the indexes from before do not count.
    """
    errors = Gathering()
    everything = []
    for package in project.locked:
        with errors.part():
            everything.append(lock_inputs.read(project, package, options.platforms, errors=errors))
    old = tuple(
        lock_file.read(path) for item in everything if (path := lock_file.path_of(settings.vendor, item.name)).exists()
    )
    binding = Binding(LockedFiles.of(old, options.upgrade))
    changes = patches.read(project.root)
    with lines.relative_errors(project.root), directories.scratch("vendor-") as scratch, Fetcher(indexes) as fetcher:
        if errors.is_final:
            errors.end()
        resolution = resolve.create(
            engine,
            indexes,
            fetcher,
            rules=_rules(everything),
            hold=_hold(binding, options.platforms, settings.vendor),
            patches=changes,
            platforms=options.platforms,
            building=options.building,
            scratch=scratch,
            logs=settings.build / "logs",
            refresh=refresh,
            oldest_rust=options.oldest_rust,
        )
        attempt = partial(
            wheels.attempt, settings=settings, options=options.building, vendored=resolution.files.__getitem__
        )
        drafting = Drafting(
            project=project,
            options=options,
            resolution=resolution,
            binding=binding,
            fetcher=fetcher,
            old=old,
            errors=errors,
        )
        faults = Faults(
            project=project,
            platforms=options.platforms,
            resolution=resolution,
            errors=errors,
            attempt=attempt if options.trial else None,
        )
        finishing = Finishing(project=project, platforms=options.platforms)
        new = _locks(everything, drafting, faults, finishing)
        patches.refuse_unused(changes, new)
        programs = finishing.replaceable()
        warnings = (
            *binding.withdrawn(new),
            *lock_warnings.withdrawn_crates(new, resolution.registry.has_withdrawn),
            *lock_warnings.unknown_extras(everything, new, resolution.reader.extras),
            *lock_warnings.of(project, everything, old, new, programs),
        )
        return Outcome(old=old, new=new, files=resolution.files, warnings=warnings, replaceable=tuple(sorted(programs)))


def _hold(binding: Binding, platforms: tuple[str, ...], vendor: Path) -> Hold:
    """Return what the old locks hold a resolution to."""
    locked = binding.locked
    return Hold(
        kept=lambda pythons: locked.kept(pythons, platforms),
        bind=binding.bind,
        archives=locked.archives(),
        missing=KeptFiles(locked, vendor).missing,
    )


def _locks(
    everything: Iterable[LockInputs], drafting: Drafting, faults: Faults, finishing: Finishing
) -> tuple[Lock, ...]:
    """Return the new lock of each service. Raises `UserError` with all that is wrong with any of them."""
    for inputs in everything:
        console.step("RESOLVE", inputs.name)
        with progress.watching("RESOLVE", inputs.name), faults.errors.part():
            draft = drafting.draft(inputs)
            is_faulty = draft.errors.is_final or faults.find(draft)
            draft.errors.end()
            if not (faults.errors or is_faulty):
                drafting.made.append(finishing.lock(draft))
                faults.try_builds(draft, drafting.made[-1])
        if faults.errors.is_final:
            break
    faults.end()
    return tuple(drafting.made)


def _rules(everything: Iterable[LockInputs]) -> Mapping[str, list[BinaryRule]]:
    """Return the binary rules of the whole project by name: services share the files of vendor/."""
    rules: dict[str, list[BinaryRule]] = {}
    for rule in dict.fromkeys(rule for item in everything for rule in item.binary):
        rules.setdefault(rule.name, []).append(rule)
    return rules


def _report(found: Outcome, *, dry_run: bool) -> None:
    """Print what was added, removed and moved to other versions, and the totals."""
    changes = found.changes
    for change in changes:
        console.note(f"    {change}")
    if crates := lock_diff.summary(lock_diff.compare_crates(found.old, found.new)):
        console.note(f"    crates: {crates}")
    sizes = {file.name: file.size for item in found.new for file in item.vendored_files().values()}
    names = ", ".join(item.service for item in found.new)
    console.step(
        "WOULD" if dry_run else "VENDOR",
        f"{names}: {len(sizes)} files, {human(sum(sizes.values()))} in vendor/; "
        f"{lock_diff.summary(changes) or 'no other versions'}",
    )


def _refuse_unknown_upgrades(options: VendorOptions, locks: Iterable[Lock]) -> None:
    known = {distribution.name for item in locks for distribution in item.distributions()}
    unknown = [name for name in options.upgrade if name != "all" and normalize(name) not in known]
    if unknown:
        what = f"UPGRADE: nothing locked is called {', '.join(unknown)}"
        raise UserError(what, "name distributions as vendor/ has them, or all")
