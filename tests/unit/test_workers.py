"""Work in threads that an interrupt does not wait for."""

from __future__ import annotations

import threading

import pytest

from toolkit import workers


def test_results_come_in_the_order_of_the_items() -> None:
    assert workers.each(lambda number: number * 2, [3, 1, 2], lambda: None) == [6, 2, 4]


def test_a_failure_stops_what_runs_and_drops_what_has_not_begun() -> None:
    stop, begun = threading.Event(), []

    def work(number: int) -> None:
        begun.append(number)
        if number == 0:
            raise KeyboardInterrupt
        assert stop.wait(30)

    with pytest.raises(KeyboardInterrupt):
        workers.each(work, range(1000), stop.set)
    assert len(begun) < 1000


def test_what_runs_beside_a_block_that_fails_is_stopped() -> None:
    stop = threading.Event()
    with pytest.raises(ZeroDivisionError), workers.beside(lambda: stop.wait(30), stop.set) as future:
        raise ZeroDivisionError
    assert future.result()
