"""Prometheus metrics: those of the process and this library by themselves, a service's own by three functions.

    orders = metrics.counter("orders_placed_total", "Orders placed", ["kind"])
    orders.labels(kind="web").inc()
    with metrics.histogram("query_seconds", "Time of a query").time(): ...

Needs `yc_common[metrics]`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from yc_common import logging

__all__ = ["BUCKETS", "REGISTRY", "Counter", "Gauge", "Histogram", "counter", "gauge", "histogram", "info", "render"]

#: Seconds: from a cached answer to a time-out.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

#: What `/metrics` shows; apart from the default registry, so that a library cannot add to it unasked.
REGISTRY = CollectorRegistry(auto_describe=True)

_M = TypeVar("_M", Counter, Gauge, Histogram)
_known: dict[str, tuple[object, tuple[str, ...]]] = {}
_lock = threading.Lock()


class _LogCollector(Collector):
    def collect(self) -> Iterable[Metric]:
        yield CounterMetricFamily("yc_log_lost_lines", "Log lines lost since the last that was told of", logging.lost())


ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
REGISTRY.register(_LogCollector())


def counter(name: str, text: str, labels: Sequence[str] = ()) -> Counter:
    """Return the counter of this name, made at the first call; its name should end in `_total`."""
    return _once(name, labels, Counter, lambda: Counter(name, text, labels, registry=REGISTRY))


def gauge(name: str, text: str, labels: Sequence[str] = ()) -> Gauge:
    """Return the gauge of this name, made at the first call."""
    return _once(name, labels, Gauge, lambda: Gauge(name, text, labels, registry=REGISTRY))


def histogram(name: str, text: str, labels: Sequence[str] = (), *, buckets: Sequence[float] = BUCKETS) -> Histogram:
    """Return the histogram of this name, made at the first call; its unit should end its name (`_seconds`)."""
    return _once(name, labels, Histogram, lambda: Histogram(name, text, labels, buckets=buckets, registry=REGISTRY))


def info(service: str, version: str) -> None:
    """Show the service's name and version as `service_info`."""
    with _lock:
        if "service_info" not in _known:
            _known["service_info"] = Info("service", "The service and its version", registry=REGISTRY), ()
    found = _known["service_info"][0]
    assert isinstance(found, Info)
    found.info({"service": service, "version": version})


def render(accept: str = "") -> tuple[bytes, str]:
    """Return all metrics and their content type, in the text form that the `Accept` header asks for."""
    encode, kind = choose_encoder(accept)
    return encode(REGISTRY), kind


def _once(name: str, labels: Sequence[str], wanted: type[_M], make: Callable[[], _M]) -> _M:
    with _lock:
        if name not in _known:
            _known[name] = make(), tuple(labels)
        found, shape = _known[name]
    if not isinstance(found, wanted) or shape != tuple(labels):
        raise ValueError(f"{name} is already a {type(found).__name__.lower()} with the labels {list(shape)}")
    return found
