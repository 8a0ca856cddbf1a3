"""Archives that vendor.txt names by URL: fetched, with the hash that was seen first, and identified."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future

from toolkit.core.errors import UserError
from toolkit.model.lock import Distribution, VendoredFile
from toolkit.model.pins import Pin
from toolkit.network.fetch import Fetched, Fetcher, OtherFileError
from toolkit.network.index_options import file_name
from toolkit.project.vendor_txt import ArchiveRule
from toolkit.resolve import archive_identity, catalogue
from toolkit.vendored import sdist


def fetch(rules: Iterable[ArchiveRule], fetcher: Fetcher, locked: Iterable[Distribution]) -> dict[Pin, tuple[str, ...]]:
    """Fetch the archives of vendor.txt and return them as pins, with the requirements that each certainly has.

    What is `locked` of the same URL must not have changed.
    """
    held = {file.url: (item, file.sha256) for item in locked for file in item.files if item.kind == "archive"}
    futures = []
    for rule in {rule.url: rule for rule in rules}.values():
        holder, sha256 = held.get(rule.url, (None, "")) if not rule.sha256 else (None, rule.sha256)
        file = VendoredFile(name=file_name(rule.url), size=0, sha256=sha256, url=rule.url)
        futures.append((rule, holder, fetcher.submit(file)))
    return dict(_pin(rule, _result(future, holder)) for rule, holder, future in futures)


def _result(future: Future[Fetched], holder: Distribution | None) -> Fetched:
    """Return what has arrived; an archive that a lock `holder` has otherwise is accepted by its name alone."""
    try:
        return future.result()
    except OtherFileError as error:
        accept = f"; `make vendor UPGRADE={holder.name}` then takes what is there now" if holder else ""
        raise UserError(error.what, f"{error.hint}{accept}") from None


def _pin(rule: ArchiveRule, fetched: Fetched) -> tuple[Pin, tuple[str, ...]]:
    pin = archive_identity.identify(fetched, rule.url, rule.origin)
    metadata = sdist.read(fetched.path, fetched.path.name).metadata
    requires = catalogue.without_urls(f"{pin.name} {pin.version}", metadata.requires)
    return pin, tuple(requires) if metadata.requires_certain else ()
