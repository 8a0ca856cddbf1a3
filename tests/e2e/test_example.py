"""`make example`: from nothing to a package that is installed on a clean machine, and a service that answers there."""

from __future__ import annotations

import gzip
import json
import os
import re
import sys
from importlib.util import cache_from_source
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.e2e.machine import TOOLKIT, Root, run
from toolkit.model.names import normalize

PREFIX = Path("usr/lib/yc/example-service")
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
MODULES = PREFIX / "lib" / f"python{PYTHON}" / "site-packages"


@pytest.fixture(scope="module")
def package(example: Path) -> Path:
    [found] = (example / "dist").glob("yc-example-service_*.deb")
    return found


@pytest.fixture(scope="module")
def tree(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("unpacked")
    run(["dpkg-deb", "--extract", package, directory])
    return directory


def test_the_package_holds_the_service_and_all_that_it_needs(tree: Path) -> None:
    for module in ("aiohttp", "msgpack", "msgspec", "psutil", "yaml", "yc_common", "yc_example_service"):
        assert (tree / MODULES / module / "__init__.py").is_file()
    names = ("aiohttp/_http_parser", "msgpack/_cmsgpack", "msgspec/_core", "psutil/_psutil_linux", "yaml/_yaml")
    for extension in names:
        assert list((tree / MODULES).glob(f"{extension}*.so"))


def test_the_package_holds_no_build_tools(tree: Path) -> None:
    names = {path.name.partition("-")[0].lower() for path in (tree / MODULES).glob("*.dist-info")}
    assert names >= {"aiohttp", "psutil"}
    assert names.isdisjoint({"setuptools", "wheel", "cython", "flit_core", "pip", "pytest"})


def test_the_package_leaves_out_what_only_compilers_and_type_checkers_read(tree: Path) -> None:
    assert [path for path in (tree / MODULES).rglob("*") if path.suffix in {".pyx", ".pxd", ".pyi", ".h"}] == []


def test_every_module_is_compiled(tree: Path) -> None:
    sources = list((tree / MODULES).rglob("*.py"))
    missing = [path for path in sources if not Path(cache_from_source(path)).is_file()]
    assert len(sources) > 100
    assert missing == []


def test_the_bill_of_materials_is_valid_and_names_all_that_is_there(tree: Path) -> None:
    text = gzip.decompress((tree / "usr/share/doc/yc-example-service/sbom.cdx.json.gz").read_bytes()).decode()
    document = json.loads(text)
    version = getattr(SchemaVersion, f"V{document['specVersion'].replace('.', '_')}")
    assert JsonStrictValidator(version).validate_str(text) is None
    listed = {normalize(item["name"]): item for item in document["components"]}
    installed = dict(path.stem.rsplit("-", 1) for path in (tree / MODULES).glob("*.dist-info"))
    assert document["metadata"]["component"]["version"] == installed.pop("yc_example_service")
    assert {name: listed[normalize(name)]["version"] for name in installed} == installed
    assert listed["aiohttp"]["purl"] == f"pkg:pypi/aiohttp@{listed['aiohttp']['version']}"
    assert re.fullmatch(r"[0-9a-f]{64}", listed["aiohttp"]["hashes"][0]["content"])


def test_no_file_knows_where_it_was_built(tree: Path, example: Path, environment: dict[str, str]) -> None:
    places = [str(example), environment["XDG_CACHE_HOME"], str(TOOLKIT)]
    pattern = re.compile("|".join(map(re.escape, places)).encode())
    files = [path for path in tree.rglob("*") if path.is_file() and not path.is_symlink()]
    assert len(files) > 500
    assert [path for path in files if pattern.search(path.read_bytes())] == []


def test_scripts_start_with_the_services_own_interpreter(tree: Path) -> None:
    link = tree / "usr/bin/yc-example-service"
    assert str(link.readlink()) == "../lib/yc/example-service/bin/yc-example-service"
    first, _, _ = link.resolve().read_text().partition("\n")
    assert first == f"#!/{PREFIX}/bin/python"
    interpreter = tree / PREFIX / "bin/python"
    assert os.path.normpath(interpreter.parent / interpreter.readlink()) == str(tree / f"usr/bin/python{PYTHON}")


def test_the_package_wants_the_interpreter_it_was_built_for(package: Path) -> None:
    major, minor = map(int, PYTHON.split("."))
    depends = run(["dpkg-deb", "--field", package, "Depends"])
    assert re.search(rf"python3 \(>= {major}\.{minor}[~)]", depends)
    assert re.search(rf"python3 \(<< {major}\.{minor + 1}[~)]", depends)


def test_the_service_runs_where_it_is_installed(package: Path, root: Root) -> None:
    root.install(package)
    command = ["/usr/bin/yc-example-service", "--set", "database=/tmp/notes.db"]
    json_answer, msgpack_answer = root.ask(command, "http://127.0.0.1:8080/", [{}, {"Accept": "application/msgpack"}])
    assert json_answer.status == 200
    assert json_answer.json()["service"] == "example-service"
    assert json_answer.json()["python"].startswith(f"{PYTHON}.")
    assert json_answer.json()["memory"]["total"] > 0
    assert msgpack_answer.headers["content-type"] == "application/msgpack"
    assert b"example-service" in msgpack_answer.body
    # It ran as nobody, and everything that Python would cache is there already.
    assert run(["dpkg", f"--root={root.path}", "--verify", "yc-example-service"]) == ""
    root.run("apt-get", "--quiet", "--yes", "purge", "yc-example-service")
    assert not (root.path / "usr/lib/yc").exists()
    assert not (root.path / "etc/yc").exists()


def test_the_package_is_the_same_wherever_it_is_built(example: Path, environment: dict[str, str]) -> None:
    said = run(["make", "reproducible"], cwd=example, env={**environment, "DEB_BUILD_OPTIONS": "nocheck"})
    assert "different: path, time zone, locale, umask, cores, kernel release and version, user, host name, " in said
    assert "date (400 days later)" in said
    assert re.search(r"^  SAME    yc-example-service_0\.1\.0_\w+\.deb  sha256 [0-9a-f]{64}$", said, re.MULTILINE)


def test_a_second_run_keeps_what_the_user_changed(example: Path, environment: dict[str, str]) -> None:
    readme = example / "README.md"
    readme.write_text("mine\n")
    locked = (example / "vendor" / "pylock.example-service.toml").read_bytes()
    run(["make", "example", f"EXAMPLE={example}"], cwd=TOOLKIT, env=environment)
    assert readme.read_text() == "mine\n"
    assert (example / "vendor" / "pylock.example-service.toml").read_bytes() == locked


def test_the_example_passes_its_own_tests(example: Path, environment: dict[str, str]) -> None:
    assert "6 passed" in run(["make", "test", "REPORTS=build/reports"], cwd=example, env=environment)
    results = ElementTree.parse(example / "build/reports/example-service.junit.xml").getroot()
    suite = results[0]
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("example-service", "6", "0")


def test_the_development_environment_has_the_dependencies_and_links_the_code(
    example: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    run(["./create-virtual-environment"], cwd=example, env={**environment, "WORKON_HOME": str(tmp_path)})
    prefix = tmp_path / example.name
    code = "import aiohttp, yc_common, yc_example_service; print(yc_example_service.__file__)"
    shown = run([prefix / "bin" / "python", "-c", code])
    assert shown.strip() == str(example / "example_service/yc_example_service/__init__.py")
    assert (prefix / ".project").read_text().strip() == str(example)
    assert "usage: " in run([prefix / "bin" / "python", prefix / "bin/yc-example-service", "--help"])


def test_its_packages_pass_what_a_distribution_asks_of_its_own(example: Path, environment: dict[str, str]) -> None:
    said = run(["make", "check-deb", "BOOT=required"], cwd=example, env=environment)
    assert "  LINTIAN no error, no warning" in said
    assert "  STARTED yc-example-service: yc-example-service.service\n" in said
    assert re.search(r"^  SYSTEM  \w+: installed, installed again, removed, purged", said, re.MULTILINE)
    assert "  TEST    example-service: pass\n" in said
