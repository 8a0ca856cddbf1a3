"""The packaging of libraries: a debian/ that has dh-python make `python3-<name>` of each, where a project has none."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path

from packaging.version import InvalidVersion, Version

from toolkit.core import files, git
from toolkit.core.errors import UserError
from toolkit.debian import pydist
from toolkit.model.build_settings import FLAG_VARIABLES
from toolkit.project import build_settings, debian_control, pyproject, vcs_versions
from toolkit.project.debian_control import Control
from toolkit.project.discovery import Package, Project
from toolkit.project.settings import Settings

#: Sources of what has to be compiled.
_COMPILED = frozenset({".c", ".cc", ".cpp", ".cxx", ".f", ".f90", ".pyx", ".rs"})
_LICENCES = ("LICENSE*", "LICENCE*", "COPYING*")
_RULES = """\
#!/usr/bin/make -f
SHELL = /bin/bash
.SHELLFLAGS = -e -u -o pipefail -c

# A source package has no git to ask for the version; and pybuild takes the changelog's, which need not be Python's.
@variables@

# The tests are run by `make test`, with what vendor/ holds.
override_dh_auto_test:

%:
	dh $@ --with python3 --buildsystem=pybuild

# dh_python3 ignores the versions in metadata, whatever its options are (dh-python 5.20230130), and leaves out a
# dependency of which it knows no package.
override_dh_python3:
	for package in $$(dh_listpackages); do \\
		sed -n '/extra ==/d; s/^Requires-Dist: /--depends=/p' \\
			debian/$$package/usr/lib/python3*/dist-packages/*.dist-info/METADATA \\
		| xargs -d '\\n' dh_python3 --package=$$package --accept-upstream-versions; \\
	done 2>&1 | tee debian/.debhelper/dh_python3
	! grep --quiet 'Cannot find package that provides' debian/.debhelper/dh_python3
"""
#: One step of the build for each library; PYBUILD_NAME decides which package it goes into, pybuild(1).
_STEPS = (
    "\noverride_dh_auto_configure override_dh_auto_build override_dh_auto_install override_dh_auto_clean:{needed}\n"
)
#: Where a library in the project's own directory is built.
_COPY = "debian/.debhelper/source"
#: Setuptools takes directories beside the modules for packages, that of Debian 12 (66.1) even debian/, and then refuses
#: to choose: https://setuptools.pypa.io/en/latest/userguide/package_discovery.html#flat-layout
_COPIED = f"""
# Setuptools would take debian/ for a package of the library's.
{_COPY}:
\tmkdir --parents $@
\tfind . -mindepth 1 -maxdepth 1 ! -name debian ! -name .pybuild -exec cp --archive --target-directory=$@ {{}} +
"""
_STEP = (
    "\t{variables}PYBUILD_NAME={name} $(patsubst override_%,%,$@) --buildsystem=pybuild --sourcedirectory={directory}\n"
)
#: It imports each module of the packages.
_TEST = """\
#!/bin/sh
set -eu
for package in {packages}; do
	for module in $(dpkg --listfiles "$package" | sed -n \\
		's,^/usr/lib/python3/dist-packages/\\([A-Za-z0-9_]*\\)\\(/__init__\\.py\\|\\.py\\|\\.[^/]*so\\)$,\\1,p'); do
		python3 -c "import $module"
		echo "$package: $module"
	done
done
"""


def read(project: Project, settings: Settings) -> Control:
    """Return the packaging of a project that has only libraries; with files that its debian/ lacks, in build/debian/.

    A project with a debian/control of its own has a complete packaging. Raises `UserError`.
    """
    own = settings.project / "debian"
    if (own / "control").exists():
        return _require_pybuild(debian_control.read(own))
    target = settings.build / "debian"
    with files.exclusive(settings.build, "packaging"):
        files.remove(target)
        if own.is_dir():
            shutil.copytree(own, target, symlinks=True)
        for name, text in _generate(project).items():
            if not (target / name).exists():
                _write(target / name, text)
    return debian_control.read(target)


def is_generated(settings: Settings, packaging: Control) -> bool:
    """Tell whether a packaging, or a part of it, is not the project's own."""
    return packaging.path.parent != settings.project / "debian"


def _require_pybuild(packaging: Control) -> Control:
    """Raise `UserError` for rules by which debhelper would run the project's Makefile, which builds only services."""
    path = packaging.path.with_name("rules")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        if re.match(r"\tdh \$@", line) and "buildsystem" not in line:
            raise UserError(
                f"{path}:{number}: debhelper would build by the Makefile, which is for services",
                "a library is built by `dh $@ --with python3 --buildsystem=pybuild`",
            )
    return packaging


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomic(path, text)
    if text.startswith("#!"):
        path.chmod(0o755)


def _generate(project: Project) -> Mapping[str, str]:
    libraries = project.locked
    name = _source_name(project.root)
    if len(libraries) == 1:
        # Debian wants two characters.
        name = libraries[0].name if len(libraries[0].name) > 1 else package_name(libraries[0])
    who, when = _signature(project.root)
    year = parsedate_to_datetime(when).year
    version = _version(project, libraries)
    packages = " ".join(map(package_name, libraries))
    given = vcs_versions.variables(libraries[0].version)
    variables = "\n".join(f"export {name} = {value}" for name, value in given.items())
    steps = [
        _STEP.format(
            name=_short(library),
            directory=_COPY if library.is_root else os.path.relpath(library.path, project.root),
            variables=_variables(project, library),
        )
        for library in libraries
    ]
    has_root = any(library.is_root for library in libraries)
    needed, copied = (f" {_COPY}", _COPIED) if has_root else ("", "")
    return {
        "control": "\n".join([_source(name, who, libraries), *(_binary(library) for library in libraries)]),
        "changelog": f"{name} ({version}) unstable; urgency=medium\n\n  * Version {version}.\n\n -- {who}  {when}\n",
        "rules": f"{_RULES.replace('@variables@', variables)}{_STEPS.format(needed=needed)}{''.join(steps)}{copied}",
        "copyright": copyright_of(name, f"{year} {who}", libraries),
        "source/format": "3.0 (native)\n",
        "tests/control": f"Tests: import\nDepends: {packages.replace(' ', ', ')}\nRestrictions: superficial\n",
        "tests/import": _TEST.format(packages=packages),
    }


def _variables(project: Project, library: Package) -> str:
    """Return the variables of a library's build-settings.toml, each before a command of a makefile."""
    paths = dict.fromkeys((project.root / build_settings.FILE, library.path / build_settings.FILE))
    said = build_settings.together(table for path in paths for table in build_settings.read(path, project.root))
    pairs = build_settings.of_key(said, library.name).environment
    # Flags are added to the system's, dpkg-buildflags(1).
    named = [(f"DEB_{name}_APPEND" if name in FLAG_VARIABLES else name, value) for name, value in pairs]
    return "".join(f"{name}={shlex.quote(value).replace('$', '$$')} " for name, value in named)


def package_name(library: Package) -> str:
    """Return the name of a library's package (Python policy 4.3)."""
    return f"python3-{_short(library)}"


def _short(library: Package) -> str:
    return library.name.removeprefix("python-").removeprefix("python3-")


def _source_name(root: Path) -> str:
    name = re.sub(r"[^a-z0-9+.-]+", "-", root.name.lower()).strip("-+.")
    return name if len(name) > 1 else "libraries"


def _source(name: str, who: str, libraries: Sequence[Package]) -> str:
    interpreters = ["python3-all-dev" if _is_compiled(library.path) else "python3-all" for library in libraries]
    requires = [package for library in libraries for package in _build_requires(library)]
    depends = dict.fromkeys(
        ["debhelper-compat (= 13)", "dh-python", "pybuild-plugin-pyproject", *interpreters, *requires]
    )
    return (
        f"Source: {name}\nSection: python\nPriority: optional\nMaintainer: {who}\n"
        f"Build-Depends: {', '.join(depends)}\nStandards-Version: 4.6.2\nRules-Requires-Root: no\n"
    )


def _build_requires(library: Package) -> list[str]:
    """Return the packages of a library's build requirements; of setuptools where it names none (PEP 517)."""
    content = pyproject.read(library.path)
    system = pyproject.build_system(content, str(library.path / pyproject.FILE))
    # Setuptools before 70.1, which Debian 12 has, makes no wheel without the package `wheel`.
    requires = system.requires if "build-system" in content else (*system.requires, "wheel")
    return [pydist.package_of(text) for text in requires]


def _binary(library: Package) -> str:
    compiled = _is_compiled(library.path)
    depends = ["${misc:Depends}", "${python3:Depends}", *(["${shlibs:Depends}"] if compiled else [])]
    about = library.summary.rstrip(".") or f"Python library {library.name}"
    return (
        f"Package: {package_name(library)}\nArchitecture: {'any' if compiled else 'all'}\n"
        f"Depends: {', '.join(depends)}\nDescription: {about}\n"
        f" The Python library {library.name}, for the system's own interpreter.\n"
    )


def _is_compiled(directory: Path) -> bool:
    """Tell whether a package has sources that are not Python's: beside setup.py, below src/ or in its modules."""
    roots = [entry for entry in directory.iterdir() if entry.name == "src" or (entry / "__init__.py").is_file()]
    found = [*directory.glob("*.*"), *(path for root in roots for path in root.rglob("*.*"))]
    return any(path.suffix in _COMPILED and "tests" not in path.relative_to(directory).parts for path in found)


def _version(project: Project, libraries: Sequence[Package]) -> str:
    """Return the version that the libraries have in common, as Debian sorts versions."""
    for library in libraries:
        vcs_versions.require(library.path, project.root, f"{project.shown(library.path)}/")
    found = {library.version: library for library in libraries}
    if len(found) > 1:
        names = ", ".join(f"{library.name} {version}" for version, library in sorted(found.items()))
        raise UserError(
            f"the libraries have different versions: {names}",
            "name those for one source package: PACKAGES=..., or write a debian/ with a changelog",
        )
    [(version, library)] = found.items()
    where = project.shown(library.path / library.marker_file)
    if not version:
        raise UserError(
            f"{where}: the version is not written literally, so it is not known without running it",
            f"write it there, or as __version__ in {library.name.replace('-', '_')}/__init__.py",
        )
    try:
        return debian_version(version)
    except InvalidVersion:
        raise UserError(f"{where}: {version} is not a version (PEP 440)", "make it one, such as 1.0") from None


def debian_version(text: str) -> str:
    """Return a version that Debian sorts as Python does: `1!2.0rc1.dev2` -> `1:2.0~rc1~dev2`."""
    version = Version(text)
    public = re.sub(r"\.?(a|b|rc|dev)(?=\d)", r"~\1", version.public).replace("!", ":")
    return f"{public}+{version.local}" if version.local else public


def _signature(root: Path) -> tuple[str, str]:
    """Return the maintainer and the date: those of the last commit, but the maintainer of dch's variables if set."""
    who, when = "", formatdate(localtime=True)
    if git.is_in_repository(root):
        commit = git.ask(root, "log", "-1", "--format=%an <%ae>%n%cD")
        if not commit:
            raise UserError(f"{root}: no commit yet", "`git add --all && git commit`")
        who, when = commit.splitlines()
    if os.environ.get("DEBEMAIL"):
        who = f"{os.environ.get('DEBFULLNAME', '')} <{os.environ['DEBEMAIL']}>".lstrip()
    if not who:
        raise UserError(
            f"{root}: not a git repository, so there is no maintainer",
            "name the maintainer: DEBFULLNAME='Your Name' DEBEMAIL=you@example.com",
        )
    return who, when


def copyright_of(name: str, whose: str, libraries: Sequence[Package]) -> str:
    """Return a debian/copyright of packages: their licence as they declare it, with the text that they have of it."""
    licence = next(filter(None, (library.licence for library in libraries)), "")
    text = next(_licence_texts(libraries), "All rights reserved.")
    short = re.sub(r"\s+", "-", licence) or "proprietary"
    body = "\n".join(f" {line}" if line.strip() else " ." for line in text.strip().splitlines())
    return (
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
        f"Upstream-Name: {name}\n\nFiles: *\nCopyright: {whose}\nLicense: {short}\n{body}\n"
    )


def _licence_texts(libraries: Sequence[Package]) -> Iterator[str]:
    for library in libraries:
        for pattern in _LICENCES:
            for path in filter(Path.is_file, sorted(library.path.glob(pattern))):
                yield path.read_text(encoding="utf-8", errors="replace")
