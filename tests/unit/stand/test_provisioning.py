"""What Ansible's output means: what changed, and what to say of a failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.core.errors import UserError
from toolkit.project.settings import Settings
from toolkit.stand import provisioning
from toolkit.stand.base import Access, StandOptions

OUTPUT = """\
TASK [base : Look up the home] *************************************************
ok: [stand]

TASK [base : Set the time zone] ************************************************
changed: [stand]

TASK [services : Install the command] ******************************************
changed: [stand] => (item=one)
changed: [stand] => (item=two)
"""
FAILED = (
    OUTPUT
    + """
TASK [services : Wait until every service is up] *******************************
[ERROR]: Task failed: Module failed: non-zero return code
fatal: [stand]: FAILED! =>\x20
    changed: false
    cmd:
    - stand-services
    - wait
    msg: non-zero return code
    rc: 1
    stderr: |-
        ConnectionRefusedError: no database

        the service web ended with status 1; see its last lines
    stderr_lines: <omitted>
    stdout: ''

PLAY RECAP *********************************************************************
stand : ok=3 changed=2 unreachable=0 failed=1
"""
)
ASSERTED = """\
TASK [services : Refuse services that have not been packaged] ******************
fatal: [stand]: FAILED! =>\x20
    assertion: item.deb
    msg: 'web: no package in dist/; run `make deb`'
"""


def test_what_changed_is_told_by_task_each_once() -> None:
    assert provisioning.changed(OUTPUT) == ("base: Set the time zone", "services: Install the command")


def test_a_failure_shows_what_the_task_wrote_and_which_task_it_was(tmp_path: Path) -> None:
    error = provisioning.explain(FAILED, "", "stand", tmp_path / "stand.log")
    assert error.what == "the stand is not ready: services: Wait until every service is up"
    assert "goes on where it stopped" in error.hint and "stand.log" in error.hint
    assert error.details == (
        "ConnectionRefusedError: no database\n\nthe service web ended with status 1; see its last lines"
    )


def test_a_text_that_begins_with_an_empty_line_is_shown_as_it_is(tmp_path: Path) -> None:
    error = provisioning.explain(FAILED.replace("|-\n", "|4-\n\n\n\n"), "", "stand", tmp_path)
    assert error.details.startswith("\n\n\nConnectionRefusedError: no database\n")
    assert error.details.endswith("see its last lines")


def test_a_refusal_shows_its_message(tmp_path: Path) -> None:
    error = provisioning.explain(ASSERTED, "", "stand", tmp_path)
    assert error.details == "web: no package in dist/; run `make deb`"


@pytest.mark.parametrize(
    ("output", "what"),
    [
        ("fatal: [s]: UNREACHABLE! => \n    msg: 'Connection refused'\n", "s: can no longer be reached"),
        ("fatal: [s]: FAILED! => \n    msg: Missing sudo password\n", "s: sudo asks for a password there"),
        ("", "the stand is not ready: Ansible did not start"),
    ],
)
def test_what_is_wrong_with_the_machine_is_reported_as_that(output: str, what: str, tmp_path: Path) -> None:
    assert provisioning.explain(output, "printed", "s", tmp_path).what == what


def test_the_prefixes_of_ansibles_log_are_taken_off(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(
        "2026-11-25 13:44:38,123 p=12 u=root n=ansible INFO| TASK [a : b] ***\n"
        "2026-11-25 13:44:38,124 p=12 u=root n=ansible INFO| changed: [stand]\n"
    )
    assert provisioning.changed(provisioning._read(tmp_path / "log")) == ("a: b",)


def test_a_projects_own_playbook_comes_before_the_toolkits(tmp_path: Path) -> None:
    settings = Settings(project=tmp_path, toolkit=tmp_path / "common")
    assert provisioning.playbook(settings) == tmp_path / "common/stand/playbook.yml"
    (tmp_path / "stand").mkdir()
    (tmp_path / "stand/playbook.yml").touch()
    assert provisioning.playbook(settings) == tmp_path / "stand/playbook.yml"


def test_ansible_goes_the_way_that_ssh_goes(tmp_path: Path) -> None:
    words = provisioning.arguments(Access(host="demo", user="vagrant", config=tmp_path / "c"), tmp_path / "v")
    assert words == ["--inventory", "demo,", f"--ssh-common-args=-F {tmp_path}/c", "--extra-vars", f"@{tmp_path}/v"]
    assert provisioning.arguments(Access(host="me@there", user="me"), Path("v"))[:2] == ["--inventory", "me@there,"]


def test_an_ansible_that_is_not_there_is_refused() -> None:
    with pytest.raises(UserError, match="ANSIBLE=/none/ansible-playbook: no such program"):
        provisioning._program(StandOptions(ansible="/none/ansible-playbook"))
