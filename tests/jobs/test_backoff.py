"""How long a failed job waits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.backoff import JITTER, exponential

seconds = st.floats(0, 1e6)


def test_it_doubles_from_the_base() -> None:
    delays = [exponential(failures=n, base=2, cap=1000, spread=0) for n in range(1, 7)]
    assert delays == [2, 4, 8, 16, 32, 64]


@given(failures=st.integers(1, 10**9), base=seconds, cap=seconds)
def test_it_stays_between_the_delay_and_the_delay_with_jitter(failures: int, base: float, cap: float) -> None:
    least = exponential(failures=failures, base=base, cap=cap, spread=0)
    assert least <= cap
    assert least <= exponential(failures=failures, base=base, cap=cap) <= least * (1 + JITTER)


@given(failures=st.integers(1, 100), base=seconds, cap=seconds)
def test_it_never_shrinks_with_another_failure(failures: int, base: float, cap: float) -> None:
    now, later = (exponential(failures=n, base=base, cap=cap, spread=0) for n in (failures, failures + 1))
    assert later >= now


@given(base=st.floats(0.001, 1e6), cap=seconds)
def test_it_reaches_its_cap_and_stays_there(base: float, cap: float) -> None:
    assert exponential(failures=63, base=base, cap=cap, spread=0) == min(cap, base * 2.0**62)
    assert exponential(failures=10**9, base=base, cap=cap, spread=0) <= cap


def test_chance_spreads_jobs_that_failed_together() -> None:
    delays = {exponential(failures=1, base=10, cap=1000) for _ in range(50)}
    assert len(delays) > 40
    assert min(delays) >= 10
    assert max(delays) < 11


@pytest.mark.parametrize("failures", [0, -1])
def test_failures_are_counted_from_one(failures: int) -> None:
    with pytest.raises(ValueError, match="counts from 1"):
        exponential(failures=failures, base=1, cap=1)
