"""A configuration is right and typed, or every mistake in it is named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.yc_common.example_config import Color, Log, Settings, load, mistakes
from yc_common import config
from yc_common.testing import write_config


def test_every_type_is_read(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        """
listen: "unix:/run/x/socket"
workers: 0x10
ratio: 1
name: no
color: green
log: {level: debug, flag: true}
tags: [a, "1", on]
servers: [{host: h, port: 81}]
named: {first: {host: g}}
pause: 1m30s
memory: 10MiB
password: correct horse
state: /srv
""",
    )
    assert (str(settings.listen), settings.workers, settings.ratio) == ("unix:/run/x/socket", 16, 1.0)
    assert (settings.name, settings.nick, settings.color) == ("no", None, Color.GREEN)
    assert (settings.log.level, settings.log.flag, settings.tags) == ("debug", True, ["a", "1", "on"])
    assert (settings.servers[0].port, settings.named["first"].host) == (81, "g")
    assert (settings.pause, settings.memory, settings.state) == (90.0, 10 << 20, Path("/srv"))
    assert settings.password is not None and settings.password.reveal() == "correct horse"
    assert "correct" not in f"{settings!r} {settings.password} {settings.password!r}"


def test_no_file_and_an_empty_file_give_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path, "# nothing\n") == Settings()
    assert config.Loader(Settings, "surely-not-installed", environment={}).load() == Settings()


def test_a_section_with_everything_commented_out_is_its_defaults(tmp_path: Path) -> None:
    assert load(tmp_path, "log:\n  # level: debug\nservers: [{host: h}]\n").log == Log()


def test_all_mistakes_are_reported_at_once_each_with_its_line(tmp_path: Path) -> None:
    assert mistakes(
        tmp_path,
        """listen: nowhere
workers: many
log:
  levle: debug
  level: inf
  flag: on
tags: [a, 1]
servers:
  - host: a
    port: 99999
  - port: 5
named: {x: 7}
pause: 5 parsecs
memory: -1
ratio: [1]
name: 5
""",
    ) == [
        (
            "config.yaml:1: listen: expected an address such as 127.0.0.1:8080, [::1]:8080 "
            "or unix:/run/service/socket, "
            'got str "nowhere"'
        ),
        'config.yaml:2: workers: expected int, got str "many"',
        "config.yaml:4: log.levle: unknown key (did you mean level?)",
        'config.yaml:5: log.level: expected one of debug, info, warning, got str "inf" (did you mean info?)',
        'config.yaml:6: log.flag: expected bool, got str "on" (write true or false)',
        "config.yaml:7: tags[1]: expected str, got int 1 (put it into quotes)",
        "config.yaml:10: servers[0].port: expected int <= 65535, got int 99999",
        "config.yaml:11: servers[1].host: required, and given nowhere",
        "config.yaml:12: named.x: expected a section with host, port, got int 7",
        'config.yaml:13: pause: expected a time such as 250ms, 30s, 5m or 1h30m, got str "5 parsecs"',
        "config.yaml:14: memory: expected a size that is not negative, got int -1",
        "config.yaml:15: ratio: expected float, got list",
        "config.yaml:16: name: expected str, got int 5 (put it into quotes)",
    ]


def test_a_rule_between_fields_is_reported(tmp_path: Path) -> None:
    assert mistakes(tmp_path, "workers: 13\n") == ["config.yaml: 13 workers bring bad luck"]


def test_a_secret_of_the_wrong_type_is_not_shown(tmp_path: Path) -> None:
    assert mistakes(tmp_path, "password: 123456789\n") == ["config.yaml:1: password: expected str, got int ***"]


def test_later_sources_win_and_say_where_they_are(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "password").write_text("from a credential\n")
    write_config(
        tmp_path, "name: base\nworkers: 1\nratio: 0.1\ntags: [a, b]\nlog: {level: debug}\npassword: from file\n"
    )
    write_config(tmp_path, "workers: 2\nratio: 0.2\ntags: [c]\n", "conf.d/10-first.yaml")
    write_config(tmp_path, "workers: 3\nlog: {flag: true}\n", "conf.d/20-second.yaml")
    environment = {
        "YC_EXAMPLE_SERVICE__RATIO": "0.4",
        "YC_EXAMPLE_SERVICE__NICK": "5",
        "YC_OTHER__NAME": "other",
        "YC_EXAMPLE_SERVICE__LOG__FLAG": "false",
        "YC_EXAMPLE_SERVICE__PAUSE": "7",
        "CREDENTIALS_DIRECTORY": str(credentials),
    }
    loader = config.Loader(
        Settings,
        "example-service",
        directory=tmp_path,
        environment=environment,
        overrides=["log.level=warning", "tags=[x, y]"],
    )
    settings = loader.load()
    assert (settings.name, settings.workers, settings.ratio, settings.nick) == ("base", 3, 0.4, "5")
    assert (settings.log.level, settings.log.flag, settings.tags, settings.pause) == ("warning", False, ["x", "y"], 7.0)
    assert settings.password is not None and settings.password.reveal() == "from a credential"
    shown = {value.path: (value.text, value.origin.replace(f"{tmp_path}/", "")) for value in loader.values()}
    assert shown["name"] == ('"base"', "config.yaml:1")
    assert shown["workers"] == ("3", "conf.d/20-second.yaml:1")
    assert shown["ratio"] == ("0.4", "environment YC_EXAMPLE_SERVICE__RATIO")
    assert shown["log.level"] == ('"warning"', "--set log.level")
    assert shown["password"] == ('"***"', "credential password")
    assert (shown["memory"], shown["pause"][0]) == (("1024", "default"), "7.0")


def test_mistakes_in_the_environment_and_on_the_command_line_are_named(tmp_path: Path) -> None:
    environment = {"YC_EXAMPLE_SERVICE__WORKERS": "several", "YC_EXAMPLE_SERVICE__LOG__LEVLE": "debug"}
    loader = config.Loader(
        Settings, "example-service", environment=environment, overrides=["wrokers=1", "name", "password=hunter22"]
    )
    with pytest.raises(config.ConfigError) as caught:
        loader.load()
    assert str(caught.value).splitlines() == [
        "--set name: has no value (write --set name=value)",
        (
            "--set password: password: a secret on the command line, where every user of the machine sees it "
            "(give it as the systemd credential password)"
        ),
        "--set wrokers: wrokers: unknown key (did you mean workers?)",
        "environment YC_EXAMPLE_SERVICE__LOG__LEVLE: log.levle: unknown key (did you mean level?)",
        'environment YC_EXAMPLE_SERVICE__WORKERS: workers: expected int, got str "several"',
    ]


def test_a_required_secret_says_how_to_give_it() -> None:
    class Needs(config.Section):
        token: config.Secret

    with pytest.raises(config.ConfigError, match=r"token: required, .*give it as the systemd credential token"):
        config.load(Needs, "x", environment={})


def test_a_refused_reload_changes_nothing(tmp_path: Path) -> None:
    write_config(tmp_path, "workers: 1\n")
    loader = config.Loader(Settings, "x", directory=tmp_path, environment={})
    first = loader.load()
    write_config(tmp_path, "workers: none\n")
    with pytest.raises(config.ConfigError):
        loader.load()
    assert loader.current is first
    write_config(tmp_path, "workers: 2\n")
    assert loader.load().workers == 2
    loader.restore()
    assert loader.current is first


def test_the_command_line_checks_prints_and_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_config(tmp_path, "workers: 5\npassword: swordfish\n")
    for option, expected in (("--check-config", "the configuration is right"), ("--print-config", "workers: 5 ")):
        with pytest.raises(SystemExit) as left:
            config.from_command_line(Settings, "x", ["--config", str(tmp_path), option])
        output = capsys.readouterr().out
        assert left.value.code == 0 and expected in output and "swordfish" not in output
    with pytest.raises(SystemExit) as left:
        config.from_command_line(Settings, "x", ["--config", str(tmp_path), "--set", "workers=0"])
    assert left.value.code == config.EXIT_CONFIG
    assert capsys.readouterr().err == "--set workers: workers: expected int >= 1, got int 0\n"


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (config.Duration, "250ms", 0.25),
        (config.Duration, 3, 3.0),
        (config.Duration, "1h30m", 5400.0),
        (config.Size, "64KiB", 65536),
        (config.Size, "10MB", 10_000_000),
        (config.Size, 5, 5),
    ],
)
def test_quantities(kind: type[config.Duration] | type[config.Size], value: object, expected: float) -> None:
    assert kind.from_config(value) == expected


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (config.Duration, "-1"),
        (config.Duration, ""),
        (config.Duration, "1x"),
        (config.Duration, float("nan")),
        (config.Duration, True),
        (config.Size, "1.5"),
        (config.Size, "5 qB"),
        (config.Size, True),
        (config.Size, 1.5),
        (config.Address, "8080"),
        (config.Address, "h:70000"),
        (config.Address, "unix:rel"),
        (config.Address, 1),
        (config.Address, "unix:/" + "x" * 200),
    ],
)
def test_quantities_that_are_none(kind: type[config.Duration], value: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        kind.from_config(value)
