"""make deb, from a locked project to packages, with the real debhelper; the whole of it without a network."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests import processes
from tests.integration.debian_project import CHANGELOG, CONTROL, SCRIPT, TOOLKIT, DebianProject, make_project
from tests.wheel_files import make_wheel

PYTHON = "/usr/bin/python3"
NOBODY = 65534


def _is_ready() -> bool:
    command = [PYTHON, "-c", "import packaging"]
    programs = all(map(shutil.which, ("dh", "dpkg-buildpackage", "make", "gcc", PYTHON)))
    return programs and subprocess.run(command, check=False, capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(not _is_ready(), reason="Debian packages are missing: `make setup` installs them")


@pytest.fixture
def project(tmp_path: Path, built: DebianProject) -> DebianProject:
    """Return a project of the test's own, with the wheel store of the one that was built."""
    return DebianProject(make_project(tmp_path).root, built.store)


@pytest.fixture
def ordinary() -> Iterator[DebianProject]:
    """Return a project of an ordinary user, who runs make there."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        made = make_project(Path(directory))
        if os.geteuid() == 0:
            subprocess.run(["chown", "--recursive", f"{NOBODY}:{NOBODY}", directory], check=True)
            made = replace(made, user=NOBODY)
        yield made


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> DebianProject:
    """Return a project whose packages were built, by a user whose files are private."""
    made = make_project(tmp_path_factory.mktemp("built"))
    made.write("../output", made.built("deb", umask=0o077))
    return made


@pytest.fixture(scope="module")
def output(built: DebianProject) -> str:
    return (built.root / "../output").read_text()


@pytest.fixture(scope="module")
def unpacked(built: DebianProject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory with each package's files."""
    return unpack(built.dist, tmp_path_factory.mktemp("unpacked"))


def unpack(dist: Path, target: Path) -> Path:
    target.mkdir(exist_ok=True)
    for deb in dist.glob("*.deb"):
        subprocess.run(["dpkg-deb", "--raw-extract", deb, target / deb.name.partition("_")[0]], check=True)
    return target


def field(dist: Path, package: str, name: str) -> str:
    (deb,) = dist.glob(f"{package}_*.deb")
    return subprocess.run(["dpkg-deb", "--field", deb, name], check=True, capture_output=True, text=True).stdout.strip()


def files_below(root: Path) -> Iterator[Path]:
    yield from (Path(parent, name) for parent, _, names in os.walk(root) for name in names)


def content(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
        for path in files_below(root)
    }


def test_one_source_package_and_a_binary_package_for_each_service(built: DebianProject) -> None:
    ask = ["dpkg", "--print-architecture"]
    architecture = subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip()
    assert sorted(path.name for path in built.dist.iterdir()) == sorted(
        [
            "some-project_1.0.dsc",
            "some-project_1.0.tar.gz",
            "some-project_1.0_source.buildinfo",
            "some-project_1.0_source.changes",
            f"some-project_1.0_{architecture}.buildinfo",
            f"some-project_1.0_{architecture}.changes",
            "worker_1.0_all.deb",
            f"yc-api-service_1.0_{architecture}.deb",
            f"yc-api-service-dbgsym_1.0_{architecture}.deb",
        ]
    )


def test_tells_each_package_its_size_and_how_to_install_it(output: str) -> None:
    assert re.search(r"^  DEB +dist/worker_1\.0_all\.deb  \d+ kB, installed \d+ kB$", output, re.MULTILINE)
    install = output.splitlines()[-1]
    assert install.startswith("install with: apt-get install ./dist/worker_1.0_all.deb ./dist/yc-api-service_1.0_")
    assert "dbgsym" not in install


def test_a_package_holds_the_environment_and_links_to_its_scripts(unpacked: Path) -> None:
    root = unpacked / "yc-api-service"
    assert os.readlink(root / "usr/bin/yc-api") == "../lib/yc/api-service/bin/yc-api"
    assert (root / "usr/bin/yc-api").read_text().startswith("#!/usr/lib/yc/api-service/bin/python\n")
    assert (unpacked / "worker/usr/bin/yc-work").read_text().startswith("#!/usr/lib/yc/worker/bin/python -u\n")
    modules = {path.name for path in root.glob("usr/lib/yc/api-service/lib/python3.*/site-packages/*.py")}
    assert modules == {"api_service.py", "shared.py", "native.py"}


def test_what_a_package_leaves_out_is_nowhere_in_it(unpacked: Path, output: str) -> None:
    root = unpacked / "yc-api-service"
    assert list(root.rglob("*native_probe*")) == []
    (record,) = root.glob("usr/lib/yc/api-service/lib/python3.*/site-packages/native-2.0.dist-info/RECORD")
    assert "native.py" in record.read_text()
    assert "native_probe" not in record.read_text()
    assert re.search(r"^  INSTALL api-service in .* \(\d+\.\d s; 2 files of \d+ kB left out\)$", output, re.MULTILINE)


def test_packages_depend_on_the_interpreter_and_on_the_libraries_they_use(built: DebianProject) -> None:
    depends = field(built.dist, "yc-api-service", "Depends")
    assert re.search(r"python3 \(>= 3\.\d+~\), python3 \(<< 3\.\d+\)", depends)
    assert "libc6 (" in depends
    assert field(built.dist, "worker", "Architecture") == "all"


def test_debug_information_is_in_a_package_of_its_own(unpacked: Path) -> None:
    (extension,) = unpacked.glob("yc-api-service/usr/lib/yc/**/_native*.so")
    sections = subprocess.run(["readelf", "--sections", extension], check=True, capture_output=True, text=True).stdout
    assert ".debug_info" not in sections
    assert len(list(unpacked.glob("yc-api-service-dbgsym/usr/lib/debug/.build-id/*/*.debug"))) == 1


def test_compiled_code_runs_with_the_interpreter_it_was_built_for(unpacked: Path) -> None:
    (site_packages,) = unpacked.glob("yc-api-service/usr/lib/yc/*/lib/python3.*/site-packages")
    code = f"import sys; sys.path.insert(0, {str(site_packages)!r}); import api_service; print(api_service.answer())"
    done = subprocess.run([PYTHON, "-I", "-B", "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "42\n"


def test_no_file_tells_where_it_was_built(built: DebianProject, unpacked: Path) -> None:
    traces = [name for name, data in content(unpacked).items() if str(built.root).encode() in data or b"/tree-" in data]
    assert traces == []


def test_nondeterminism_is_taken_out_of_files_that_hold_it(unpacked: Path) -> None:
    stamp = (unpacked / "worker/usr/share/worker/stamp.gz").read_bytes()
    assert int.from_bytes(stamp[4:8], "little") < 2**31 - 1


def test_files_belong_to_root_and_anyone_may_read_them(built: DebianProject) -> None:
    for deb in built.dist.glob("*.deb"):
        listing = subprocess.run(["dpkg-deb", "--contents", deb], check=True, capture_output=True, text=True).stdout
        for line in listing.splitlines():
            assert re.match(r"(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x|lrwxrwxrwx) root/root ", line), line


def test_files_belong_to_root_where_an_ordinary_user_builds_as_the_rules_of_old_want_it(
    ordinary: DebianProject,
) -> None:
    """Without `Rules-Requires-Root: no`, rules change owners, which fakeroot pretends to have done."""
    ordinary.write("debian/control", CONTROL.replace("Rules-Requires-Root: no\n", ""))
    ordinary.built("deb")
    test_files_belong_to_root_and_anyone_may_read_them(ordinary)


def test_tests_run_against_what_was_built_or_it_is_said_why_not(output: str) -> None:
    assert re.search(r"^  TEST +api-service: Ran 3 tests", output, re.MULTILINE)
    assert "tests of worker/ are not run: worker/tests/test_work.py:1 imports pytest, which vendor/ has not" in output
    assert "add pytest to worker/test-requirements.txt" in output


def test_the_source_package_holds_what_is_tracked_and_only_the_toolkit_a_build_needs(
    built: DebianProject, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    subprocess.run(
        ["dpkg-source", "--no-check", "-x", built.dist / "some-project_1.0.dsc", source],
        check=True,
        capture_output=True,
    )
    names = {path.relative_to(source).as_posix() for path in files_below(source)}
    assert {"Makefile", "vendor/native-2.0.tar.gz", "api_service/bin/yc-api", "common/scripts/verb.py"} <= names
    assert not [name for name in names if name.startswith(("common/tests/", "build/", "dist/", ".git/"))]


def test_the_same_source_makes_the_same_packages_elsewhere_and_without_our_part_of_path(
    built: DebianProject, unpacked: Path, tmp_path: Path
) -> None:
    source = tmp_path / "another" / "longer" / "path"
    source.parent.mkdir(parents=True)
    subprocess.run(
        ["dpkg-source", "--no-check", "-x", built.dist / "some-project_1.0.dsc", source],
        check=True,
        capture_output=True,
    )
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DEB_BUILD_OPTIONS": "nocheck", "TZ": "UTC+5"}
    done = subprocess.run(
        ["dpkg-buildpackage", "-b", "-us", "-uc"],
        cwd=source,
        env=environment,
        check=False,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    assert content(unpack(source.parent, tmp_path / "unpacked")) == content(unpacked)


def test_a_second_run_makes_the_same_bytes(built: DebianProject) -> None:
    def hashes() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in built.dist.iterdir() if path.suffix in {".deb", ".gz", ".dsc"}}

    before = hashes()
    built.built("deb")
    assert hashes() == before


def test_a_build_that_fails_leaves_the_old_packages_and_nothing_else(project: DebianProject) -> None:
    project.write("dist/old.deb", "old")
    project.write(
        "api_service/tests/test_answer.py",
        "import unittest\nclass T(unittest.TestCase):\n    def test_it(self):\n        self.fail('as expected')\n",
    )
    done = project.make("deb")
    assert done.returncode == 2
    last = done.stdout.splitlines()[-3:]
    assert last[0] == "error: api-service: its tests fail"
    assert "nocheck" in last[1]
    assert "AssertionError: as expected" in done.stdout
    assert "Traceback" not in done.stdout.partition("error: ")[2]
    assert [path.name for path in project.dist.iterdir()] == ["old.deb"]
    assert not list((project.root / "build/deb").iterdir())


def test_a_library_cannot_make_its_package_depend_on_others_by_its_name(project: DebianProject) -> None:
    evil = project.root / "evil"
    evil.mkdir()
    (evil / "x.c").write_text("int x(void) { return 1; }\n")
    (evil / "y.c").write_text("int x(void); int y(void) { return x(); }\n")
    link = ["gcc", "-shared", "-fPIC", "-Wl,-rpath,$ORIGIN", "-Xlinker", "-soname", "-Xlinker"]
    for words in (
        [*link, "libx.so.1", "-o", "libx.so.1", "x.c"],
        [*link, "y.so", "-o", "y.so", "y.c", "./libx.so.1"],
        [*link, "libx.so.1 telnetd,", "-o", "libx.so.1", "x.c"],
    ):
        subprocess.run(words, cwd=evil, check=True)
    project.write("debian/yc-api-service.install", "evil/*.so* usr/lib/yc/api-service/lib\n")
    project.commit()
    done = project.make("deb", DEB_BUILD_OPTIONS="nocheck")
    assert done.returncode != 0
    assert re.search("^error: yc-api-service_1.0_.* looks like an attack: .*`telnetd`", done.stdout, re.MULTILINE)
    assert not project.dist.exists()


def test_a_build_for_another_architecture_is_refused(project: DebianProject) -> None:
    """gcc of this machine would compile for it, or an extension that may be missing would be."""
    own = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
    other = "arm64" if own != "arm64" else "amd64"
    command = ["dpkg-buildpackage", f"--host-arch={other}", "--build=binary", "--no-check-builddeps", "--no-sign"]
    clean = {"PATH": os.environ["PATH"], "HOME": str(project.root.parent), "DEB_BUILD_OPTIONS": "nocheck"}
    done = subprocess.run(command, cwd=project.root, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"error: wheels for {other} are not built on {own}\n" in done.stderr
    assert not [*project.root.parent.glob("*.deb")]
    done = project.make("deb", f"ARCH={other}")
    assert done.returncode != 0
    assert "ARCH: packages are built for the architecture of this machine" in done.stdout


def test_nocheck_leaves_the_tests_out(project: DebianProject) -> None:
    project.write("api_service/tests/test_answer.py", "raise SystemExit('never run')\n")
    assert "its tests" not in project.built("deb", DEB_BUILD_OPTIONS="nocheck")


def test_an_archive_takes_the_second_revision_of_an_upstream_version(project: DebianProject, tmp_path: Path) -> None:
    first = CHANGELOG.replace("(1.0)", "(1:1.0-1)")
    second = CHANGELOG.replace("(1.0)", "(1:1.0-2)").replace("02 Nov", "09 Nov")
    archive = tmp_path / "archive"
    (archive / "conf").mkdir(parents=True)
    (archive / "conf/distributions").write_text("Codename: unstable\nComponents: main\nArchitectures: source amd64\n")
    project.write("debian/source/format", "3.0 (quilt)\n")
    for text in (first, f"{second}\n{first}"):
        project.write("debian/changelog", text)
        project.built("deb", DEB_BUILD_OPTIONS="nocheck")
        [changes] = project.dist.glob("*_source.changes")
        subprocess.run(["reprepro", "--basedir", archive, "include", "unstable", changes], check=True)
    sources = {path.name for path in project.dist.iterdir() if path.name.startswith("some-project")}
    assert {"some-project_1.0-2.debian.tar.xz", "some-project_1.0-2.dsc", "some-project_1.0.orig.tar.gz"} <= sources
    assert field(project.dist, "worker", "Version") == "1:1.0-2"
    project.write("worker/setup.cfg", "# other\n")
    project.commit()
    project.write("debian/changelog", f"{second.replace('1.0-2', '1.0-3')}\n{second}\n{first}")
    done = project.make("deb", DEB_BUILD_OPTIONS="nocheck")
    assert done.returncode != 0
    assert (
        "some-project_1.0.orig.tar.gz: the project is not what this tarball holds of 1.0: worker/setup.cfg is in "
        in (done.stdout)
    )


def publishing_step(recipe: str) -> str:
    """Return the script by which a recipe signs and publishes."""
    path = TOOLKIT / "docs/ci" / recipe
    if recipe == "Jenkinsfile":
        return textwrap.dedent(path.read_text().split("sh '''#!/bin/bash -e\n")[1].split("'''")[0])
    content = yaml.safe_load(path.read_text())
    [script] = (
        content["publish"]["script"] if "publish" in content else [content["jobs"]["publish"]["steps"][-1]["run"]]
    )
    return str(script)


@pytest.mark.parametrize("recipe", ["gitlab-ci.yml", "github-actions.yml", "Jenkinsfile"])
def test_a_recipe_signs_and_publishes_what_was_built(built: DebianProject, tmp_path: Path, recipe: str) -> None:
    for path in built.dist.iterdir():
        # As in dist/<suite>/, whose .changes are those of binary packages.
        if path.is_file() and "_source." not in path.name:
            (tmp_path / "dist/unstable").mkdir(parents=True, exist_ok=True)
            shutil.copy(path, tmp_path / "dist/unstable")
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--passphrase", ""]
    subprocess.run([*gpg, "--quick-generate-key", "CI <ci@example.com>", "ed25519", "sign", "never"], check=True)
    key = subprocess.run([*gpg, "--armor", "--export-secret-keys"], check=True, capture_output=True, text=True).stdout
    listed = subprocess.run([*gpg, "--list-keys", "--with-colons"], check=True, capture_output=True, text=True).stdout
    fingerprint = re.search(r"^fpr:+(\w+):", listed, re.MULTILINE)
    assert fingerprint
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True)
    archive = tmp_path / "archive"
    (archive / "conf").mkdir(parents=True)
    (archive / "conf/distributions").write_text(
        f"Codename: unstable\nComponents: main\nArchitectures: source amd64\nSignWith: {fingerprint[1]}\n"
    )
    (tmp_path / "key").write_text(key)
    (tmp_path / "tmp").mkdir()
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", publishing_step(recipe)],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "TMPDIR": str(tmp_path / "tmp"),
            "ARCHIVE": str(archive),
            # GitHub has the key itself in it, others the name of a file.
            "SIGNING_KEY": key if recipe == "github-actions.yml" else str(tmp_path / "key"),
            "SIGNING_KEY_ID": fingerprint[1],
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    verify = [*gpg, "--verify"]
    subprocess.run([*verify, archive / "dists/unstable/InRelease"], check=True)
    [changes] = (tmp_path / "dist/unstable").glob("*.changes")
    subprocess.run([*verify, changes], check=True)
    kept = {path.name for path in (archive / "pool").rglob("*") if path.is_file()}
    assert kept == {path.name for path in changes.parent.iterdir() if path.suffix not in (".changes", ".buildinfo")}
    assert [*(tmp_path / "tmp").iterdir()] == []


def test_a_dry_run_says_what_would_be_built_and_builds_nothing(project: DebianProject) -> None:
    said = project.built("deb", "DRY_RUN=1")
    assert "source package some-project 1.0, 3.0 (native)" in said
    assert "binary package worker, all: the service worker" in said
    assert not project.dist.exists()
    assert not (project.root / "build").exists()


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        (
            ", python3-packaging",
            "",
            "Build-Depends lacks what the toolkit needs: python3-packaging",
            "python3-packaging",
        ),
        (
            "python3-dev",
            "python3-dev, no-such-package (>= 2)",
            "lacks what the build needs: no-such-package",
            "apt-get install no-such-package",
        ),
        (
            "debhelper-compat (= 13)",
            "debhelper-compat (= 99)",
            "this machine's debhelper does not know compat level 99",
            "write `debhelper-compat (= 13)`",
        ),
        (
            "${misc:Depends}, ${python3:Depends}\n",
            "${misc:Depends}\n",
            "worker does not depend on its interpreter",
            "${python3:Depends}",
        ),
        ("Package: worker", "Package: other", "no binary package for the service worker", "Package: yc-worker"),
        (
            "Architecture: any",
            "Architecture: all",
            "yc-api-service is `Architecture: all`, but holds compiled code",
            "Architecture: any",
        ),
    ],
)
def test_says_what_debian_control_lacks(project: DebianProject, old: str, new: str, message: str, hint: str) -> None:
    project.write("debian/control", CONTROL.replace(old, new))
    done = project.make("deb", DEB_BUILD_OPTIONS="nocheck")
    error, *hints = done.stdout[done.stdout.index("error: ") :].splitlines()
    assert done.returncode == 2
    assert message in error
    assert hint in hints[0]
    assert not project.dist.exists()


TAG = f"py3-none-{sysconfig.get_platform().replace('-', '_')}"


def library(directory: Path) -> bytes:
    """Return a shared library with debug information, which both strip and dwz take an interest in."""
    source, made = directory / "x.c", directory / "libx.so"
    source.write_text("int answer(void) { return 42; }\n")
    subprocess.run(["gcc", "-g", "-shared", "-fPIC", "-o", made, source], check=True)
    return made.read_bytes()


def test_files_of_wheels_are_shipped_as_they_are_and_what_was_built_is_stripped(
    project: DebianProject, tmp_path: Path
) -> None:
    content = library(tmp_path)
    subprocess.run(["ar", "rc", tmp_path / "libx.a", tmp_path / "libx.so"], check=True)
    others = {"libx.a": (tmp_path / "libx.a").read_bytes(), "x.gz": gzip.compress(b"", mtime=2**31 - 1)}
    members: dict[str, str | bytes] = {"shipped/__init__.py": "", "shipped/libx.so": content, "scripts/run": content}
    members |= {f"shipped/{name}": data for name, data in others.items()}
    wheel = make_wheel(project.root / "vendor", "shipped", members, tag=TAG)
    project.add_wheel("api-service", wheel, "shipped", "1.0")
    output = project.built("deb")
    assert "dh_strip may break" not in output
    (deb,) = project.dist.glob("yc-api-service_*.deb")
    root = tmp_path / "root"
    subprocess.run(["dpkg-deb", "--extract", deb, root], check=True)
    (shipped,) = root.rglob("libx.so")
    (built,) = root.rglob("_native*.so")
    assert shipped.read_bytes() == content
    assert (root / "usr/lib/yc/api-service/bin/run").read_bytes() == content
    assert {name: (shipped.parent / name).read_bytes() for name in others} == others
    sections = subprocess.run(["readelf", "--sections", built], check=True, capture_output=True, text=True).stdout
    assert ".debug_info" not in sections
    assert ".symtab" not in sections


def test_a_package_build_without_our_debhelper_programs_says_what_they_would_do(
    project: DebianProject, tmp_path: Path
) -> None:
    wheel = make_wheel(project.root / "vendor", "shipped", {"shipped/libx.so": library(tmp_path)}, tag=TAG)
    project.add_wheel("api-service", wheel, "shipped", "1.0")
    output = project.built("install", f"DESTDIR={project.root / 'debian/tmp'}")
    assert "yc-api-service: dh_strip may break binaries that came in wheels (libx.so, 1 in all)" in output
    assert re.search(r"^  LOADED  api-service: 4 modules, 2 libraries \(", output, re.MULTILINE)


def test_everything_in_a_package_is_loaded_before_it_is_packed(project: DebianProject, tmp_path: Path) -> None:
    content = library(tmp_path)
    members: dict[str, str | bytes] = {
        "crashing/__init__.py": "import os\nos.abort()\n",
        "old/__init__.py": "import pkg_resources\n",
        "old/libx.so": content,
        "using_old.py": "import old\n",
        "for_windows.py": "import winreg\n",
        "tests/__init__.py": "raise ImportError\n",
    }
    wheel = make_wheel(project.root / "vendor", "faulty", members, tag=TAG)
    project.add_wheel("api-service", wheel, "faulty", "1.0")
    rules = (
        "#!/usr/bin/make -f\n%:\n\tdh $@\nexecute_before_dh_builddeb:\n\ttruncate --size=-9000 `find -name libx.so`\n"
    )
    project.write("debian/rules", rules)
    failed = project.make("deb")
    assert failed.returncode != 0
    assert not project.dist.exists()
    found = re.findall(r"^(?:error: |  \| )yc-api-service: the (\w+ \S+) .* cannot be", failed.stdout, re.MULTILINE)
    assert sorted(found) == ["library old/libx.so", "module crashing", "module old"]
    assert "the interpreter was ended by SIGABRT" in failed.stdout
    hint = "add the line `setuptools<82` to the dependencies in api_service/pyproject.toml and run `make vendor`"
    assert f"hint: {hint}" in failed.stdout
    overrides = "# None of these is used.\nold\nusing_*\nold/*.so\ncrashing # on purpose\nnative\n"
    project.write("debian/yc-api-service.load-overrides", overrides)
    project.commit()
    output = project.built("deb")
    assert re.search(r"^  LOADED  api-service: 8 modules, 2 libraries \(", output, re.MULTILINE)
    assert "warning: debian/yc-api-service.load-overrides:6: native loads, or is not there" in output


def test_what_is_opened_by_name_is_told_until_depends_bring_it_or_nothing_uses_it(project: DebianProject) -> None:
    members: dict[str, str | bytes] = {
        "opener/__init__.py": "",
        "opener/types.py": "def kind():\n    from ctypes.util import find_library\n    return find_library('magic')\n",
        "opener/maps.py": "def read():\n    from ctypes.util import find_library\n    return find_library('magic')\n",
        "opener/unused.py": "import ctypes\ndef read():\n    return ctypes.CDLL('libmagic.so.1')\n",
    }
    wheel = make_wheel(project.root / "vendor", "opener", members)
    project.add_wheel("api-service", wheel, "opener", "1.0")
    project.write("api_service/bin/yc-api", f"{SCRIPT}def kind():\n    from opener import types\n")
    project.commit()
    output = project.built("deb")
    found = re.search(
        r"^warning: yc-api-service opens by name what its Depends do not bring:\n"
        r" +(?P<package>libmagic1\w*): libmagic\.so, opener/types\.py:3 \((?:api-service -> )?opener\)\n"
        r" +add (?P=package) to Depends of yc-api-service in debian/control; "
        r"if nothing uses it, name it in debian/yc-api-service\.load-overrides, with a reason$",
        output,
        re.MULTILINE,
    )
    assert found, output
    assert "worker opens" not in output
    depends = "Depends: ${misc:Depends}, ${python3:Depends}, ${shlibs:Depends}"
    project.write("debian/control", CONTROL.replace(depends, f"{depends}, {found['package']} | libmagic9", 1))
    project.commit()
    assert "by name" not in project.built("deb")
    project.write("debian/control", CONTROL)
    project.write("debian/yc-api-service.load-overrides", "opener.types  # files have no types here\n")
    project.commit()
    output = project.built("deb")
    assert "by name" not in output
    assert "load-overrides" not in output


def test_a_package_without_its_service_is_none(project: DebianProject) -> None:
    lost = "#!/usr/bin/make -f\n%:\n\tdh $@\nexecute_after_dh_auto_install:\n\trm -r debian/worker/usr/lib\n"
    project.write("debian/rules", lost)
    done = project.make("deb")
    assert done.returncode == 2
    message = "error: worker_1.0_all.deb does not hold worker: /usr/lib/yc/worker/bin/python is not in it"
    assert message in done.stdout
    assert not project.dist.exists()


def test_the_path_of_a_project_may_have_dollars(tmp_path: Path, built: DebianProject) -> None:
    made = DebianProject(make_project(tmp_path / "only$dollar/a$$b").root, built.store)
    made.built("deb")
    assert len(list(made.dist.glob("*.deb"))) > 1


def test_install_without_debhelper_puts_every_service_below_one_root(project: DebianProject, tmp_path: Path) -> None:
    project.built("install", f"DESTDIR={tmp_path / 'root'}", "NAMESPACE=acme", umask=0o077)
    root = tmp_path / "root/usr"
    assert sorted(path.name for path in (root / "lib/acme").iterdir()) == ["api-service", "worker"]
    assert not (root / "bin/yc-api").exists()
    assert (root / "lib/acme/worker").stat().st_mode & 0o777 == 0o755
    python = root / "lib/acme/api-service/bin/python"
    assert (
        subprocess.run(
            [python, "-c", "import api_service; print(api_service.answer())"], check=True, capture_output=True
        ).stdout
        == b"42\n"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="signals as Linux has them")
def test_an_interrupted_build_leaves_nothing(project: DebianProject) -> None:
    project.write("api_service/tests/test_answer.py", "import time\ntime.sleep(60)\n")
    with subprocess.Popen(
        ["make", "deb"],
        cwd=project.root,
        start_new_session=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHON_COMMON_WHEEL_STORE": str(project.store)},
        stderr=subprocess.STDOUT,
    ) as running:
        assert running.stdout
        for line in running.stdout:
            if "BUILT" in line:
                break
        os.killpg(running.pid, 2)
        rest = running.stdout.read()
    assert "interrupted" in rest
    assert not list((project.root / "build/deb").iterdir())
    assert not project.dist.exists()


#: How long a daemon of the rules sleeps, and the tests do: nobody else on this machine sleeps as long, nor did.
_DAEMON, _TESTS = f"1{os.getpid():08}.25", f"2{os.getpid():08}.25"


@pytest.mark.parametrize("moment", ["--build=source", "dh_auto_build", _TESTS], ids=["source", "build", "tests"])
def test_nothing_of_a_killed_build_goes_on(ordinary: DebianProject, moment: str) -> None:
    """The rules start a daemon, which leaves its group and its session."""
    rules, tests = "debian/rules", "api_service/tests/test_answer.py"
    ordinary.write(rules, f"#!/usr/bin/make -f\n%:\n\tsetsid --fork sleep {_DAEMON}\n\tdh $@\n")
    ordinary.write(tests, f"import subprocess\nsubprocess.run(['sleep', '{_TESTS}'])\n")
    with ordinary.start("deb") as running:
        started = processes.started_by(running.pid, until=moment)
        os.killpg(running.pid, signal.SIGKILL)
    processes.wait_for_end(started, seconds=5)
    left = [each for each in processes.alive().values() if {_DAEMON, _TESTS} & {*each.words}]
    assert left == []
    ordinary.write(tests, "")
    ordinary.write(rules, "#!/usr/bin/make -f\n%:\n\tdh $@\n")
    ordinary.built("deb")


def test_a_build_is_told_that_there_is_no_network_and_has_loopback(project: DebianProject) -> None:
    code = (
        "import socket, unittest\n"
        "class T(unittest.TestCase):\n"
        "    def test_it(self):\n"
        "        with socket.create_server(('127.0.0.1', 0)) as server:\n"
        "            socket.create_connection(server.getsockname()).close()\n"
        "        socket.create_connection(('192.0.2.1', 9), timeout=5)\n"
    )
    project.write("api_service/tests/test_answer.py", code)
    done = project.make("deb")
    assert done.returncode == 2
    assert "OSError: [Errno 101] Network is unreachable" in done.stdout


def test_the_bill_of_a_suite_is_that_of_its_package(project: DebianProject, built: DebianProject) -> None:
    shutil.copytree(built.dist, project.dist / "some-suite")
    said = project.built("sbom", "SUITES=some-suite")
    package = next((project.dist / "some-suite").glob("yc-api-service_*.deb"))
    assert said.splitlines()[0] == f"  SBOM    dist/some-suite/api-service.cdx.json: as {package.name} carries it"
    bill = json.loads((project.dist / "some-suite/api-service.cdx.json").read_text())
    assert f"/yc-api-service@{package.name.split('_')[1]}?" in bill["metadata"]["component"]["purl"]
    assert {"native", "shared"} <= {component["name"] for component in bill["components"]}
    assert [*(project.root / "build").iterdir()] == []
    done = project.make("sbom", "SUITES=some-suite another")
    assert done.returncode == 2
    assert "/dist/another: no packages there\n hint: build them: `make deb`, or `make sbuild SUITES=...`" in done.stdout


def test_packages_for_other_suites_and_pictures_stay_in_dist(project: DebianProject) -> None:
    project.write("dist/some-suite/kept.deb", "kept")
    project.write("dist/api-service.svg", "kept")
    project.write("dist/gone.deb", "gone")
    project.built("deb", DEB_BUILD_OPTIONS="nocheck")
    assert (project.dist / "some-suite/kept.deb").read_text() == "kept"
    assert (project.dist / "api-service.svg").read_text() == "kept"
    assert not (project.dist / "gone.deb").exists()
