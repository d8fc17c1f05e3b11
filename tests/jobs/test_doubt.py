"""A doubt is ended by the resend, a resolver or a person; never by a cancel or an expiry."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobs import State, control, lifecycle
from jobs.database import now
from jobs.lifecycle import CannotMove
from jobs.models import Job
from jobs.outcomes import Outcome
from tests.jobs.rows import fresh, make, taken, verdict
from tests.jobs.zoo import perform

pytestmark = pytest.mark.django_db


def doubted(*, state: State = State.DELAYED) -> Job:
    """A job whose first run ended in doubt."""
    job = make()
    lifecycle.finish(taken(job), verdict(state, outcome=Outcome.UNKNOWN, delay=60.0))
    return job


def test_a_delayed_doubt_cannot_be_cancelled() -> None:
    job = doubted()
    with pytest.raises(CannotMove, match="in doubt"):
        control.cancel(job.pk, reason="not wanted")
    assert fresh(job).state == State.DELAYED


def test_a_resend_that_runs_cannot_be_asked_to_cancel() -> None:
    job = doubted()
    lifecycle.promote(now=now() + timedelta(seconds=61), limit=10)
    taken(job)
    with pytest.raises(CannotMove, match="in doubt"):
        control.cancel(job.pk, reason="not wanted")
    assert fresh(job).cancel_requested is False


def test_a_cancel_that_was_asked_for_before_the_doubt_is_forgotten_with_it() -> None:
    job = make()
    claim = taken(job)
    control.cancel(job.pk, reason="not wanted")
    lifecycle.finish(claim, verdict(State.DELAYED, outcome=Outcome.UNKNOWN, delay=60.0))
    assert (fresh(job).state, fresh(job).cancel_requested) == (State.DELAYED, False)


def test_an_expiry_is_for_jobs_that_never_started() -> None:
    job = doubted()
    Job.objects.filter(pk=job.pk).update(expires_at=now() - timedelta(seconds=1))
    assert lifecycle.expire(now=now(), limit=10) == 0
    lifecycle.promote(now=now() + timedelta(seconds=61), limit=10)
    assert taken(job).run == 2


@pytest.mark.parametrize("name", ["map", "starmap", "chunks"])
def test_celerys_maps_are_refused(name: str) -> None:
    with pytest.raises(NotImplementedError, match="delay_many"):
        getattr(perform, name)([{}])
    assert not Job.objects.exists()
