"""What debian/rules exports for everything that it runs, and that no build of a wheel sees."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from toolkit.core import console
from toolkit.project import build_settings, vcs_versions
from toolkit.project.build_settings import NamedSettings
from toolkit.project.discovery import Project
from toolkit.project.settings import default_of

_EXPORT = re.compile(r"export\s+(?P<names>[A-Za-z_][A-Za-z0-9_ \t]*?)\s*([:?+!]{0,3}=|$|#)")
#: What other programs of a package build read: debhelper, dpkg, pybuild, make, the shell; and what builds do see.
_OF_OTHERS = re.compile(
    r"(DH|DEB|DPKG|PYBUILD|LC|XDG|GIT|QUILT|FAKETIME)_.*|PATH|HOME|LANG|SHELL|TZ|V|MAKEFLAGS|NO_FAKE_STAT|LD_PRELOAD|"
    r"SOURCE_DATE_EPOCH|CC|CXX|CPP|AR|LD|PKG_CONFIG_PATH|CCACHE_DIR"
)


def warn(project: Project, rules: Path) -> None:
    """Warn of variables that the rules of a package export, if no build-settings.toml has them."""
    if not rules.is_file():
        return
    paths = dict.fromkeys(path / build_settings.FILE for path in (project.root, *(p.path for p in project.packages)))
    # Builds have the version of debian/changelog without that.
    said = {*vcs_versions.variables("0")} | _variables(
        table for path in paths for table in build_settings.read(path, project.root)
    )
    for number, line in enumerate(rules.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        match = _EXPORT.match(line)
        for name in match["names"].split() if match else ():
            if name not in said and not _OF_OTHERS.fullmatch(name) and not _is_setting(name):
                console.warn(
                    f"{project.shown(rules)}:{number}: {name} reaches no build of a wheel: write it to "
                    f"{build_settings.FILE}, for the distribution that needs it; if it is for a step of debhelper, "
                    f"export it for that alone (`override_dh_...: export {name} = ...`)"
                )


def _variables(tables: Iterable[NamedSettings]) -> set[str]:
    return {name for table in tables for name, _ in table.settings.environment}


def _is_setting(name: str) -> bool:
    """Tell whether this is a setting of the toolkit's makefile."""
    try:
        default_of(name)
    except KeyError:
        return False
    return True
