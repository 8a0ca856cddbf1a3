#!/usr/bin/env python3
"""Export a project and pack its source package, as `make sbuild` begins: `pack.py PROJECT TARGET`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

project, target = Path(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(project / "common" / "scripts"))

from toolkit.debian import deb_build, source_package  # noqa: E402
from toolkit.project import discovery, settings  # noqa: E402

shutil.rmtree(target, ignore_errors=True)
target.mkdir()
chosen = settings.Settings(project=project.resolve(), toolkit=settings.TOOLKIT)
found = discovery.discover(chosen)
source_package.write(found, chosen, deb_build.read(found, chosen), target)
