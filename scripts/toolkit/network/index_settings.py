"""The package indexes in use: those pip is configured with, or those the user names for one run."""

from __future__ import annotations

import ipaddress
import math
import os
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from toolkit.core import console, secrets
from toolkit.core.errors import UserError
from toolkit.core.secrets import without_credentials
from toolkit.network.index_options import DEFAULTS, FIRST_INDEX, IndexOptions

_DEFAULT_TIMEOUT = 15.0
#: Seconds; what no clock can count to ("inf", say) is as long.
_LONGEST_TIMEOUT = 86400.0


@dataclass(frozen=True, kw_only=True)
class Indexes:
    """Where distributions come from, and how requests are sent.

    `url` is empty with `no_index` alone. `strategy` is one of `IndexOptions`. `find_links` are URLs or absolute paths.
    URLs may hold a user name and a password: print them through `shown`. `cert` is a file or directory of certificate
    authorities, `timeout` seconds.
    """

    url: str = ""
    extra: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    trusted_hosts: tuple[str, ...] = ()
    no_index: bool = False
    cert: str = ""
    client_cert: str = ""
    proxy: str = ""
    timeout: float = _DEFAULT_TIMEOUT
    strategy: str = FIRST_INDEX

    @property
    def urls(self) -> tuple[str, ...]:
        """Return every index, the main one first."""
        return () if self.no_index else (self.url, *self.extra)

    def trusts(self, url: str) -> bool:
        """Tell whether the user trusts whoever answers under the host of a URL (pip's `trusted-host`)."""
        parts = urlsplit(url)
        return bool({parts.hostname or "", parts.netloc.rpartition("@")[2]} & set(self.trusted_hosts))

    def protects(self, url: str) -> bool:
        """Tell whether nobody on the way can answer in the place of a URL's host, or the user does not mind.

        So pip has it (`SECURE_ORIGINS`).
        """
        return not url.startswith("http:") or _is_this_machine(urlsplit(url).hostname or "") or self.trusts(url)

    def shown(self) -> str:
        """Return all URLs and paths that are searched, as they may be printed."""
        return ", ".join(map(without_credentials, (*self.urls, *self.find_links))) or "no index"


def read(options: IndexOptions = DEFAULTS) -> Indexes:
    """Return the indexes to use: pip's configuration (files and PIP_* variables), or those given for this run.

    `index_url` replaces every configured index and find-links; all else that is given adds to them. Runs inside the
    tools environment, whose pip reads the configuration. Raises `UserError`.
    """
    settings = defaultdict(str, _pip_settings())
    if options.index_url:
        for name in ("index-url", "extra-index-url", "find-links", "no-index"):
            settings.pop(name, None)
    extra = (*settings["extra-index-url"].split(), *options.extra_index_urls)
    find_links = (*options.find_links, *settings["find-links"].split())
    found = Indexes(
        url=_checked(options.index_url or settings["index-url"] or settings["pypi-url"] or _default()),
        extra=tuple(map(_checked, extra)),
        find_links=tuple(map(_absolute, find_links)),
        trusted_hosts=tuple(settings["trusted-host"].split()),
        no_index=options.no_index or settings["no-index"].lower() in ("1", "yes", "true", "on", "y", "t"),
        cert=settings["cert"],
        client_cert=settings["client-cert"],
        proxy=settings["proxy"],
        timeout=_seconds(settings["timeout"] or settings["default-timeout"]),
        strategy=options.strategy,
    )
    for url in (*found.urls, *found.find_links):
        if not found.protects(url):
            console.warn(
                f"{without_credentials(url)}: not encrypted, so anybody on the way can answer in its place; "
                "pip's `trusted-host` names a host to which the whole way is your own"
            )
    return found


def build_constraints() -> tuple[Path, ...]:
    """Return the files of pip's `build-constraint`: its configuration, and PIP_BUILD_CONSTRAINT."""
    names = _pip_settings().get("build-constraint", "").split()
    return tuple(Path(os.path.expanduser(name)).absolute() for name in names)


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _pip_settings() -> dict[str, str]:
    """Merge pip's settings for all commands, those for `pip install`, and variables: the later ones win."""
    from pip._internal.configuration import Configuration
    from pip._internal.exceptions import PipError

    configuration = Configuration(isolated=False)
    try:
        configuration.load()
    except PipError as error:
        raise UserError(
            f"pip's configuration cannot be read: {' '.join(str(error).split())}",
            "correct the file it names; `pip config debug` lists all of them",
        ) from None
    every_file = [values for _, values in configuration.items()]
    settings: dict[str, str] = {}
    for section in ("global.", "install.", ":env:."):
        for values in every_file:
            given = {key: value for key, value in values.items() if key.startswith(section) and value}
            settings |= {key.removeprefix(section): value for key, value in given.items()}
    return settings


def _default() -> str:
    from pip._internal.models.index import PyPI

    return str(PyPI.simple_url)


def _checked(url: str) -> str:
    if not re.match(r"(https?|file)://", url) or not _has_host(url):
        raise UserError(
            f"not the URL of an index: {secrets.without_secrets(url, '***')}",
            "give INDEX_URL=https://host/simple, or correct index-url in pip's configuration; in a user name or a "
            "password write / # ? @ : and % as %2F %23 %3F %40 %3A and %25",
        )
    return url.rstrip("/")


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return url.isprintable() and (parts.scheme == "file" or (bool(parts.hostname) and parts.port != 0))
    except ValueError:
        return False


def _absolute(location: str) -> str:
    if "://" not in location and not location.startswith("file:"):
        return str(Path(os.path.expanduser(location)).absolute())
    if not _has_host(location):
        raise UserError(
            f"pip's configuration: find-links has what is no URL: {secrets.without_secrets(location, '***')}",
            "see `pip config debug` for where it is set, and give a URL that has a host, or a directory",
        )
    return location


def _seconds(text: str) -> float:
    try:
        seconds = float(text) if text else _DEFAULT_TIMEOUT
        if math.isnan(seconds):
            raise ValueError(text)
    except ValueError:
        raise UserError(
            f"pip's configuration: timeout is not a number: {text}", "see `pip config debug` for where it is set"
        ) from None
    return min(max(seconds, 0.1), _LONGEST_TIMEOUT)
