"""Small projects as people publish them, none of which knows this toolkit: files by their paths."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

FLASK = {
    "app.py": """\
import os

from flask import Flask, render_template

from greetings import greeting

app = Flask(__name__)
app.config["GREETING"] = os.environ.get("GREETING", greeting())


@app.get("/")
def index():
    return render_template("index.html", greeting=app.config["GREETING"])
""",
    "greetings/__init__.py": 'def greeting():\n    return "Hello"\n',
    "templates/index.html": "<p>{{ greeting }} from Flask</p>\n",
    "requirements.txt": "Flask==3.0.3\ngunicorn>=22\n",
    "requirements-dev.txt": "-r requirements.txt\npytest\n",
    "Procfile": "web: gunicorn app:app --bind 127.0.0.1:$PORT\nrelease: python -m greetings\n",
    "tests/test_app.py": """\
import app


def test_index():
    assert b"Hello from Flask" in app.app.test_client().get("/").data
""",
    ".gitignore": "__pycache__/\nbuild/\ndist/\n",
    "LICENSE": "Do as you like.\n",
}
FASTAPI = {
    "pyproject.toml": """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "stock-api"
version = "2.1.0rc1"
description = "HTTP interface of the stock"
requires-python = ">=3.11"
dependencies = ["starlette>=0.40", "uvicorn>=0.30"]

[tool.hatch.build.targets.wheel]
packages = ["src/stock_api"]

[dependency-groups]
test = ["pytest", "httpx"]
""",
    "src/stock_api/__init__.py": "",
    "src/stock_api/main.py": """\
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def index(request):
    return PlainTextResponse("Hello from Starlette")


app = Starlette(routes=[Route("/", index)])
""",
    "tests/test_main.py": """\
from starlette.testclient import TestClient

from stock_api.main import app


def test_index():
    assert TestClient(app).get("/").text == "Hello from Starlette"
""",
    "Dockerfile": """\
FROM python:3.12 AS build
CMD ["sh"]
FROM python:3.12-slim
WORKDIR /app
COPY . .
RUN pip install .
EXPOSE 8000
CMD ["uvicorn", "stock_api.main:app", \\
     "--host", "127.0.0.1", "--port", "8000"]
""",
}
DJANGO = {
    "manage.py": """\
#!/usr/bin/env python
import os
import sys


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
""",
    "config/__init__.py": "",
    "config/settings.py": """\
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "not a secret"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["pages"]
ROOT_URLCONF = "config.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [BASE_DIR / "templates"]}]
WSGI_APPLICATION = "config.wsgi.application"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
""",
    "config/urls.py": """\
from django.urls import path
from pages.views import index

urlpatterns = [path("", index)]
""",
    "config/wsgi.py": """\
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
""",
    "pages/__init__.py": "",
    "pages/views.py": """\
from django.shortcuts import render


def index(request):
    return render(request, "pages/index.html")
""",
    "templates/pages/index.html": "<p>Hello from Django</p>\n",
    "requirements/base.txt": "Django>=5,<6\n",
    "requirements/production.txt": "-r base.txt\ngunicorn\n",
    "requirements/local.txt": "-r base.txt\npytest\n",
}
POETRY = {
    "pyproject.toml": """\
[tool.poetry]
name = "word-count"
version = "0.3.0"
description = "Counts words: by whom, and how often"
authors = ["Some Author <author@example.com>"]
license = "MIT"
packages = [{ include = "word_count" }]

[tool.poetry.dependencies]
python = "^3.11"
click = "^8.1"

[tool.poetry.group.dev.dependencies]
pytest = "^8.0"

[tool.poetry.scripts]
word-count = "word_count.cli:main"

[build-system]
requires = ["poetry-core>=1.8"]
build-backend = "poetry.core.masonry.api"
""",
    "word_count/__init__.py": "",
    "word_count/cli.py": """\
import click


@click.command()
@click.argument("text")
def main(text):
    click.echo(len(text.split()))
""",
    "poetry.lock": """\
[[package]]
name = "click"
version = "8.1.7"
description = "Composable command line interface toolkit"
optional = false
python-versions = ">=3.7"
files = []

[metadata]
lock-version = "2.1"
python-versions = "^3.11"
content-hash = "0"
""",
    "README.md": "# word-count\n",
}
PROJECTS: Mapping[str, Mapping[str, str]] = {
    "shop-page": FLASK,
    "stock-api": FASTAPI,
    "site": DJANGO,
    "word-count": POETRY,
}


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write files below a directory, which is made."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
