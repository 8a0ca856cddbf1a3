"""The bill of materials: valid, complete, and the same for the same materials."""

import base64
import gzip
import hashlib
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.unit.locks import line
from tests.wheel_files import make_wheel
from toolkit.build import interpreters
from toolkit.install import licences, sbom
from toolkit.install.sbom import Materials, OwnPackage
from toolkit.install.system_packages import SystemPackage
from toolkit.model.lock import Crate, Distribution, LocalPackage, Lock, Patch, VendoredFile
from toolkit.model.pins import Pinned

PYTHON = interpreters.find([f"3.{sys.version_info.minor}"], sys.executable)


def locked(name: str, *build_requires: str) -> Distribution:
    file = VendoredFile(
        name=f"{name}-1.0.tar.gz", size=1, sha256=f"{ord(name[0]):064x}", url=f"https://e.example/{name}"
    )
    return Distribution(
        name=name, version="1.0", kind="sdist", files=(file,), build_requires=tuple(map(Pinned.parse, build_requires))
    )


@pytest.fixture
def materials(tmp_path: Path) -> Materials:
    wheels = [
        make_wheel(tmp_path, "alpha", {}, metadata="License-Expression: MIT\nRequires-Dist: beta>=1\n"),
        make_wheel(
            tmp_path,
            "beta",
            {"dist-info/licenses/LICENSE": "Do as you like.\n\nReally.\n"},
            metadata="License: BSD\nAuthor: Ann\nRequires-Dist: gamma; extra == 'more'\n",
        ),
        make_wheel(tmp_path, "gamma", {}, metadata="Classifier: License :: OSI Approved :: Apache Software License\n"),
        make_wheel(tmp_path, "common-lib", {}),
        make_wheel(tmp_path, "api", {}, metadata="Requires-Dist: alpha\n"),
    ]
    lock = Lock(
        service="api",
        pythons=(PYTHON.version,),
        platforms=("linux",),
        packages=(
            replace(locked("alpha", "tool==1.0"), requires=("Beta>=1", "gamma ; python_version < '3'")),
            locked("beta"),
            locked("gamma"),
        ),
        build_packages=(locked("tool", "inner==1.0"), locked("inner"), locked("only-for-tests")),
        local=(LocalPackage(name="common-lib", path="lib"), LocalPackage(name="api", path="api")),
        direct=(
            line("api", "alpha", "alpha[more]", "api/requirements.txt:1"),
            line("api", "common-lib", "../lib", "api/requirements.txt:2"),
            line("api", "gamma", "gamma ; python_version < '3'", "api/requirements.txt:3"),
            line("api", "only-for-tests", "only-for-tests", "api/test-requirements.txt:1", tests=True),
            line("common-lib", "beta", "beta", "lib/requirements.txt:1"),
        ),
    )
    return Materials(service="api", lock=lock, wheels=wheels, interpreter=PYTHON, project=tmp_path)


def components(materials: Materials) -> dict[str, Any]:
    return {component["name"]: component for component in sbom.document(materials)["components"]}


def test_it_is_valid_against_the_schema(materials: Materials) -> None:
    text = json.dumps(sbom.document(materials))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_what_runs_and_what_only_builds_are_told_apart(materials: Materials) -> None:
    scopes = {name: component["scope"] for name, component in components(materials).items()}
    assert scopes == {
        "alpha": "required",
        "beta": "required",
        "gamma": "required",
        "common-lib": "required",
        "tool": "excluded",
        "inner": "excluded",
    }


def test_a_component_tells_its_source_its_licence_and_what_built_it(materials: Materials) -> None:
    alpha = components(materials)["alpha"]
    assert alpha["purl"] == "pkg:pypi/alpha@1.0"
    assert alpha["hashes"] == [{"alg": "SHA-256", "content": f"{ord('a'):064x}"}]
    assert alpha["licenses"] == [{"license": {"id": "MIT"}}]
    assert alpha["properties"] == [{"name": sbom.BUILT_WITH, "value": "tool==1.0"}]
    assert components(materials)["gamma"]["licenses"] == [{"license": {"name": "Apache Software License"}}]


def test_a_local_package_has_no_address_on_an_index(materials: Materials) -> None:
    assert "purl" not in components(materials)["common-lib"]


def test_who_needs_whom_is_what_the_lock_says_for_this_interpreter(materials: Materials) -> None:
    edges = {row["ref"]: row["dependsOn"] for row in sbom.document(materials)["dependencies"]}
    assert edges["service:api"] == ["local:common-lib", "pkg:pypi/alpha@1.0"]
    assert edges["local:common-lib"] == ["pkg:pypi/beta@1.0"]
    assert edges["pkg:pypi/alpha@1.0"] == ["pkg:pypi/beta@1.0"]
    assert edges["pkg:pypi/beta@1.0"] == []


def test_an_old_lock_says_nothing_of_dependencies_and_that_is_warned_of(
    materials: Materials, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = replace(materials, lock=replace(materials.lock, direct=None))
    sbom.write(tmp_path / "sbom.cdx.json", old)
    assert "dependencies" not in json.loads((tmp_path / "sbom.cdx.json").read_text())
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str((tmp_path / "sbom.cdx.json").read_text()) is None
    assert "run `make vendor`" in capsys.readouterr().err


def test_the_same_materials_give_the_same_bytes(materials: Materials, tmp_path: Path) -> None:
    for name in ("one", "two"):
        sbom.write(tmp_path / name / "sbom.cdx.json.gz", materials)
    first, second = ((tmp_path / name / "sbom.cdx.json.gz").read_bytes() for name in ("one", "two"))
    assert first == second
    assert json.loads(gzip.decompress(first))["serialNumber"].startswith("urn:uuid:")


def test_licences_are_collected_with_their_texts(materials: Materials, tmp_path: Path) -> None:
    path = tmp_path / "copyright.vendored.gz"
    licences.write(path, "api", Path("/usr/lib/yc/api"), materials.wheels)
    text = gzip.decompress(path.read_bytes()).decode()
    assert "License: MIT\n" in text
    assert "Copyright: Ann\nLicense: BSD\n --- licenses/LICENSE ---\n Do as you like.\n .\n Really.\n" in text
    assert "Files: usr/lib/yc/api/lib/*/beta-1.0.dist-info/*" in text


def test_patches_are_the_pedigree_of_what_they_change(materials: Materials, tmp_path: Path) -> None:
    text = b"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-\xe9\n+e\n"
    (tmp_path / "e.patch").write_bytes(text)
    patch = Patch(path="e.patch", sha256=hashlib.sha256(text).hexdigest())
    changed = tuple(
        replace(item, patches=(patch,)) if item.name == "alpha" else item for item in materials.lock.packages
    )
    bill = sbom.document(replace(materials, lock=replace(materials.lock, packages=changed)))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None
    found = {item["name"]: item["pedigree"]["patches"] for item in bill["components"] if "pedigree" in item}
    assert found.keys() == {"alpha"}
    (told,) = found["alpha"]
    assert (told["type"], told["diff"]["url"]) == ("unofficial", "e.patch")
    assert base64.b64decode(told["diff"]["text"]["content"]) == text


def test_crates_are_components_of_what_they_are_compiled_into(materials: Materials) -> None:
    def crate(name: str, version: str, *, vendored: bool = True) -> Crate:
        file = VendoredFile(name=f"{name}-{version}.crate", size=1, sha256="c" * 64, url=f"https://r.example/{name}")
        own = {"file": file} if vendored else {"index_line": "{}"}
        return Crate(name=name, version=version, sha256="c" * 64, source="registry+https://r.example", **own)

    alpha, *others = materials.lock.packages
    tool, *more = materials.lock.build_packages
    lock = replace(
        materials.lock,
        packages=(replace(alpha, crates=("both==1.0.0+k", "elsewhere==1.0.0", "mine==2.0.0")), *others),
        build_packages=(replace(tool, crates=("both==1.0.0+k", "theirs==3.0.0")), *more),
        crates=(
            crate("both", "1.0.0+k"),
            crate("elsewhere", "1.0.0", vendored=False),
            crate("mine", "2.0.0"),
            crate("theirs", "3.0.0"),
        ),
    )
    found = replace(materials, lock=lock)
    document = sbom.document(found)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document)) is None
    crates = {item["purl"]: item["scope"] for item in document["components"] if "cargo" in item.get("purl", "")}
    both, mine = "pkg:cargo/both@1.0.0%2Bk", "pkg:cargo/mine@2.0.0"
    assert crates == {both: "required", mine: "required", "pkg:cargo/theirs@3.0.0": "excluded"}
    edges = {row["ref"]: row["dependsOn"] for row in document["dependencies"]}
    assert edges["pkg:pypi/alpha@1.0"] == [both, mine, "pkg:pypi/beta@1.0"]


def test_a_package_has_its_version_its_supplier_and_its_time(materials: Materials) -> None:
    package = OwnPackage(
        namespace="yc",
        name="yc-api",
        version="1:1.0~bookworm1",
        architecture="amd64",
        maintainer="Other, Inc. <ann@b.example>",
        timestamp=1_700_000_000,
    )
    bills = [sbom.document(replace(materials, package=each)) for each in (package, replace(package, version="1:1.1"))]
    told = bills[0]["metadata"]
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bills[0])) is None
    assert told["component"]["purl"].startswith("pkg:deb/yc/yc-api@1%3A1.0~bookworm1?arch=amd64")
    assert told["supplier"] == {"name": "Other, Inc.", "contact": [{"name": "Other, Inc.", "email": "ann@b.example"}]}
    assert told["timestamp"] == "2023-11-14T22:13:20Z"
    assert bills[0]["serialNumber"] != bills[1]["serialNumber"]


def test_what_it_runs_with_is_a_component_and_required(materials: Materials) -> None:
    system = (
        SystemPackage(name="libyaml-0-2", version="0.2.5-1", architecture="amd64"),
        SystemPackage(name="python3.11-minimal", version="3.11.2-6", architecture="amd64", is_interpreter=True),
    )
    bill = sbom.document(replace(materials, system=system))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None
    found = {item["name"]: item for item in bill["components"]}
    assert re.match(r"pkg:deb/\w+/libyaml-0-2@0\.2\.5-1\?arch=amd64", found["libyaml-0-2"]["purl"])
    assert (found["libyaml-0-2"]["type"], found["python3.11-minimal"]["type"]) == ("library", "platform")
    edges = {row["ref"]: row["dependsOn"] for row in bill["dependencies"]}
    assert {found[item.name]["purl"] for item in system} <= {*edges["service:api"]}


@pytest.mark.parametrize(
    ("line", "licence"),
    [
        ("License-Expression: apache-2.0", {"license": {"id": "Apache-2.0"}}),
        ("License-Expression: MIT OR Apache-2.0", {"expression": "MIT OR Apache-2.0"}),
        ("License-Expression: LicenseRef-Own", {"license": {"name": "LicenseRef-Own"}}),
        ("License: mpl-2.0", {"license": {"id": "MPL-2.0"}}),
        ("License: MIT License", {"license": {"name": "MIT License"}}),
    ],
)
def test_a_licence_that_spdx_knows_is_told_by_its_identifier(
    materials: Materials, tmp_path: Path, line: str, licence: dict[str, Any]
) -> None:
    (tmp_path / "other").mkdir()
    wheel = make_wheel(tmp_path / "other", "beta", {}, metadata=f"{line}\n")
    bill = sbom.document(replace(materials, wheels=[wheel]))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None
    [component] = (item for item in bill["components"] if item["name"] == "beta")
    assert component["licenses"] == [licence]
