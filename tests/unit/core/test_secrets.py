"""Credentials in variables are neither passed on to what needs none, nor shown."""

from __future__ import annotations

import pytest

from toolkit.core import secrets

SECRETS = {
    "INDEX_URL": "https://host.example/simple",
    "EXTRA_INDEX_URL": "https://me:s3cret@host.example/simple",
    "PIP_INDEX_URL": "https://token@host.example/simple",
    "UV_INDEX_MINE_PASSWORD": "s3cret",
    "TWINE_USERNAME": "me",
    "AWS_SECRET_ACCESS_KEY": "s3cret",
    "https_proxy": "me:s3cret@proxy.example:3128",
    "NETRC": "/home/me/netrc",
    "SSH_AUTH_SOCK": "/run/user/1000/agent",
    "GIT_ASKPASS": "/usr/bin/ask",
    "DATABASE": "postgresql://me:s3cret@host.example/db",
    "GITHUB_TOKEN": "s3cret",
    "API_KEY": "s3cret",
    "PGPASSWORD": "s3cret",
    "MYSQL_PWD": "s3cret",
    "SSHPASS": "s3cret",
    "SMTP_PASS": "s3cret",
    "REDISCLI_AUTH": "s3cret",
    "DOCKER_AUTH_CONFIG": "{}",
    "SENTRY_DSN": "s3cret",
    "SLACK_WEBHOOK_URL": "https://host.example/services/s3cret",
    "GITHUB_PAT": "s3cret",
    "SESSION_COOKIE": "s3cret",
    "CI_JOB_JWT_V2": "s3cret",
    "DEPLOY_KEYS": "s3cret",
}
OTHERS = {
    "PATH": "/usr/bin:/bin",
    "DEB_BUILD_OPTIONS": "nocheck parallel=4",
    "DEBEMAIL": "me@host.example",
    "AUTHOR": "Some One <me@host.example>",
    "HOMEPAGE": "https://host.example/a@b",
    "SOURCE_DATE_EPOCH": "0",
    "KEYBOARD": "de",
    "OLDPWD": "/",
    "PWD": "/",
    "COMPASS": "north",
    "PASSENGERS": "2",
    "PATTERN": "x",
}


def test_a_program_that_needs_no_network_gets_no_credentials() -> None:
    assert secrets.without({**SECRETS, **OTHERS}) == OTHERS


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("EXTRA_INDEX_URL", "https://me:s3@a.example/s https://b.example", "https://***@a.example/s https://b.example"),
        ("PIP_INDEX_URL", "https://token@a.example/s", "https://***@a.example/s"),
        ("http_proxy", "me:s3cret@proxy.example:3128", "***@proxy.example:3128"),
        ("UV_PUBLISH_TOKEN", "s3cret", "***"),
        ("UV_PUBLISH_TOKEN", "", ""),
        ("DEBEMAIL", "me@host.example", "me@host.example"),
        ("ORIGIN", "ssh://git@host.example/x", "ssh://git@host.example/x"),
        ("ORIGIN", "ssh://git:s3@host.example/x", "ssh://***@host.example/x"),
        ("INDEX", "https://me:s3@cret@host.example/x", "https://***@host.example/x"),
        ("INDEX", "https://:s3cret@host.example/x", "https://***@host.example/x"),
    ],
)
def test_what_is_shown_has_no_credentials(name: str, value: str, shown: str) -> None:
    assert secrets.masked(name, value) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("`x @ https://me:s3@a.example/x.zip`: no", "`x @ https://***@a.example/x.zip`: no"),
        ("https://me:s3/cr@et@a.example/s, too", "https://***@a.example/s, too"),
        ("https://me:s3#cret@a.example/s", "https://***@a.example/s"),
        ("https://me:s3@cret@a.example/s", "https://***@a.example/s"),
        ("ssh://me:s3cret@a.example/x.git", "ssh://***@a.example/x.git"),
        ("https://me:s3", "https://***@"),
        ("https://a.example/x.zip?token=s3#sha256=1 ; x", "https://a.example/x.zip?***#sha256=1 ; x"),
        *((text, text) for text in ("ssh://git@a.example:22/x", "git@a.example:x", "https://a.example:8080, then @x")),
        *(
            (text, text)
            for text in ("http://[::1]:80/a@b", "https://a.example: no", "file:///a@b:c", "A <a@b.example>")
        ),
    ],
)
def test_a_text_has_no_credentials_of_the_urls_in_it(text: str, shown: str) -> None:
    assert secrets.without_secrets(text, "***") == shown
