"""What a new service may be called, and what is written for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.conftest import Workspace
from toolkit.core.errors import UserError
from toolkit.scaffold import new_project, new_service
from toolkit.scaffold.templates import Entry

TOOLKIT = Path(__file__).resolve().parents[3]
CONTROL = "Source: post-office\n\nPackage: yc-counter\nArchitecture: any\n\nPackage: stamps\nArchitecture: any\n"


@pytest.fixture
def project(workspace: Workspace) -> Workspace:
    return workspace.service("counter", "counter").write({"debian/control": CONTROL})


def write(project: Workspace, name: str, namespace: str = "yc", runtime: str = "") -> dict[str, Entry]:
    settings = replace(project.settings(), toolkit=TOOLKIT, namespace=namespace)
    made = new_service.scaffolds(project.discover(), settings, name, runtime=runtime)
    entries = (entry for key, part in made.items() for entry in new_project.entries(key, part, TOOLKIT))
    return {str(entry.path): entry for entry in entries}


@pytest.mark.parametrize("name", ["ab", "mail", "mail-relay", "mail2", "m-1-2"])
def test_a_name_that_is_one(name: str) -> None:
    new_service.check_name(name)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("", "one such as mail-relay is valid"),
        ("Mail_Relay", "how about mail-relay?"),
        ("mail relay", "how about mail-relay?"),
        ("mail--relay", "how about mail-relay?"),
        ("-mail", "how about mail?"),
        ("p", "one such as mail-relay is valid"),
        ("P_", "one such as mail-relay is valid"),
        ("2mail", "how about mail?"),
        ("../mail", "how about mail?"),
        ("почта", "one such as mail-relay is valid"),
        ("m" * 61, f"how about {'m' * 60}?"),
    ],
)
def test_a_name_that_is_none_is_told_which_letters_it_takes(name: str, hint: str) -> None:
    with pytest.raises(UserError, match="lower-case letters a-z, digits, and single hyphens") as caught:
        new_service.check_name(name)
    assert caught.value.hint == hint


def test_a_suggested_name_is_one() -> None:
    for name in ("Mail_Relay", "2mail", f"{'m' * 59}_x", "-1-ab-"):
        with pytest.raises(UserError) as caught:
            new_service.check_name(name)
        new_service.check_name(caught.value.hint.removeprefix("how about ").removesuffix("?"))


class TestTaken:
    """Names that something has already."""

    @pytest.fixture(autouse=True)
    def _others(self, project: Workspace) -> Iterator[None]:
        project.package("lib", "yc-parcels").package("elsewhere/letters", "letters").write(
            {"elsewhere/letters/bin/run": "", "counter/bin/yc-scales": "", "notes/": "", "link": ""}
        )
        yield
        assert not (project.root / "debian/tests").exists()

    @pytest.mark.parametrize(
        ("name", "by"),
        [
            ("parcels", "lib/ is the package yc-parcels"),
            ("letters", "elsewhere/letters/ is a service of this name"),
            ("scales", "counter/ has the script yc-scales"),
            ("stamps", "debian/control has the package stamps"),
            ("notes", "notes exists already, and is not a service"),
            ("link", "link exists already, and is not a service"),
            ("vendor", "vendor/ is a directory that is never searched for packages"),
            ("build", "build/ is a directory that is never searched for packages"),
            ("dist", "dist/ is a directory that is never searched for packages"),
            ("debian", "debian/ is a directory that is never searched for packages"),
            ("node-modules", "node_modules/ is a directory that is never searched for packages"),
            ("common", "common/ is a directory of the project itself"),
            ("stand", "stand/ is a directory of the project itself"),
        ],
    )
    def test_what_has_it_is_named(self, project: Workspace, name: str, by: str) -> None:
        with pytest.raises(UserError) as caught:
            write(project, name)
        assert caught.value.what == f"{name}: the name is taken: {by}"


def test_a_service_without_the_library_needs_nothing_and_has_a_file_for_all_that_packaging_names(
    project: Workspace,
) -> None:
    found = write(project, "mail", runtime="none")
    assert not [path for path, entry in found.items() if "yc_common" in entry.text or "debian/config" in path]
    assert not [line for line in found["mail/requirements.txt"].text.splitlines() if not line.startswith("#")]
    assert found["debian/yc-mail.manpages"].text.strip() in found
    assert {"debian/yc-mail.service", "debian/tests/mail", "mail/tests/test_service.py"} <= set(found)


@pytest.mark.parametrize(
    ("requirements", "has_config"), [("idna\n# yc_common\n", False), ("idna\nYC-Common[http]>=1\n", True)]
)
def test_what_a_service_that_is_there_lacks_fits_what_it_is_written_with(
    project: Workspace, requirements: str, has_config: bool
) -> None:
    project.write({"counter/requirements.txt": requirements})
    assert ("debian/config/counter/config.yaml" in write(project, "counter")) is has_config


def test_a_name_that_has_the_namespace_already_is_asked_about(project: Workspace) -> None:
    """`Package: yc-yc-mail` is what nobody means; a service of that name which is there may be completed."""
    with pytest.raises(UserError, match="yc-mail: its package and its script would be called yc-yc-mail") as caught:
        write(project, "yc-mail")
    assert caught.value.hint == "how about mail?"
    assert write(project, "yc-mail", namespace="acme")["debian/control"].key == "Package: acme-yc-mail"
    assert write(project.service("yc_mail", "mail"), "yc-mail")["debian/control"].key == "Package: yc-yc-mail"


def test_a_service_that_is_there_may_be_completed(project: Workspace) -> None:
    assert write(project, "counter")["debian/control"].key == "Package: yc-counter"


def test_a_package_that_is_called_as_its_service_stays_so(project: Workspace) -> None:
    project.service("stamps", "stamps")
    found = write(project, "stamps")
    assert found["debian/control"].key == "Package: stamps"
    assert "debian/stamps.service" in found


def test_it_is_for_the_interpreters_of_the_other_services(project: Workspace) -> None:
    project.write({"counter/.python-version": "3.13\n3.9\n"})
    found = write(project, "mail")
    assert found["mail/.python-version"].text == "3.13\n3.9\n"
    assert 'python_requires=">=3.9"' in found["mail/setup.py"].text


def test_services_of_one_project_listen_on_ports_of_their_own(project: Workspace) -> None:
    assert "127.0.0.1:8082" in write(project, "mail")["debian/config/mail/config.yaml"].text
    project.write({"counter/requirements.txt": "yc_common[metrics]\n"})
    assert "127.0.0.1:8081" in write(project, "counter")["debian/config/counter/config.yaml"].text


def test_the_namespace_is_in_every_name(project: Workspace) -> None:
    found = write(project, "mail", "acme-x")
    assert {"mail/bin/acme-x-mail", "mail/acme_x_mail/main.py", "debian/acme-x-mail.service"} <= set(found)
    assert "etc/acme-x/mail" in found["debian/acme-x-mail.install"].text
    with pytest.raises(UserError, match="'Acme' is not a valid name for a namespace"):
        write(project, "mail", "Acme")


@pytest.mark.parametrize(
    ("makefile", "namespace"),
    [
        ("include project.mk\n", "yc"),
        ("NAMESPACE = acme\ninclude project.mk\n", "acme"),
        ("NAME = a\nNAMESPACE := $(NAME)-b # ours\ninclude project.mk\n", "a-b"),
    ],
)
def test_the_namespace_is_what_make_says(tmp_path: Path, makefile: str, namespace: str) -> None:
    (tmp_path / "project.mk").symlink_to(TOOLKIT / "project.mk")
    (tmp_path / "Makefile").write_text(makefile)
    assert new_service.read_setting(tmp_path, "NAMESPACE") == namespace


def test_a_source_package_is_called_as_in_debian_control_or_as_the_directory(project: Workspace) -> None:
    assert new_service.source_name(project.root, "mail") == "post-office"
    assert new_service.source_name(project.root.with_name("relays"), "mail") == "relays"
    assert new_service.source_name(project.root.with_name("Ünd so"), "mail") == "mail"


def test_packaging_is_written_where_there_is_none(project: Workspace) -> None:
    before = set(write(project, "mail"))
    (project.root / "debian/control").unlink()
    found = write(project, "mail")
    assert set(found) - before == {"debian/changelog", "debian/copyright", "debian/rules", "debian/source/format"}
    assert found["debian/changelog"].text.startswith("project (0.1.0) unstable")
