"""The files that an adopted repository lacks: of its project, of its packages, and of their Debian packages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from toolkit.core import git
from toolkit.debian import library
from toolkit.project import python_version
from toolkit.project.discovery import Package, Project
from toolkit.project.settings import Settings
from toolkit.quality import service_tests
from toolkit.requirements import declared_requirements
from toolkit.scaffold import launchers, new_service, templates, unpackaged
from toolkit.scaffold.foreign_files import ForeignFiles
from toolkit.scaffold.part import Part, package_name
from toolkit.scaffold.program import Program
from toolkit.scaffold.templates import Entry

#: What of a new project one that is adopted gets, too.
_OF_PROJECT = frozenset({"Makefile", "create-virtual-environment", ".gitignore"})
#: What of a service's debian/ is for a program that runs on.
_OF_UNIT = ("{package}.service", "{package}.postrm")
#: debian/rules where the Makefile has targets of its own, which debhelper would call.
_RULES = """\
#!/usr/bin/make -f
# The Makefile is the project's own: what debhelper asks of it is done by the toolkit's.
%:
	dh $@ --buildsystem=makefile

override_dh_auto_build override_dh_auto_test override_dh_auto_clean:
	$(MAKE) --file common/project.mk $(patsubst override_dh_auto_%,%,$@)

override_dh_auto_install:
	$(MAKE) --file common/project.mk install DESTDIR=$(CURDIR)/debian/tmp
"""


def of_project(
    settings: Settings, parts: Sequence[Part], virtual: Sequence[Package], *, has_own: bool
) -> Iterator[Entry]:
    """Yield what a project has beside packages; `virtual` ones are none, and `has_own`: the Makefile is theirs."""
    values = {"project": settings.project.name, "namespace": settings.namespace}
    named = ["common", *(str(part.directory) for part in parts)] if virtual else []
    directory = settings.toolkit / "templates"
    if not service_tests.is_configured(settings.project):
        text = (directory / "adopted" / "pytest.ini.in").read_text(encoding="utf-8")
        yield Entry(path=PurePosixPath("pytest.ini"), text=text)
    for entry in templates.read(values, directory / "project"):
        if str(entry.path) == "Makefile":
            yield from [] if has_own else [_makefile(entry, named)]
        elif str(entry.path) in _OF_PROJECT:
            yield entry


def _makefile(entry: Entry, packages: Sequence[str]) -> Entry:
    """Return the Makefile of a project; where a directory only looks like a package, it names the packages."""
    return replace(entry, text=f"PACKAGES = {' '.join(packages)}\n{entry.text}") if packages else entry


def of_interpreter(project: Project, files: ForeignFiles, parts: Sequence[Part]) -> Iterator[Entry]:
    """Yield the file that names the interpreter: this machine's, which packages are built for."""
    path = PurePosixPath(python_version.FILE)
    if not files.has(path) and any(not files.has(part.directory / path) for part in parts):
        nobody = Package(path=project.root, name="", is_service=False)
        yield Entry(path=path, text="".join(f"{python}\n" for python in python_version.read(project, nobody).pythons))


def of_package(files: ForeignFiles, part: Part, settings: Settings) -> Iterator[Entry]:
    """Yield what makes a package of a directory, and a service of a package."""
    is_at_root = not part.directory.parts
    if not part.package or (is_at_root and unpackaged.is_found_by_chance(files, part.directory)):
        yield unpackaged.setup_py(files, part.directory, part.name)
    yield from unpackaged.requirements(files, part.directory)
    yield from unpackaged.of_tests(files, part.directory)
    own = part.directory / "requirements.txt"
    has_none = not files.has(own) and declared_requirements.dependencies(files.root / part.directory) is None
    if (
        has_none
        and part.is_service
        and own not in [entry.path for entry in unpackaged.requirements(files, part.directory)]
    ):
        yield Entry(path=own, text="# What the service needs at run time.\n")
    for program in part.programs:
        yield from _launcher(part, program, settings)


def _script(part: Part, program: Program, namespace: str) -> str:
    name = package_name(part.service, namespace)
    suffix = re.sub(r"[^a-z0-9]+", "-", program.process.lower()).strip("-")
    return f"{name}-{suffix}" if suffix else name


def _launcher(part: Part, program: Program, settings: Settings) -> Iterator[Entry]:
    values = {
        "directory": str(part.directory),
        "script": _script(part, program, settings.namespace),
        "origin": program.origin.replace("\\", "/").replace('"', "'"),
        "code": launchers.code(program),
        "command": _manual(program.shown),
        "summary": _summary(part),
    }
    yield from templates.read(values, settings.toolkit / "templates" / "launcher")


def _manual(text: str) -> str:
    """Return a text as a line of a manual page, groff_man(7)."""
    return text.replace("\\", r"\e").replace("-", r"\-").replace('"', r"\(dq")


def _summary(part: Part) -> str:
    """Return what a service is, in a line that debian/control, units and manual pages can have."""
    text = part.package.summary if part.package else ""
    plain = re.sub(r"[^\w ,;:()/+-]", "", text).strip(" ,;:/+-")[:60].strip()
    return plain or f"{part.service} service"


def of_debian(
    project: Project, settings: Settings, services: Sequence[Part], *, has_own_makefile: bool
) -> Iterator[Entry]:
    """Yield debian/, which describes these services. Raises `UserError` where git does not know who makes it."""
    source = new_service.source_name(project.root, package_name(services[0].service, settings.namespace))
    packages = [_as_package(project, part) for part in services]
    values = new_service.packaging(source, git.identity(project.root)).values
    directory = settings.toolkit / "templates"
    whose = f"{values['year']} {values['maintainer']}"
    found = {entry.path.name: entry for entry in templates.read(values, directory / "packaging")}
    texts = {name: entry.text for name, entry in found.items()}
    texts["copyright"] = library.copyright_of(source, whose, packages)
    texts["changelog"] = texts["changelog"].replace("(0.1.0)", f"({_version(packages)})", 1)
    # What yc_common reads its configuration with, faster.
    texts["control"] = texts["control"].replace("libyaml-dev, ", "", 1)
    texts["rules"] = _RULES if has_own_makefile else texts["rules"]
    yield from (replace(entry, text=texts[name]) for name, entry in found.items())
    for part in services:
        yield from _service_entries(part, source, settings)


def _as_package(project: Project, part: Part) -> Package:
    path = project.root / part.directory
    return part.package or Package(path=path, name=part.name, is_service=True, root=project.root)


def _version(packages: Sequence[Package]) -> str:
    """Return the version of the first package that has one, as Debian has it."""
    for package in packages:
        try:
            return library.debian_version(package.version)
        except ValueError:
            continue
    return "0.1.0"


def _service_entries(part: Part, source: str, settings: Settings) -> Iterator[Entry]:
    script = part.own_script or _script(part, part.programs[0], settings.namespace)
    helpful = [program for program in part.programs if program.command or program.module == "manage"]
    values = {
        **templates.names(part.service, settings.namespace),
        "package": package_name(part.service, settings.namespace),
        "script": script,
        "start": f"/usr/bin/{script}",
        "project": source,
        "summary": _summary(part),
        "port": "",
        "modules": _tuple({program.imports for program in part.programs if program.imports}),
        "helpful": _tuple({f"/usr/bin/{_script(part, program, settings.namespace)}" for program in helpful}),
    }
    runs_on = not part.programs or part.programs[0].runs_on
    left_out = {f"{values['package']}.manpages", *(() if runs_on else (text.format(**values) for text in _OF_UNIT))}
    layers = (settings.toolkit / "templates" / layer / "debian" for layer in ("service", "adopted"))
    for entry in templates.read(values, *layers):
        if str(entry.path) not in left_out:
            yield replace(entry, path="debian" / entry.path)
    pages = "".join(f"debian/{_script(part, program, settings.namespace)}.1\n" for program in part.programs)
    if pages:
        yield Entry(path=PurePosixPath(f"debian/{values['package']}.manpages"), text=pages)


def _tuple(texts: set[str]) -> str:
    return f"[{', '.join(map(templates.python_text, sorted(texts)))}]"
