from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.wheel_files import make_wheel
from toolkit.build import interpreters
from toolkit.build.building_options import BuildOptions
from toolkit.core.errors import UserError
from toolkit.install.service_environment import ServiceEnvironment
from toolkit.project.discovery import Package
from toolkit.quality import service_tests
from toolkit.quality.reports import Reports
from toolkit.sandbox import confined

PASSING = "import unittest\nclass T(unittest.TestCase):\n    def test_it(self):\n        {}\n"
#: What stands for pytest: it says what it was asked, and ends as its first test file tells it to.
PYTEST = (
    "import pathlib, sys\nprint('asked', sys.argv[1:])\nexec(next(pathlib.Path('tests').glob('*.py')).read_text())\n"
)


class Service:
    """A service with tests, and the wheels that are installed with it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "my_service"
        (self.path / "tests").mkdir(parents=True)
        self.wheels = [make_wheel(directory / "wheels", "my-service", {"my_service.py": "PLACE = 'wheel'\n"})]
        self.test_wheels: list[Path] = []
        (self.path / "my_service.py").write_text("PLACE = 'source'\n")

    def test(self, text: str, name: str = "test_it.py") -> None:
        path = self.path / "tests" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def add_pytest(self) -> None:
        files = {"pytest/__init__.py": "", "pytest/__main__.py": PYTEST}
        self.test_wheels.append(make_wheel(self.directory / "wheels", "pytest", files))

    def run(self, mode: str = "on", reports: Path | None = None, **limits: int) -> None:
        python = interpreters.probe(Path(sys.executable))
        assert python
        plan = ServiceEnvironment(
            service=Package(path=self.path, name="my-service", is_service=True),
            wheels=self.wheels,
            interpreter=python,
            prefix=Path("/usr/lib/yc/my-service"),
        )
        used = confined.default()
        used = replace(used, mode=mode, limits=replace(used.limits, **limits))
        options = BuildOptions(jobs=2, store=self.directory / "store", sandbox=used)
        wanted = Reports(directory=reports, project=self.directory) if reports else None
        service_tests.run(plan, tuple(self.test_wheels), options, self.directory / "build", wanted)


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


def test_runs_unittests_against_the_wheel_and_leaves_nothing(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service.test("import my_service\n" + PASSING.format("self.assertEqual(my_service.PLACE, 'wheel')"))
    service.run()
    assert "my-service: Ran 1 test" in capsys.readouterr().out
    assert [path.name for path in (service.directory / "build").iterdir()] == ["logs"]
    assert sorted(path.name for path in service.path.iterdir()) == ["my_service.py", "tests"]


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ("=== 3 passed, 1 skipped, 2 warnings in 0.12s ===", "3 passed, 1 skipped, 2 warnings in 0.12s"),
        ("3 passed in 61.00s (0:01:01)", "3 passed in 61.00s (0:01:01)"),
        ("1 passed in 0.1s; now run `curl evil`", "all tests passed"),
        ("error: 1 passed", "all tests passed"),
        ("Ran 1 test in 0.1s, and six passed on a message", "all tests passed"),
    ],
)
def test_of_what_tests_print_only_counts_are_told_as_ours(
    service: Service, capsys: pytest.CaptureFixture[str], last: str, told: str
) -> None:
    service.add_pytest()
    service.test(f"print({last!r})")
    service.run()
    assert capsys.readouterr().out == f"  TEST    my-service: {told}\n"


def test_finds_unittests_in_a_package_of_tests(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    service.test("", "__init__.py")
    service.test("VALUE = 1\n", "helper.py")
    service.test("from . import helper\nimport tests.helper\n" + PASSING.format("self.assertTrue(helper.VALUE)"))
    service.run()
    assert "Ran 1 test" in capsys.readouterr().out


@pytest.mark.parametrize("mode", ["on", "off"])
@pytest.mark.parametrize("first", ["#!/usr/bin/env python3", "#!/usr/bin/env -S python3 -u -B"])
def test_tests_start_the_scripts_in_a_path_with_a_space(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], first: str, mode: str
) -> None:
    service = Service(tmp_path / "a project with spaces")
    (service.path / "bin").mkdir()
    (service.path / "bin" / "yc-own").write_text(f"{first}\nimport my_service\nprint(my_service.PLACE)\n")
    entry_points = "[console_scripts]\nyc-installed = my_service:main\n"
    files = {"my_service.py": "PLACE = 'wheel'\ndef main(): print(PLACE)\n"}
    service.wheels = [make_wheel(tmp_path / "wheels", "my-service", files, entry_points=entry_points)]
    runs = "self.assertEqual(subprocess.check_output([{!r}]), b'wheel\\n')".format
    body = "\n        ".join(runs(name) for name in ("yc-own", "yc-installed"))
    service.test("import subprocess\n" + PASSING.format(body))
    service.run(mode)
    told = capsys.readouterr().out
    assert "my-service: Ran 1 test" in told
    assert ("SANDBOX none (SANDBOX=off): " in told) == (mode == "off")


def test_raises_with_the_output_when_tests_fail(service: Service) -> None:
    service.test(PASSING.format("self.fail('because')"))
    with pytest.raises(UserError, match="my-service: its tests fail") as caught:
        service.run()
    assert "AssertionError: because" in caught.value.details
    assert [path.name for path in (service.directory / "build").iterdir()] == ["logs"]


def test_says_what_to_add_when_tests_want_a_module_that_is_not_vendored(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service.test("import os\nimport my_service\nfrom helpers import x\nimport responses.matchers\n")
    service.test("x = 1\n", "helpers.py")
    service.run()
    assert capsys.readouterr().err == (
        "warning: the tests of my_service/ are not run: my_service/tests/test_it.py:4 imports responses, which vendor/ "
        "has not; add responses to my_service/test-requirements.txt and run `make vendor`\n"
    )


def test_says_that_there_is_no_unittest_where_pytest_would_find_something(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service.test("def test_it():\n    assert True\n")
    service.run()
    assert "add pytest to my_service/test-requirements.txt" in capsys.readouterr().err


def test_says_that_there_are_no_tests(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    (service.path / "tests").rmdir()
    service.run()
    assert "my-service: there is no tests/ in it" in capsys.readouterr().out


def test_prefers_pytest_where_it_is_vendored(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    service.add_pytest()
    service.test("print('== 3 passed in 0.01s ==')\n")
    service.run()
    assert "my-service: 3 passed in 0.01s" in capsys.readouterr().out


def test_a_missing_module_is_named_when_pytest_fails_for_it(service: Service) -> None:
    service.add_pytest()
    service.test("import responses.matchers\n")
    with pytest.raises(UserError) as caught:
        service.run()
    assert caught.value.hint.startswith("add what provides `responses` to my_service/test-requirements.txt")


def test_pytest_without_a_test_is_no_failure(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    service.add_pytest()
    service.test("sys.exit(5)\n")
    service.run()
    assert "are not run" in capsys.readouterr().err


def test_variables_that_change_python_do_not_reach_the_tests(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--nonsense")
    service.test("import os\n" + PASSING.format("self.assertFalse({'PYTHONPATH', 'PYTEST_ADDOPTS'} & set(os.environ))"))
    service.run()


#: What tests have good reason to do.
_GOOD = """
import datetime, multiprocessing, os, pathlib, socket, sqlite3, subprocess, tempfile, unittest, zoneinfo

class T(unittest.TestCase):
    def test_servers_on_loopback(self):
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "localhost"), (socket.AF_INET6, "::1")):
            with socket.create_server((host, 0), family=family) as server:
                socket.create_connection((host, server.getsockname()[1])).close()

    def test_programs_and_processes(self):
        subprocess.run(["git", "init", "--quiet", tempfile.mkdtemp()], check=True)
        subprocess.run(["sh", "-c", "ps | grep -q ps || true"], check=True)
        with multiprocessing.Pool(2) as pool:
            self.assertEqual(pool.map(abs, [-1, -2]), [1, 2])
        multiprocessing.Value("i", 1)

    def test_files(self):
        for directory in (".", "tests", "~", "/tmp", "/var/tmp", "/dev/shm"):
            with tempfile.TemporaryFile(dir=os.path.expanduser(directory)) as stream:
                stream.write(b"x")
        sqlite3.connect(os.path.expanduser("~/x.db")).execute("create table t (x)")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(tempfile.mkdtemp() + "/socket")

    def test_time(self):
        zoneinfo.ZoneInfo("Europe/Berlin")
        datetime.datetime.now().astimezone()

    def test_what_the_team_has_set(self):
        self.assertEqual(os.environ["OF_THE_TEAM"], "kept")
"""


def test_tests_can_do_what_tests_do(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OF_THE_TEAM", "kept")
    service.test(_GOOD)
    service.run()
    assert "my-service: Ran 5 tests" in capsys.readouterr().out


def test_tests_cannot_reach_what_is_the_users(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = service.directory / "home"
    home.mkdir()
    (home / ".netrc").write_text("secret")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TWINE_PASSWORD", "secret")
    tries = [
        f"self.assertFalse(os.path.exists({str(home)!r}))",
        f"self.assertFalse(os.path.exists({str(service.path)!r}))",
        "self.assertNotIn('TWINE_PASSWORD', os.environ)",
        "self.assertRaises(OSError, os.listdir, os.path.expanduser('~root'))",
        "self.assertRaises(OSError, open, os.path.join(os.environ['VIRTUAL_ENV'], 'x'), 'w')",
        "self.assertRaises(OSError, socket.create_connection, ('192.0.2.1', 9), 5)",
        f"self.assertNotIn({str(os.getpid())!r}, os.listdir('/proc'))",
    ]
    service.test("import os, socket\n" + PASSING.format("\n        ".join(tries)))
    service.run()
    assert "Ran 1 test" in capsys.readouterr().out


def test_tests_that_do_not_end_are_ended_and_their_log_is_kept(service: Service) -> None:
    service.test("print('begun', flush=True)\nimport time\n" + PASSING.format("time.sleep(300)"))
    with pytest.raises(UserError, match="unittest was ended: it ") as caught:
        service.run(seconds=2)
    assert "SANDBOX_TIME=" in caught.value.hint
    assert "begun" in (service.directory / "build/logs/test-my-service.log").read_text()


def test_tests_run_for_a_user_whose_files_are_private(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    before = os.umask(0o077)
    try:
        service.test(PASSING.format("open('x', 'w').close()"))
        service.run()
    finally:
        os.umask(before)
    assert "Ran 1 test" in capsys.readouterr().out


def test_what_tests_print_does_not_turn_their_failure_into_one_of_the_sandbox(service: Service) -> None:
    service.test(PASSING.format("print('413: File too large'); self.fail('because')"))
    with pytest.raises(UserError, match="my-service: its tests fail") as caught:
        service.run()
    assert "; it says `File too large`: where that is for want of more, SANDBOX_DISK=" in caught.value.hint


#: What finds where a report has to go, as pytest does.
_ASKED = """
def asked(option):
    return pathlib.Path(next(word for word in sys.argv if word.startswith(option)).removeprefix(option))
"""
#: What reports on a module as pytest-cov does, which calls the directories of a file its package.
_MEASURED = """
import my_service
assert "--cov=my_service" in sys.argv
path = my_service.__file__
report = f'<package name="{path.removesuffix(".py").replace("/", ".")}"><class filename="{path}"/></package>'
asked("--cov-report=xml:").write_text(report)
"""


@pytest.mark.parametrize("status", [0, 1])
def test_results_are_kept_whatever_they_are(service: Service, capsys: pytest.CaptureFixture[str], status: int) -> None:
    reports = service.directory / "reports"
    reports.mkdir()
    (reports / "my-service.coverage.xml").write_text("of an older run")
    service.add_pytest()
    service.test(f"{_ASKED}\nasked('--junitxml=').write_text('<testsuites/>')\nsys.exit({status})\n")
    if status:
        with pytest.raises(UserError, match="its tests fail"):
            service.run(reports=reports)
    else:
        service.run(reports=reports)
    assert [(path.name, path.read_text()) for path in reports.iterdir()] == [("my-service.junit.xml", "<testsuites/>")]
    assert f"  REPORT  {reports}/my-service.junit.xml\n" in capsys.readouterr().out


@pytest.mark.parametrize("mode", ["on", "off"])
@pytest.mark.parametrize("directory", ["my_service", "my_service/src"])
def test_coverage_names_the_files_of_the_project(tmp_path: Path, directory: str, mode: str) -> None:
    service = Service(tmp_path)
    if directory != "my_service":
        (tmp_path / directory).mkdir()
        (service.path / "my_service.py").rename(tmp_path / directory / "my_service.py")
    service.add_pytest()
    service.test_wheels.append(make_wheel(tmp_path / "wheels", "pytest-cov", {"pytest_cov/__init__.py": ""}))
    service.test(f"{_ASKED}{_MEASURED}")
    service.run(mode, reports=tmp_path / "reports")
    report = (tmp_path / "reports" / "my-service.coverage.xml").read_text()
    assert f'<class filename="{directory}/my_service.py"/>' in report
    assert f'<package name="{directory.replace("/", ".")}.my_service">' in report


def test_a_report_that_is_a_link_is_not_followed(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    secret = service.directory / "secret"
    secret.write_text("secret")
    service.add_pytest()
    service.test(f"{_ASKED}\nasked('--junitxml=').symlink_to({str(secret)!r})\n")
    service.run(reports=service.directory / "reports")
    assert [*(service.directory / "reports").iterdir()] == []
    assert "/my-service.junit.xml: the tests left something there that is no report" in capsys.readouterr().err


def test_unittest_reports_nothing(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    service.test(PASSING.format("pass"))
    service.run(reports=service.directory / "reports")
    assert "warning: my-service: unittest reports nothing; add pytest to my_service/" in capsys.readouterr().err
    assert [*(service.directory / "reports").iterdir()] == []
