"""Credentials in variables: which variables hold them, and what may be shown of those."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAMES = re.compile(
    # Each program has its own: PGPASSWORD, SSHPASS, MYSQL_PWD, REDISCLI_AUTH, SENTRY_DSN, SLACK_WEBHOOK_URL, GITHUB_PAT
    r"(.*_)?([A-Z]*(PASSWORDS?|PASSWD|PASSPHRASE|TOKENS?|SECRETS?|(API|ACCESS|PRIVATE)KEYS?)|(SSH)?PASS|CREDENTIALS?|"
    r"KEYS?|NETRC|ASKPASS|AUTH|DSN|JWT|PAT|COOKIES?|WEBHOOKS?)(_.*)?|.+_PWD",
    re.IGNORECASE,
)
#: What indexes, uploads and proxies are reached by: with a password in it, or beside one.
_OF_NETWORK = re.compile(r"(EXTRA_)?INDEX_URL|(PIP|UV|TWINE|AWS|POETRY|FLIT|HATCH)_.*|.*_PROXY", re.IGNORECASE)
#: What stands before the host of a URL (RFC 3986, 3.2.1), but for a user alone of ssh, who is no secret. What stands in
#: the place of a port and is none is a password with a character that should have been encoded: its end is not known.
_LOGIN = re.compile(
    r"(?<=://)(?:(?<!ssh://)[^/?#\s:]*@|[^/?#\s]*:[^/?#\s]*@|[^/?#@\s\[\]]*:(?=\S)(?!\d+(?!\w))(?:\S*@|\S*))"
)
_QUERY = re.compile(r"(?<=://)([^\s?#`'\"<>]*)\?[^\s#`'\"<>]+")
#: The same of proxies, which may be given without a scheme.
_PROXY_LOGIN = re.compile(r"^[^/@\s:]+:[^/@\s]+@")


def without(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for a program that needs no network, thus no credentials either."""
    return {
        name: value
        for name, value in environment.items()
        if not (is_secret(name) or _OF_NETWORK.fullmatch(name) or masked("", value) != value)
    }


def is_secret(name: str) -> bool:
    """Tell whether a variable of this name holds a credential."""
    return bool(_NAMES.fullmatch(name))


def masked(name: str, value: str) -> str:
    """Return what may be shown of a variable's value."""
    return "***" if value and is_secret(name) else _PROXY_LOGIN.sub("***@", without_secrets(value, "***"))


def without_secrets(text: str, instead: str = "") -> str:
    """Return a text with something else in the place of the users, passwords and queries of its URLs."""
    text = _LOGIN.sub(f"{instead}@" if instead else "", text)
    return _QUERY.sub(rf"\1?{instead}" if instead else r"\1", text)


def without_credentials(url: str) -> str:
    """Return a URL (or a path, as it is) without user name and password."""
    return _LOGIN.sub("", url)


def address(url: str) -> str:
    """Return a URL as it may be written down: without user name, password, query (that may sign it) and fragment."""
    return without_secrets(url).partition("#")[0]
