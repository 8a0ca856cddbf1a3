"""Update what templates gave to today's templates: what people have changed stays, and nothing is lost."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath

from toolkit.core import console, directories, git
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import one_line, quoted
from toolkit.core.git import Repository
from toolkit.project import discovery
from toolkit.project.settings import Settings
from toolkit.scaffold import former, merging, new_project, record
from toolkit.scaffold.former import Pair, Toolkits
from toolkit.scaffold.merging import File, Step

#: Of these a project has its own from the first day.
_OWN = {PurePosixPath("debian/changelog"), PurePosixPath("debian/copyright")}
_CONFLICT = "CLASH"


def run(settings: Settings, service: str = "", *, dry_run: bool) -> None:
    """Update all that templates gave a project, or one service.

    Raises `UserError` where it cannot be done, before anything is written, and where conflicts are left, after that.
    """
    root, toolkit = settings.project, settings.toolkit
    if not toolkit.is_relative_to(root):
        raise UserError(
            f"{toolkit}: not the toolkit of {root}, whose templates have to fit it",
            "run `common/scripts/new-project --update` there",
        )
    found = former.pairs(discovery.discover(settings), settings, service)
    if not found:
        raise UserError(
            f"{service or root}: it is not known from which templates it came",
            "without `--update`, what is missing is written",
        )
    with directories.scratch("python-common-update-") as scratch:
        steps = _steps(root, toolkit, found, scratch)
    if steps:
        steps = [*steps, *_record(root, toolkit, found)]
    if dry_run:
        _show(steps)
        return
    _refuse_uncommitted(root, steps)
    apply(root, steps)
    _report(steps)


def apply(root: Path, steps: Sequence[Step]) -> None:
    """Do all of it, or nothing."""
    todo = [step for step in steps if step.verb != "KEEP"]
    with directories.temporary(root, ".scaffold-") as scratch, ExitStack() as undo:
        for step in todo:
            undo.callback(_put, root / step.path, step.old, scratch)
            _put(root / step.path, step.new, scratch)
        undo.pop_all()
    for step in todo:
        for parent in (root / step.path).parents if step.new is None else ():
            with suppress(OSError):
                parent.rmdir()
    git.note_new(root, [str(step.path) for step in todo if step.old is None])


def _steps(root: Path, toolkit: Path, found: Sequence[Pair], scratch: Path) -> list[Step]:
    toolkits = Toolkits(toolkit=toolkit, scratch=scratch / "templates")
    base, theirs = [], []
    for pair in found:
        for kind in pair.new.templates:
            # None of its files would be taken for all of them removed.
            if not (toolkit / "templates" / kind).is_dir():
                raise record.fault(f"{one_line(pair.key)}: there are no templates {quoted(kind)}")
        try:
            base += toolkits.entries(pair)
            theirs += new_project.entries(pair.key, pair.new, toolkit)
        except KeyError as error:
            raise record.fault(f"{one_line(pair.key)}: {error} is missing") from None
    return _plan(root, merging.compose(base, root), merging.compose(theirs, root), scratch)


def _plan(root: Path, base: dict[PurePosixPath, File], theirs: dict[PurePosixPath, File], scratch: Path) -> list[Step]:
    for path in _OWN:
        base.pop(path, None)
        theirs.pop(path, None)
    return merging.plan(root, base, theirs, scratch)


def _record(root: Path, toolkit: Path, found: Sequence[Pair]) -> list[Step]:
    """Return the step that has the record name today's templates, none where it does."""
    revision = git.ask(toolkit, "rev-parse", "HEAD")
    text = record.text({**record.read(root), **{pair.key: replace(pair.new, revision=revision) for pair in found}})
    path, new = PurePosixPath(record.FILE), File(content=text.encode())
    old = merging.read(root / path)
    return [Step(verb="UPDATE" if old else "WRITE", path=path, old=old, new=new)] if old != new else []


def _refuse_uncommitted(root: Path, steps: Sequence[Step]) -> None:
    """Raise `UserError` for changes to a file that git would not bring back."""
    paths = [str(step.path) for step in steps if step.verb != "KEEP"]
    if not paths:
        return
    repository = Repository(directory=root, name=root.name)
    git.require_quiet(repository)
    listed = repository.read(
        "--literal-pathspecs", "-c", "core.quotePath=false", "status", "--porcelain", "--ignored", "--", *paths
    )
    if changed := [line[3:] for line in listed.splitlines()]:
        raise UserError(
            f"{', '.join(changed)}: not committed, and would be changed", "commit first; an update can be undone then"
        )


def _put(path: Path, file: File | None, scratch: Path) -> None:
    """Have a file be so, in one step; what there was of its permissions stays."""
    if file is None:
        path.unlink(missing_ok=True)
        return
    new = scratch / "new"
    if file.link:
        new.symlink_to(file.link)
    else:
        new.write_bytes(file.content)
        there = path if path.is_file() and not path.is_symlink() else new
        mode = there.stat().st_mode & 0o666
        new.chmod(mode | (mode & 0o444) >> 2 if file.is_executable else mode)
    path.parent.mkdir(parents=True, exist_ok=True)
    new.replace(path)


def _report(steps: Sequence[Step]) -> None:
    for step in steps:
        console.step(step.verb, _told(step))
    if conflicts := [str(step.path) for step in steps if step.verb == _CONFLICT]:
        # With the record: it says that the project has come from today's templates. New files go again.
        changed = shlex.join(str(step.path) for step in steps if step.verb != "KEEP")
        raise UserError(
            f"changed both here and in the templates: {', '.join(conflicts)}",
            "mend what stands between `<<<<<<<` and `>>>>>>>` there, then commit; or have all as it was, with "
            f"`git restore --source=HEAD --staged --worktree {changed}`",
        )
    console.note(
        "`git diff` shows it; commit it together with common/"
        if steps
        else "nothing to do: the templates are as they were"
    )


def _told(step: Step) -> str:
    return f"{step.path}: {step.note}" if step.note else str(step.path)


def _show(steps: Sequence[Step]) -> None:
    """Say what would be done, with the differences."""
    for step in steps:
        if step.verb == "KEEP":
            console.step("KEEP", _told(step))
            continue
        conflicts = ", with conflicts" if step.verb == _CONFLICT else ""
        console.step("WOULD", f"{'merge' if conflicts else step.verb.lower()} {_told(step)}{conflicts}")
        names = f"a/{step.path}", f"b/{step.path}"
        console.note("".join(difflib.unified_diff(_lines(step.old), _lines(step.new), *names)).rstrip("\n"))
    if not steps:
        console.note("nothing to do: the templates are as they were")


def _lines(file: File | None) -> list[str]:
    if file is None:
        return []
    text = f"link to {file.link}\n" if file.link else file.content.decode("utf-8", "replace")
    return [
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in text.splitlines(keepends=True)
    ]
