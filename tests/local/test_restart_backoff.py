"""How long a dead child waits."""

from __future__ import annotations

from contralock.local.backoff import RestartBackoff


def test_the_pause_doubles_up_to_ten_seconds() -> None:
    backoff = RestartBackoff()
    assert [backoff.next(0.1) for _ in range(7)] == [0.5, 1, 2, 4, 8, 10, 10]


def test_thirty_seconds_of_life_are_a_new_beginning() -> None:
    backoff = RestartBackoff()
    backoff.next(0.1)
    backoff.next(0.1)
    assert backoff.next(30.0) == 0.5
