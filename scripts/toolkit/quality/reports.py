"""What pytest reports to other programs: results as JUnit's XML, and coverage as Cobertura's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from toolkit.core import console, files
from toolkit.project.discovery import Package
from toolkit.quality.workplace import SOURCES, Workplace
from toolkit.sandbox.view import ENVIRONMENT

#: Beside the copy of a package, which is never hidden.
_RESULTS, _COVERAGE = ".junit.xml", ".coverage.xml"
#: Bytes of a report.
_LONGEST = 1 << 28


@dataclass(frozen=True, kw_only=True)
class Reports:
    """A directory for the reports of services; in these, files are named from `project` on."""

    directory: Path
    project: Path

    def options(self, place: Workplace, package: Package) -> Iterator[str]:
        """Yield the options by which pytest writes reports inside the walls: on coverage where it has pytest-cov."""
        yield f"--junitxml={place.place(f'{SOURCES}/{_RESULTS}')}"
        yield from ("-o", f"junit_suite_name={package.service_name}")
        if (place.site_packages / "pytest_cov").is_dir():
            yield from (f"--cov={name}" for name in _modules(place, package))
            yield f"--cov-report=xml:{place.place(f'{SOURCES}/{_COVERAGE}')}"

    def keep(self, place: Workplace, package: Package) -> None:
        """Copy what a run that is over has reported, be it of failures, in the place of older reports."""
        self.directory.mkdir(parents=True, exist_ok=True)
        for name in (_RESULTS, _COVERAGE):
            path = self.directory / f"{package.service_name}{name}"
            path.unlink(missing_ok=True)
            try:
                report = files.read_foreign(place.sources / name, _LONGEST)
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                console.warn(f"{path}: the tests left something there that is no report ({error})")
                continue
            files.write_atomic(path, self._of_sources(report, place, package))
            console.step("REPORT", str(path))

    def _of_sources(self, report: bytes, place: Workplace, package: Package) -> bytes:
        """Return a report on installed modules as one on their sources in the project, which CI systems show."""
        installed = place.place(f"{ENVIRONMENT}/{place.site_packages.relative_to(place.root)}")
        for name, directory in _modules(place, package).items():
            source = escape((directory / name).relative_to(self.project).as_posix(), {'"': "&quot;"})
            found = f"{installed}/{name}"
            report = report.replace(found.encode(), source.encode())
            # What coverage calls the package of a file.
            report = report.replace(found.replace("/", ".").encode(), source.replace("/", ".").encode())
        return report


def _modules(place: Workplace, package: Package) -> dict[str, Path]:
    """Return the package's own modules that are installed, each with the directory that its source is in."""
    return {
        path.stem: directory
        for path in place.site_packages.iterdir()
        for directory in (package.path, package.path / "src")
        if path.name not in ("tests", "__pycache__") and path.stem.isidentifier() and (directory / path.name).exists()
    }
