"""The time limits of ended runs do not pile up in a worker's main process."""

from __future__ import annotations

from typing import Any

from kombu.asynchronous import timer as kombu_timer

from jobs.worker.steps import sweep


def test_cancelled_limits_are_thrown_out_and_the_others_keep_their_order() -> None:
    timer: Any = kombu_timer.Timer()  # type: ignore[no-untyped-call]
    due: list[int] = []
    limits = [timer.call_after(900 + number, due.append, (number,)) for number in range(1000)]
    for number in (1, 0):
        timer.call_after(-1 - number, due.append, (number,))
    for limit in limits[:-1]:
        limit.cancel()
    assert sweep(timer) == 999
    assert len(timer) == 3
    for _, entry in timer:
        if entry is None:
            break
        entry()
    assert due == [1, 0]
    assert len(timer) == 1


def test_an_entry_that_sweeps_while_the_timer_runs_disturbs_no_other() -> None:
    timer: Any = kombu_timer.Timer()  # type: ignore[no-untyped-call]
    done: list[str] = []
    timer.call_after(900, done.append, ("limit",)).cancel()
    timer.call_after(-2, sweep, (timer,))
    timer.call_after(-1, done.append, ("after",))
    for _, entry in timer:
        if entry is None:
            break
        entry()
    assert done == ["after"]
    assert len(timer) == 0
