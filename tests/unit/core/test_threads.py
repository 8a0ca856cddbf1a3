"""Work in threads that an interrupt does not wait for."""

from __future__ import annotations

import threading

import pytest

from toolkit.core import threads


def test_results_come_in_the_order_of_the_items() -> None:
    assert threads.each(lambda number: number * 2, [3, 1, 2], lambda: None) == [6, 2, 4]


def test_a_failure_stops_what_runs_and_drops_what_has_not_begun() -> None:
    stop, begun = threading.Event(), []

    def work(number: int) -> None:
        begun.append(number)
        if number == 0:
            raise KeyboardInterrupt
        assert stop.wait(30)

    with pytest.raises(KeyboardInterrupt):
        threads.each(work, range(1000), stop.set)
    assert len(begun) < 1000


def test_who_asks_others_gets_the_answers_in_order() -> None:
    assert threads.ask_each(lambda number: number * 2, list(range(100)), 7) == list(range(0, 200, 2))
    assert threads.ask_each(str, [], 7) == []


def test_the_first_error_does_not_wait_for_those_who_do_not_answer() -> None:
    forever, begun = threading.Event(), []

    def ask(number: int) -> None:
        begun.append(number)
        if number == 1:
            raise ZeroDivisionError
        forever.wait()

    with pytest.raises(ZeroDivisionError):
        threads.ask_each(ask, list(range(100)), 2)
    forever.set()
    assert len(begun) < 100


def test_what_runs_beside_a_block_that_fails_is_stopped() -> None:
    stop = threading.Event()
    ended = []
    with pytest.raises(ZeroDivisionError), threads.beside(lambda: ended.append(stop.wait(30)), stop.set):
        raise ZeroDivisionError
    assert ended == [True]


def test_what_was_submitted_is_done_when_the_block_is_over() -> None:
    with threads.pool(2) as pool:
        futures = [pool.submit(lambda number: number * 2, number) for number in range(20)]
        first = pool.next()
    assert [future.result() for future in futures] == list(range(0, 40, 2))
    assert first in futures


def test_an_error_that_nobody_asked_for_leaves_the_block() -> None:
    with pytest.raises(ZeroDivisionError), threads.pool(2) as pool:
        pool.submit(lambda: 1 / 0)
