"""Sessions and tokens that nobody can use any more are removed; the others stay."""

from __future__ import annotations

from datetime import timedelta
from types import ModuleType

import pytest
from django.contrib.sessions.models import Session
from knox.models import get_token_model

from contralock.upkeep.tasks import clean_stale_sessions
from jobs.database import now
from jobs.models import Job
from tests.jobs.operators import person

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
TOKENS = get_token_model().objects


def session(name: str, expires: timedelta) -> None:
    Session.objects.create(session_key=name, session_data="", expire_date=now() + expires)


def test_what_has_expired_is_removed_and_the_rest_stays(
    jobs_inline: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contralock.upkeep.sessions.BATCH", 2)
    for number in range(5):
        session(f"old{number}", -DAY)
    session("young", DAY)
    ada = person()
    TOKENS.create(user=ada, expiry=-DAY)
    TOKENS.create(user=ada, expiry=DAY)
    handle = clean_stale_sessions.delay()
    jobs_inline.run_all()
    assert [one.session_key for one in Session.objects.all()] == ["young"]
    assert TOKENS.count() == 1
    job = Job.objects.get(pk=str(handle.id))
    assert job.result == {"sessions": 5, "tokens": 1}
    assert job.progress == {"removed": 6, "of": 6}


def test_after_its_turn_the_others_of_the_queue_have_theirs(
    jobs_inline: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contralock.upkeep.tasks.TURN", -1.0)
    session("old", -DAY)
    clean_stale_sessions.delay()
    assert [one.outcome for one in jobs_inline.run_all()] == ["snoozed", "completed"]
    assert not Session.objects.exists()
