"""What `new-project` and `new-service` write builds, passes its own tests, and lintian has nothing to say of it."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.machine import TOOLKIT, run
from toolkit.debian.proof import lintian


def test_a_fresh_project_with_two_services_makes_two_clean_packages(
    example: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """The example has built all that these need: they are the same distributions."""
    project = tmp_path / "mail"
    person = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Some Developer"), ("EMAIL", "developer@example.com"))
    }
    known = {**environment, **person}
    run([TOOLKIT / "scripts/new-project", project, "mail-relay", "--toolkit", TOOLKIT], env=known)
    run(["common/scripts/new-service", "mail-store"], cwd=project, env=known)
    said = run(["make", "vendor", "deb"], cwd=project, env=environment)
    assert "  TEST    mail-relay: 2 passed" in said
    assert "  TEST    mail-store: 2 passed" in said
    assert "warning: " not in said
    names = {path.name.partition("_")[0] for path in (project / "dist").glob("*.deb")}
    assert {name for name in names if not name.endswith("-dbgsym")} == {"yc-mail-relay", "yc-mail-store"}
    assert lintian.run([*(project / "dist").glob("*.changes")]) == []
    assert lintian.without_reason(project / "debian") == []
