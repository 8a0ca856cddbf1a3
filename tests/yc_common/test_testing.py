"""The helpers for tests do what services' tests rely on; and what the library promises to whoever imports it."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import yc_common
from yc_common import config, logging
from yc_common.testing import FakeClock, captured_logs, write_config

MODULES = ["config", "errors", "health", "http", "http.server", "listen", "logging", "metrics", "service", "testing"]


def test_a_fake_clock_wakes_sleepers_in_order() -> None:
    async def main() -> list[str]:
        clock, woken = FakeClock(start=0), list[str]()

        async def sleeper(name: str, seconds: float) -> None:
            await clock.sleep(seconds)
            woken.append(f"{name}@{clock()}")

        tasks = [asyncio.ensure_future(sleeper(name, seconds)) for name, seconds in (("b", 2), ("a", 1), ("c", 9))]
        await asyncio.sleep(0)
        await clock.advance(1)
        await clock.advance(1.5)
        tasks[2].cancel()
        await clock.advance(10)
        return woken

    assert asyncio.run(main()) == ["a@1", "b@2.5"]


def test_captured_logs_are_masked_and_findable_and_end_with_the_block() -> None:
    log = logging.get("x")
    with captured_logs(level=20) as logs:
        log.debug("too low")
        log.info("hello", password="p", n=1)
        log.info("hello", n=2)
    with captured_logs() as later:
        pass
    assert logs.one(n=1)["password"] == "***" and len(logs.find(event="hello")) == 2 and not later
    with pytest.raises(AssertionError, match="2 events"):
        logs.one(event="hello")


def test_a_written_configuration_is_replaced_whole(tmp_path: Path) -> None:
    class Settings(config.Section):
        a: int = 0

    write_config(tmp_path, {"a": 1})
    assert config.load(Settings, "x", directory=write_config(tmp_path, "a: 2\n"), environment={}).a == 2
    assert [file.name for file in tmp_path.iterdir()] == ["config.yaml"]


def test_every_public_module_names_what_it_offers_and_documents_it() -> None:
    found = {
        module.name.removeprefix("yc_common.")
        for module in pkgutil.walk_packages(yc_common.__path__, "yc_common.")
        if "._" not in module.name
    }
    assert sorted(found) == MODULES
    for name in MODULES:
        module = importlib.import_module(f"yc_common.{name}")
        assert module.__doc__ and len(set(module.__all__)) == len(module.__all__)
        for public in module.__all__:
            value = getattr(module, public)
            named = inspect.isclass(value) or inspect.isfunction(value)
            assert not named or value.__doc__, f"{name}.{public} has no docstring"


def test_the_core_imports_neither_extras_nor_what_it_does_not_need() -> None:
    program = (
        "import sys, json, yc_common.config, yc_common.logging, yc_common.service\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    loaded = set(json.loads(done.stdout))
    assert "msgspec" in loaded
    assert not loaded & {"structlog", "aiohttp", "prometheus_client", "yaml", "argparse", "pydantic", "httpx"}


@pytest.mark.slow
def test_users_of_the_library_pass_a_strict_type_check(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    program = tmp_path / "user.py"
    program.write_text("""
from typing import Annotated
import msgspec
from yc_common import config, errors, http, logging, service

class Config(service.BaseConfig):
    password: config.Secret
    workers: Annotated[int, msgspec.Meta(ge=1)] = 4

class Order(msgspec.Struct):
    id: int

log = logging.get(__name__)

async def app(s: service.Service[Config]) -> None:
    workers: int = s.config.workers
    async with http.Client("http://127.0.0.1") as client:
        order: Order = (await client.get("/")).json(Order)
    log.info("x", workers=workers, order=order.id)
    s.on_reload(lambda new: new.workers)
    raise errors.Error(errors.Code.INTERNAL, "x")

def main() -> None:
    service.main(app, Config, "x")
    wrong: str = config.load(Config, "x").workers
""")
    root = Path(yc_common.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file=", str(program)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={"MYPYPATH": str(root), "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
    )
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert len(errors) == 1 and 'expression has type "int", variable has type "str"' in errors[0], done.stdout
