"""What `new-project` and `new-service` write builds, passes its own tests, and lintian has nothing to say of it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.machine import TOOLKIT, run
from toolkit.debian.proof import lintian


def test_a_fresh_project_with_three_services_makes_three_clean_packages(
    example: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """The example has built all that these need: they are the same distributions. One service needs nothing."""
    project = tmp_path / "mail"
    person = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Some Developer"), ("EMAIL", "developer@example.com"))
    }
    known = {**environment, **person}
    run([TOOLKIT / "scripts/new-project", project, "mail-relay", "--toolkit", TOOLKIT], env=known)
    run(["common/scripts/new-service", "mail-store"], cwd=project, env=known)
    run(["common/scripts/new-service", "mail-sweep", "--runtime", "none"], cwd=project, env=known)
    said = run(["make", "vendor", "deb"], cwd=project, env=environment)
    assert "  TEST    mail-relay: 2 passed" in said
    assert "  TEST    mail-store: 2 passed" in said
    assert "  TEST    mail-sweep: 2 passed" in said
    assert "warning: " not in said
    names = {path.name.partition("_")[0] for path in (project / "dist").glob("*.deb")}
    assert {name for name in names if not name.endswith("-dbgsym")} == {
        "yc-mail-relay",
        "yc-mail-store",
        "yc-mail-sweep",
    }
    assert lintian.run([*(project / "dist").glob("*.changes")]) == []
    assert lintian.without_reason(project / "debian") == []
    home = tmp_path / "environments"
    run(["./create-virtual-environment", "--vscode"], cwd=project, env={**environment, "WORKON_HOME": str(home)})
    tests = json.loads((project / ".vscode/settings.json").read_text())["python.testing.pytestArgs"]
    assert tests == ["mail_relay/tests", "mail_store/tests", "mail_sweep/tests"]
    pytest = home / "mail/bin/pytest"
    assert "6 passed" in run([pytest], cwd=project, env=environment)
    assert "6 passed" in run([pytest, *tests], cwd=project, env=environment)
