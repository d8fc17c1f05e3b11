"""Retry, run now and cancel in the admin: by permission, through the lifecycle, refusals in words."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from jobs.admin import bulk
from jobs.database import now
from jobs.models import Attempt, Job
from jobs.states import State
from tests.jobs.operators import act, client, job_page, said, staff, superuser
from tests.jobs.rows import HOUR, fresh, make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("broker")]

RIGHT_STATES = {"retry": State.FAILED, "promote": State.DELAYED, "cancel": State.WAITING}
AFTERWARDS = {"retry": "waiting", "promote": "waiting", "cancel": "cancelled"}
ALL = ["view_job", "retry_job", "promote_job", "cancel_job"]
REASON = {"reason": "not wanted"}


# ---------------------------------------------------------------- who may
@pytest.mark.parametrize("move", RIGHT_STATES)
@pytest.mark.parametrize("right", ["retry_job", "promote_job", "cancel_job", "change_queuepause", None])
def test_each_move_needs_its_own_permission(move: str, right: str | None) -> None:
    job = make(RIGHT_STATES[move])
    someone = staff(*filter(None, ["view_job", right]))
    answer = someone.post(job_page(job, move), REASON)
    allowed = right == f"{move}_job"
    assert answer.status_code == (302 if allowed else 403)
    assert fresh(job).state == (AFTERWARDS[move] if allowed else RIGHT_STATES[move])


@pytest.mark.parametrize("move", RIGHT_STATES)
def test_who_may_not_look_may_not_move(move: str) -> None:
    job = make(RIGHT_STATES[move])
    assert staff(f"{move}_job").post(job_page(job, move), REASON).status_code == 403
    assert client().post(job_page(job, move), REASON).status_code == 302, "to the login"
    assert fresh(job).state == RIGHT_STATES[move]


@pytest.mark.parametrize("move", RIGHT_STATES)
def test_an_action_is_offered_and_done_by_permission_only(move: str) -> None:
    job = make(RIGHT_STATES[move])
    onlooker = staff("view_job")
    assert f"{move}_jobs" not in onlooker.get("/admin/jobs/job/").content.decode()
    act(onlooker, f"{move}_jobs", job, **REASON)
    assert fresh(job).state == RIGHT_STATES[move]


@pytest.mark.parametrize("move", ["retry", "promote"])
def test_a_move_is_never_done_by_following_a_link(move: str) -> None:
    job = make(RIGHT_STATES[move])
    assert superuser().get(job_page(job, move)).status_code == 405
    assert fresh(job).state == RIGHT_STATES[move]


# ---------------------------------------------------------------- one job
@pytest.mark.parametrize("move", RIGHT_STATES)
def test_the_move_is_told_and_kept_in_the_history(move: str) -> None:
    job = make(RIGHT_STATES[move])
    answer = staff(*ALL).post(job_page(job, move), REASON)
    assert said(answer) == [
        f"The job was {'retried' if move == 'retry' else 'cancelled' if move == 'cancel' else 'promoted'}."
    ]
    entry = LogEntry.objects.get(object_id=str(job.pk))
    assert entry.change_message == (f"cancel: {REASON['reason']}" if move == "cancel" else move)


@pytest.mark.parametrize(
    ("move", "state", "sentence"),
    [
        ("retry", State.COMPLETED, "only a failed or cancelled job can be retried"),
        ("promote", State.WAITING, "only a delayed job can be promoted"),
        ("cancel", State.FAILED, "only a waiting, delayed or active job can be cancelled"),
    ],
)
def test_a_refusal_is_told_in_the_words_of_the_lifecycle(move: str, state: State, sentence: str) -> None:
    job = make(state)
    answer = superuser().post(job_page(job, move), REASON)
    assert answer.status_code == 302
    (text,) = said(answer)
    assert sentence in text
    assert fresh(job).state == state
    assert not LogEntry.objects.exists()


def test_a_doubt_is_refused_for_its_own_reason() -> None:
    job, moment = make(State.DELAYED, available_at=now() + HOUR, runs=1), now()
    Attempt.objects.create(
        job=job, number=1, due_at=moment, started_at=moment, finished_at=moment, outcome="unknown", message="sent?"
    )
    boss = superuser()
    for move in ("promote", "cancel"):
        assert "in doubt" in said(boss.post(job_page(job, move), REASON))[-1]
    assert fresh(job).state == "delayed"


def test_cancelling_asks_why_and_says_what_happens() -> None:
    waiting, active = make(), make(State.ACTIVE)
    boss = superuser()
    assert "1 waiting: cancelled at once" in boss.get(job_page(waiting, "cancel")).content.decode()
    assert "asked to stop at the next checkpoint" in boss.get(job_page(active, "cancel")).content.decode()
    answer = boss.post(job_page(waiting, "cancel"), {"reason": " "})
    assert answer.status_code == 200
    assert "Cancelling needs a reason." in answer.content.decode()
    assert fresh(waiting).state == "waiting"


def test_an_active_job_is_asked_to_stop() -> None:
    job = make(State.ACTIVE)
    assert said(superuser().post(job_page(job, "cancel"), REASON)) == [
        "The job was asked to stop at its next checkpoint."
    ]
    assert (fresh(job).state, fresh(job).cancel_requested) == ("active", True)


@pytest.mark.parametrize("move", RIGHT_STATES)
def test_a_job_that_left_meanwhile_is_no_server_error(move: str) -> None:
    job = make(RIGHT_STATES[move])
    address = job_page(job, move)
    Job.objects.all().delete()
    assert superuser().post(address, REASON).status_code == 302


# ---------------------------------------------------------------- many
def test_many_are_retried_and_the_refused_are_told() -> None:
    good, bad = [make(State.FAILED) for _ in range(3)], make(State.COMPLETED)
    texts = said(act(superuser(), "retry_jobs", *good, bad))
    assert "3 jobs retried." in texts
    assert any("only a failed or cancelled" in text for text in texts)
    assert {fresh(job).state for job in good} == {"waiting"}
    assert LogEntry.objects.count() == 3


def test_delayed_jobs_are_run_now_together() -> None:
    jobs = [make(State.DELAYED, available_at=now() + HOUR) for _ in range(2)]
    assert said(act(superuser(), "promote_jobs", *jobs)) == ["2 jobs promoted."]


def test_cancelling_many_has_a_page_in_between_that_keeps_the_choice() -> None:
    waiting, active, done = make(), make(State.ACTIVE), make(State.COMPLETED)
    make()
    boss = superuser()
    answer = act(boss, "cancel_jobs", waiting, active, done)
    text = answer.content.decode()
    assert (answer.status_code, fresh(waiting).state) == (200, "waiting")
    for words in ("3 jobs", "1 waiting: cancelled at once", "1 active: asked to stop", "1 completed: refused"):
        assert words in text
    assert str(waiting.pk) in text
    texts = said(act(boss, "cancel_jobs", waiting, active, done, **REASON))
    assert {"1 job cancelled.", "1 job asked to stop at its next checkpoint."} <= set(texts)
    assert (fresh(waiting).state, fresh(waiting).error) == ("cancelled", "not wanted")
    assert Job.objects.filter(state="waiting").count() == 1, "who was not chosen stays"


def test_all_that_match_means_all_that_the_filter_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "BATCH", 4)
    failed = [make(State.FAILED, queue="email") for _ in range(11)]
    other = make(State.FAILED)
    answer = act(superuser(), "retry_jobs", failed[0], query="?queue=email&state=failed", select_across="1")
    assert "11 jobs retried." in said(answer)
    assert {fresh(job).state for job in failed} == {"waiting"}
    assert fresh(other).state == "failed"


def test_all_that_match_are_cancelled_after_the_page_in_between() -> None:
    first, *_ = [make(queue="email") for _ in range(3)]
    boss = superuser()
    asked = act(boss, "cancel_jobs", first, query="?queue=email", select_across="1")
    assert 'name="select_across" value="1"' in asked.content.decode()
    assert "3 jobs" in asked.content.decode()
    act(boss, "cancel_jobs", first, query="?queue=email", select_across="1", **REASON)
    assert set(Job.objects.values_list("state", flat=True)) == {"cancelled"}


def test_what_takes_too_long_stops_and_says_that_more_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PATIENCE", -1.0)
    job = make(State.FAILED)
    assert "run the action again to go on" in said(act(superuser(), "retry_jobs", job))[0]
    assert Job.objects.get().state == "failed"


def test_of_many_refusals_the_first_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [make(State.COMPLETED) for _ in range(bulk.TOLD + 3)]
    texts = said(act(superuser(), "retry_jobs", *jobs))
    assert len(texts) == bulk.TOLD + 1
    assert texts[-1] == "3 more were refused for reasons like these."


def test_the_engine_is_told_who_it_was(caplog: Any) -> None:
    job = make(State.FAILED)
    with caplog.at_level("INFO", logger="jobs"):
        superuser().post(job_page(job, "retry"))
    assert f"retried by hand job={job.pk} by=admin:boss@example.com" in caplog.text
