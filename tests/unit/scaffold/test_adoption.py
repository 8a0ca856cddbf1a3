"""What `adopt` finds in a repository, and what it would write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests import public_projects
from toolkit.core import process
from toolkit.core.errors import UserError
from toolkit.project.settings import Settings
from toolkit.scaffold import adoption
from toolkit.scaffold.adoption import Adoption

TOOLKIT = Path(__file__).resolve().parents[3]
FLASK = "from flask import Flask\n\napp = Flask(__name__)\n"


class Repository:
    """A repository whose files git has."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(exist_ok=True)
        process.run(["git", "init", "--quiet", root])

    def write(self, files: dict[str, str]) -> Repository:
        public_projects.write(self.root, files)
        process.run(["git", "-C", self.root, "add", "--all", "--force"])
        return self

    def plan(self, name: str = "", namespace: str = "yc") -> Adoption:
        return adoption.plan(Settings(project=self.root, toolkit=TOOLKIT, namespace=namespace), name)

    def found(self, files: dict[str, str], name: str = "") -> list[str]:
        """Return what is found of each directory, with what starts its programs."""
        told = []
        for part in self.write(files).plan(name).parts:
            programs = ", ".join(f"`{program.shown}` of {program.origin}" for program in part.programs)
            told.append(f"{part.shown} {part.service}: {programs or part.own_script or 'a library'}")
        return told

    def written(self) -> dict[str, str]:
        return {str(change.entry.path): change.text for change in self.plan().changes if change.verb == "WRITE"}


@pytest.fixture(autouse=True)
def _somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Some Developer")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "developer@example.com")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "shop")


def backend(requires: str, name: str, table: str) -> str:
    return f'[build-system]\nrequires = ["{requires}"]\nbuild-backend = "{name}"\n{table}'


PROJECT = '[project]\nname = "shop-core"\nversion = "1.0"\ndependencies = ["flask", "waitress"]\n'
SCRIPTS = '[project.scripts]\nshop-core = "shop_core.cli:main"\nshop-admin = "shop_core.admin:main"\n'
MODULE = {"shop_core/__init__.py": "", "shop_core/cli.py": "def main(): ...\n"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"pyproject.toml": backend("hatchling", "hatchling.build", PROJECT + SCRIPTS), **MODULE}, "the script"),
        ({"pyproject.toml": backend("flit_core", "flit_core.buildapi", PROJECT + SCRIPTS), **MODULE}, "the script"),
        ({"pyproject.toml": backend("pdm-backend", "pdm.backend", PROJECT + SCRIPTS), **MODULE}, "the script"),
        ({"pyproject.toml": backend("uv_build", "uv_build", PROJECT + SCRIPTS), **MODULE}, "the script"),
        ({"pyproject.toml": PROJECT + SCRIPTS, **MODULE}, "the script"),
        (
            {
                "setup.cfg": "[metadata]\nname = shop-core\nversion = 1.0\n[options]\npackages = find:\n"
                "[options.entry_points]\nconsole_scripts =\n    shop-core = shop_core.cli:main\n",
                **MODULE,
            },
            "the script",
        ),
        (
            {
                "setup.py": "from setuptools import setup\nsetup(name='shop-core', version='1.0', entry_points={"
                "'console_scripts': ['shop-core=shop_core.cli:main']})\n",
                **MODULE,
            },
            "the script",
        ),
    ],
    ids=["hatchling", "flit", "pdm", "uv", "no-backend", "setup.cfg", "setup.py"],
)
def test_of_every_backend_the_declared_script_is_found(
    repository: Repository, files: dict[str, str], expected: str
) -> None:
    assert repository.found(files) == [f"./ shop-core: `shop_core.cli:main` of {expected} `shop-core`"]
    assert "from shop_core.cli import main\n" in repository.written()["bin/yc-shop-core"]
    assert "debian/yc-shop-core.1" in repository.written()


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"app.py": FLASK, "requirements.txt": "flask\n"}, "./ shop: `flask --app app run` of app.py"),
        ({"app.py": FLASK, "requirements.txt": "flask\nwaitress\n"}, "./ shop: `waitress-serve app:app` of app.py"),
        (
            {"web/__init__.py": FLASK.replace("app =", "site: Flask ="), "requirements.txt": "Flask\nGunicorn\n"},
            "./ shop: `gunicorn web:site` of web/__init__.py",
        ),
        (
            {
                "web/__init__.py": "import flask\ndef create_app():\n    return flask.Flask(__name__)\n",
                "requirements.txt": "flask\ngunicorn\n",
            },
            "./ shop: `gunicorn 'web:create_app()'` of web/__init__.py",
        ),
        (
            {
                "web/__init__.py": "import flask\ndef create_app(name):\n    return flask.Flask(__name__)\n",
                "wsgi.py": "import os\nfrom web import create_app as make\nsite = make(os.environ['NAME'])\n",
                "requirements.txt": "flask\ngunicorn\n",
            },
            "./ shop: `gunicorn wsgi:site` of wsgi.py",
        ),
        (
            {
                "app.py": "import flask\ndef make_app():\n    return flask.Flask('x')\napp = make_app()\n",
                "requirements.txt": "flask\ngunicorn\n",
            },
            "./ shop: `gunicorn app:app` of app.py",
        ),
        (
            {"main.py": "import fastapi\napi = fastapi.FastAPI()\n", "requirements.txt": "fastapi[standard]>=0.110\n"},
            "./ shop: `uvicorn main:api` of main.py",
        ),
        (
            {"src/api/main.py": "from fastapi import FastAPI\napp = FastAPI()\n", "requirements.txt": "uvicorn\n"},
            "./ shop: `uvicorn api.main:app` of src/api/main.py",
        ),
        (
            {"main.py": 'if __name__ == "__main__":\n    print(1)\n', "requirements.txt": "pika\n"},
            "./ shop: `python -m main` of main.py",
        ),
        (
            {"worker/__init__.py": "", "worker/__main__.py": "", "requirements.txt": "pika\n"},
            "./ shop: `python -m worker` of worker/__main__.py",
        ),
        (
            {"manage.py": "import django\n", "site/settings.py": "", "requirements.txt": "Django\n"},
            "./ shop: `python -m manage runserver --noreload` of manage.py",
        ),
        (
            {
                "manage.py": "# django\nset('DJANGO_SETTINGS_MODULE', 'conf.settings.base')\n",
                "aaa/asgi.py": "",
                "conf/asgi.py": "",
                "requirements/base.txt": "-r ../more.txt\n",
                "more.txt": "uvicorn\n",
            },
            "./ shop: `uvicorn conf.asgi:application` of conf/asgi.py, `python -m manage` of manage.py",
        ),
        (
            {
                "app/run/__main__.py": "",
                "app/requirements.txt": "",
                "lib/helpers.py": "",
                "Procfile": "web: python -m run\n",
            },
            "app/ app: `python -m run` of Procfile:1",
        ),
    ],
)
def test_without_a_command_the_code_tells(repository: Repository, files: dict[str, str], found: str) -> None:
    assert repository.found(files) == [found]


@pytest.mark.parametrize(
    ("line", "shown", "code"),
    [
        ("gunicorn app:app", "gunicorn app:app", '"gunicorn"), ["gunicorn", "app:app", *sys.argv[1:]])'),
        ("exec gunicorn -w 2 'app:app'", "gunicorn -w 2 app:app", '["gunicorn", "-w", "2", "app:app", *'),
        ("poetry run gunicorn app:app", "gunicorn app:app", '["gunicorn", "app:app", *'),
        ("uv run python -u app.py --x", "python -m app --x", 'sys.argv[1:1] = ["--x"]\n    runpy.run_module("app", '),
        ("python3.12 -m app", "python -m app", 'run_module("app", run_name="__main__", alter_sys=True)'),
        ("python ./pkg/tool.py", "python -m pkg.tool", 'runpy.run_module("pkg.tool"'),
        ("/opt/venv/bin/gunicorn app:app", "gunicorn app:app", '"bin", "gunicorn")'),
        ("A=1 gunicorn -b :$PORT app:app", "gunicorn -b ':$PORT' app:app", 'setdefault("A", "1")'),
        ("gunicorn -b :${PORT:-9000} app:app", "gunicorn -b ':${PORT}' app:app", 'setdefault("PORT", "9000")'),
        ("gunicorn -b :$PORT app:app", "gunicorn -b ':$PORT' app:app", 'expandvars(":$PORT")'),
        ('gunicorn --name "a \\"b\\" \\\\c" app:app', "", '"a \\"b\\" \\\\c"'),
    ],
)
def test_a_line_of_a_procfile_becomes_a_script(repository: Repository, line: str, shown: str, code: str) -> None:
    files = {"Procfile": f"# x\nweb: {line}\nrelease: ./migrate.sh\n", "app.py": FLASK, "pkg/tool.py": ""}
    plan = repository.write({**files, "requirements.txt": "flask\ngunicorn\n"}).plan()
    [program] = plan.parts[0].programs
    assert program.origin == "Procfile:2"
    assert program.shown == shown or not shown
    script = repository.written()["bin/yc-shop"]
    assert code in script
    compile(script, "bin/yc-shop", "exec")
    assert plan.notes == []


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ('CMD ["gunicorn", "app:app"]', "gunicorn app:app"),
        ("CMD gunicorn app:app", "gunicorn app:app"),
        ('cmd ["sh", "-c", "exec gunicorn -b :$PORT app:app"]', "gunicorn -b ':$PORT' app:app"),
        ('ENTRYPOINT ["gunicorn"]\nCMD ["app:app"]', "gunicorn app:app"),
        ('ENTRYPOINT ["/usr/bin/tini", "--"]\nCMD ["gunicorn", "app:app"]', "gunicorn app:app"),
        ("CMD gunicorn \\\n  # of two\n  app:app", "gunicorn app:app"),
        ('WORKDIR /srv\nENTRYPOINT ["python", "/srv/app.py"]', "python -m app"),
        ('CMD ["nginx"]\nFROM python:3.12\nCMD ["gunicorn", "app:app"]', "gunicorn app:app"),
    ],
)
def test_both_forms_of_a_dockerfile_s_command_are_read(repository: Repository, lines: str, shown: str) -> None:
    files = {"Dockerfile": f"FROM python\n{lines}\n", "app.py": FLASK, "requirements.txt": "flask\ngunicorn\n"}
    plan = repository.write(files).plan()
    assert [program.shown for program in plan.parts[0].programs] == [shown]
    assert plan.parts[0].programs[0].origin.startswith("Dockerfile:")
    assert plan.notes == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("python manage.py migrate && gunicorn app:app", "is a line for a shell"),
        ("gunicorn app:app | tee log", "is a line for a shell"),
        ("gunicorn $(cat options) app:app", "is a line for a shell"),
        ("gunicorn 'app:app", "starts no program that Python's distributions have"),
        ("uvicorn app:app", "starts uvicorn, which no requirement brings"),
        ("./start.sh", "starts start.sh, which no requirement brings"),
        ("python ../other.py", "starts a file that is no module here"),
        ("python -c 'import os'", "has options of Python that are not known here"),
        ("uv run --with x gunicorn", "is no command"),
        ("gunicorn a\x1b[2J", "is no command"),
    ],
)
def test_what_is_not_understood_is_passed_over_with_the_reason(repository: Repository, line: str, reason: str) -> None:
    plan = repository.write({"Procfile": f"web: {line}\n", "app.py": FLASK, "requirements.txt": "flask\n"}).plan()
    assert [program.shown for program in plan.parts[0].programs] == ["flask --app app run"]
    [note] = plan.notes
    assert note.startswith("Procfile:1: `")
    assert note.endswith(f"{reason}, so it is not taken")
    assert note.isprintable()


def test_further_processes_get_scripts_of_their_own(repository: Repository) -> None:
    files = {"Procfile": "Queue: celery -A tasks worker\nweb: gunicorn app:app\n", "app.py": FLASK}
    repository.write({**files, "requirements.txt": "flask\ngunicorn\ncelery\n"})
    written = repository.written()
    assert '["gunicorn", ' in written["bin/yc-shop"]
    assert '["celery", "-A", "tasks", "worker", ' in written["bin/yc-shop-queue"]
    assert written["debian/yc-shop.manpages"] == "debian/yc-shop.1\ndebian/yc-shop-queue.1\n"
    assert "ExecStart=/usr/bin/yc-shop\n" in written["debian/yc-shop.service"]


class TestUnread:
    """Files that are none that could tell anything."""

    @pytest.fixture(autouse=True)
    def _application(self, repository: Repository) -> None:
        repository.write({"app.py": FLASK, "requirements.txt": "flask\n"})

    def plan(self, repository: Repository) -> str:
        plan = repository.write({}).plan()
        assert [program.shown for program in plan.parts[0].programs] == ["flask --app app run"]
        [note] = plan.notes
        return note

    def test_bytes_that_are_no_text(self, repository: Repository) -> None:
        (repository.root / "Procfile").write_bytes(b"web: \xff\xfe\0")
        assert self.plan(repository) == "`Procfile`: no text in UTF-8, so it is not read"
        (repository.root / "Procfile").write_bytes(b"web: \0")
        assert self.plan(repository) == "`Procfile`: no text, so it is not read"

    def test_a_file_without_end(self, repository: Repository) -> None:
        (repository.root / "Dockerfile").write_bytes(b"CMD gunicorn app:app\n" * 500_000)
        assert self.plan(repository) == "`Dockerfile`: larger than 1 MiB, so it is not read"

    def test_a_link_that_leads_out(self, repository: Repository) -> None:
        (repository.root.parent / "secret").write_text("web: gunicorn app:app\n")
        (repository.root / "Procfile").symlink_to("../secret")
        assert self.plan(repository) == "`Procfile`: a link that leads out of the repository, so it is not read"


def test_a_directory_that_is_a_link_is_not_entered(repository: Repository) -> None:
    (repository.root.parent / "other").mkdir()
    (repository.root.parent / "other/app.py").write_text(FLASK)
    (repository.root / "web").symlink_to("../other")
    with pytest.raises(UserError, match="nothing here to adopt"):
        repository.write({"web.txt": ""}).plan()


def test_a_module_that_is_a_link_that_leads_out_is_not_packaged(repository: Repository) -> None:
    (repository.root.parent / "secret.py").write_text("")
    (repository.root / "secret.py").symlink_to("../secret.py")
    (repository.root / "again.py").symlink_to("app.py")
    repository.write({"app.py": FLASK, "requirements.txt": "flask\n"})
    assert 'py_modules=["again", "app"],' in repository.written()["setup.py"]


@pytest.mark.parametrize("name", ["setup.py", "setup.cfg", "debian/control", ".gitmodules"])
def test_a_pipe_is_not_waited_for(repository: Repository, name: str) -> None:
    repository.write({"app.py": FLASK, "requirements.txt": "flask\n", "debian/README": ""})
    os.mkfifo(repository.root / name)
    if name == "debian/control":
        with pytest.raises(UserError, match="control: not a file"):
            repository.plan()
    else:
        assert [part.service for part in repository.plan().parts] == ["shop"]


def test_a_name_of_one_letter_says_where_another_is_given(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "p").write({"app.py": FLASK, "requirements.txt": "flask\n"})
    with pytest.raises(UserError) as caught:
        repository.plan()
    assert caught.value.hint == "one such as mail-relay is valid; --name gives it another"
    assert repository.plan("pages").parts[0].service == "pages"


def test_names_with_control_characters_are_refused(repository: Repository) -> None:
    with pytest.raises(UserError, match=r"`a\\x1b\[2J.py`: a control character in its name"):
        repository.write({"a\x1b[2J.py": "", "requirements.txt": ""}).plan()


def test_several_programs_become_several_services(repository: Repository) -> None:
    assert repository.found(
        {
            "web_front/app.py": FLASK,
            "web_front/requirements.txt": "flask\n",
            "jobs/requirements.txt": "pika\n",
            "jobs/run/__main__.py": "",
            "requirements.txt": "ruff\n",
            "libs/core/pyproject.toml": '[project]\nname = "core"\nversion = "3.0"\n',
            "tests/requirements.txt": "",
            "tests/app.py": FLASK,
        }
    ) == [
        "jobs/ jobs: `python -m run` of jobs/run/__main__.py",
        "libs/core/ core: a library",
        "web_front/ web-front: `flask --app app run` of web_front/app.py",
    ]
    written = repository.written()
    assert 'name="web-front"' in written["web_front/setup.py"]
    assert written["debian/control"].count("\nPackage: ") == 2
    assert written["debian/source/lintian-overrides"].count("python3-depends-but-no-python3-helper") == 1
    assert "bin/yc-jobs" not in written
    assert "libs/core/setup.py" not in written


def test_of_a_workspace_of_uv_the_members_are_packages(repository: Repository) -> None:
    root = '[project]\nname = "all"\nversion = "0"\n[tool.uv.workspace]\nmembers = ["packages/*"]\n'
    member = backend("hatchling", "hatchling.build", PROJECT + SCRIPTS)
    assert repository.found({"pyproject.toml": root, "packages/core/pyproject.toml": member}) == [
        "packages/core/ core: `shop_core.cli:main` of the script `shop-core`"
    ]
    written = repository.written()
    assert written["Makefile"].startswith("PACKAGES = common packages/core\n")
    assert "setup.py" not in written


def test_a_package_that_setuptools_finds_by_looking_around_is_named(repository: Repository) -> None:
    """With common/ and vendor/ beside it, setuptools would find several and refuse to choose."""
    repository.write({"pyproject.toml": PROJECT + SCRIPTS, **MODULE})
    assert 'include=["shop_core", "shop_core.*"]' in repository.written()["setup.py"]
    assert "name=" not in repository.written()["setup.py"]
    repository.write({"pyproject.toml": f"{PROJECT}[tool.setuptools]\npackages = ['shop_core']\n"})
    assert "setup.py" not in repository.written()


def test_pytest_runs_nothing_of_common_unless_it_is_told_what_to_run(repository: Repository) -> None:
    repository.write({"app.py": FLASK, "requirements.txt": "flask\n"})
    assert repository.written()["pytest.ini"].endswith("addopts = --ignore=common --ignore=vendor\n")
    repository.write({"setup.cfg": "[tool:pytest]\ntestpaths = tests\n"})
    assert "pytest.ini" not in repository.written()


def test_a_setup_cfg_stays_what_says_all(repository: Repository) -> None:
    repository.write({"setup.cfg": "[metadata]\nname = x1\n[options]\npackages = find:\n", "x1/__main__.py": ""})
    assert repository.written()["setup.py"] == "from setuptools import setup\n\nsetup()\n"


def test_requirements_by_other_names_are_included(repository: Repository) -> None:
    repository.write(
        {
            "app.py": FLASK,
            "requirements/base.txt": "flask\n",
            "requirements/prod.txt": "-r base.txt\n",
            "requirements/dev.txt": "-r base.txt\npytest>=8\npytest-cov\nruff\nfreezegun==1.5\n",
            "tests/test_app.py": "from freezegun import freeze_time\n",
        }
    )
    written = repository.written()
    assert written["requirements.txt"] == "-r requirements/prod.txt\n"
    assert written["dev-requirements.txt"] == "-r requirements/dev.txt\n"
    assert written["test-requirements.txt"] == "pytest>=8\npytest-cov\nfreezegun==1.5\n"


def test_a_command_that_ends_has_no_unit(repository: Repository) -> None:
    repository.write(public_projects.POETRY)
    assert {"debian/yc-word-count.service", "debian/yc-word-count.postrm"}.isdisjoint(repository.written())
    repository.write({"requirements.txt": "click\naiohttp\n"})
    assert "debian/yc-word-count.service" in repository.written()


def test_debian_describes_the_service(repository: Repository) -> None:
    licence = {
        "LICENSE": "Do as you like.\n\nReally.\n",
        "pyproject.toml": backend(
            "flit_core",
            "flit_core.buildapi",
            """\
[project]
name = "shop-core"
version = "2.0rc1"
description = "Sells \\"things\\" %h \\u2014 `cheap`."
license = "BSD-3-Clause"
dependencies = ["flask"]
""",
        ),
    }
    written = repository.write({**licence, "shop_core/app.py": FLASK}).written()
    assert written["debian/changelog"].startswith("shop (2.0~rc1) unstable;")
    assert "Description: Sells things h  cheap\n" in written["debian/control"]
    assert "License: BSD-3-Clause\n Do as you like.\n .\n Really.\n" in written["debian/copyright"]
    unit = written["debian/yc-shop-core.service"]
    assert "ExecStart=/usr/bin/yc-shop-core\n" in unit
    assert "Description=Sells things h  cheap\n" in unit
    everything = "".join(text for path, text in written.items() if path.startswith("debian/"))
    for word in ("--config", "readyz", "yc_common", "libyaml", "config.yaml"):
        assert word not in everything


def test_a_package_called_with_the_namespace_does_not_get_it_twice(repository: Repository) -> None:
    table = '[project]\nname = "yc-shop"\nversion = "1.0"\n[project.scripts]\nshop = "shop:main"\n'
    written = repository.write({"pyproject.toml": table, "shop.py": ""}).written()
    assert "\nPackage: yc-shop\n" in written["debian/control"]
    assert "bin/yc-shop" in written


def test_scripts_in_bin_stay_what_starts_it(repository: Repository) -> None:
    files = {"setup.py": "import setuptools\nsetuptools.setup(name='shop')\n", "bin/yc-run": "", "Procfile": "web: x\n"}
    assert repository.found(files) == ["./ shop: yc-run"]
    written = repository.written()
    assert [path for path in written if path.startswith("bin/")] == []
    assert "ExecStart=/usr/bin/yc-run\n" in written["debian/yc-shop.service"]


@pytest.mark.parametrize(
    ("files", "what", "hint"),
    [
        ({"README": ""}, "nothing here to adopt", "`new-project DIRECTORY` begins a project"),
        ({"common/x.py": ""}, "common/: the project's own", "`git mv common"),
        ({"common": ""}, "common/: the project's own", "`git mv common"),
        ({"vendor/x.py": ""}, "vendor/: the project's own, with x.py", "`git mv vendor"),
        ({"vendor": ""}, "vendor/: the project's own, with vendor", "`git mv vendor"),
        # As Go and composer have it.
        ({"vendor/modules.txt": "", "vendor/README": ""}, "vendor/: the project's own, with modules.txt", "`git mv"),
        # As `pip wheel` and `pip download` leave it.
        ({"vendor/x-1.0.tar.gz": "", "vendor/y-1.0-py3-none-any.whl": ""}, "with x-1.0.tar.gz", "`git mv vendor"),
        ({"vendor/github.com/x/y.go": ""}, "vendor/: the project's own, with github.com", "`git mv vendor"),
        ({"build/x.sh": ""}, "build/x.sh: tracked by git", "`git mv build"),
        ({"x.py": "", "requirements.txt": ""}, "./: nothing tells how its program is started", "a file Procfile"),
        ({"x.py": "", "Pipfile": ""}, "Pipfile: requirements that nothing but pipenv reads", "requirements.txt"),
        ({"app.py": FLASK, "requirements.txt": "flask\nShop\n"}, "./ would be called shop, as something", "--name"),
        (
            {
                "pyproject.toml": backend(
                    "poetry-core", "poetry.core.masonry.api", "[tool.poetry]\npackage-mode = false\n"
                )
            },
            "pyproject.toml: `package-mode = false`",
            "remove that line",
        ),
        ({"My.App/app.py": FLASK, "My.App/requirements.txt": "flask\n"}, "'My.App' is not a valid name", "my-app?"),
        ({"pyproject.toml": "[project"}, "pyproject.toml: not a TOML file", "mend the file"),
        (
            {"pyproject.toml": PROJECT.replace("[project]", "[project]\nrequires-python = '>=3.99'")},
            "pyproject.toml:2: requires-python is `>=3.99`, but this interpreter is",
            ".python-version says",
        ),
    ],
)
def test_what_cannot_be_adopted_is_said(repository: Repository, files: dict[str, str], what: str, hint: str) -> None:
    with pytest.raises(UserError) as caught:
        repository.write(files).plan()
    assert what in caught.value.what
    assert hint in caught.value.hint


def test_a_debian_directory_of_theirs_stays_as_it_is(repository: Repository) -> None:
    repository.write({"app.py": FLASK, "requirements.txt": "flask\n", "debian/control": "Source: shop\n"})
    plan = repository.plan()
    assert not [change for change in plan.changes if str(change.entry.path).startswith("debian/")]
    note = "debian/ is the project's own, and stays as it is: `make deb` says what it lacks"
    assert plan.notes == [note]
    repository.write({"debian/control": "Source: shop\n\nPackage: shop\nArchitecture: all\n"})
    assert repository.plan().notes == [note]


def test_beside_a_makefile_of_theirs_debhelper_asks_the_toolkit_s(repository: Repository) -> None:
    repository.write({"app.py": FLASK, "requirements.txt": "flask\n", "Makefile": "test:\n\tfalse\n"})
    plan = repository.plan()
    assert plan.has_own_makefile
    assert "Makefile" not in repository.written()
    assert "$(MAKE) --file common/project.mk" in repository.written()["debian/rules"]
    repository.write({"Makefile": "NAMESPACE = acme\ninclude common/project.mk\n"})
    assert not repository.plan().has_own_makefile
    assert adoption.namespace_of(repository.root) == "acme"
