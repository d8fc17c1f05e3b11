"""A job's own page: what it is, why it waits, how it ran, what may be done."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from jobs.admin.timeline import LEAST, WIDTH, timeline
from jobs.database import now
from jobs.enqueue import enqueue_json
from jobs.kinds import kind_of
from jobs.models import Attempt, Job, JobLog
from jobs.states import State
from tests.jobs import zoo
from tests.jobs.operators import job_page, staff, superuser
from tests.jobs.rows import HOUR, LONG_AGO, SECOND, make, worker

pytestmark = pytest.mark.django_db


def shown(job: Job, someone: Any = None) -> str:
    answer = (someone or superuser()).get(job_page(job))
    assert answer.status_code == 200
    return str(answer.content.decode())


def attempt(job: Job, number: int, *, begin: Any = LONG_AGO, **fields: Any) -> Attempt:
    given = {"due_at": begin, "started_at": begin + SECOND, "finished_at": begin + 3 * SECOND, "outcome": "failed"}
    return Attempt.objects.create(job=job, number=number, **given | fields)


def test_it_says_what_the_job_is_and_why_it_does_not_run() -> None:
    job = make(
        kind="zoo.typed", args={"key": "01a20bf9-b03d-73b4-8fb5-501628c94120", "day": "2026-03-01"}, subject="s:1"
    )
    text = shown(job)
    assert "Look at 01a20bf9-b03d-73b4-8fb5-501628c94120 on 2026-03-01" in text
    assert "no living worker serves queue &#x27;general&#x27;" in text
    assert re.search(r'state-waiting"><span aria-hidden="true">○</span> waiting', text), "sign, word and colour"


def test_runs_are_drawn_with_their_errors_tracebacks_and_workers() -> None:
    job, boot = make(State.FAILED, runs=2, error="no such mail"), worker(name="email@h1")
    attempt(job, 1, worker=boot.pk, error_class="ValueError", message="<b>odd</b>", traceback="Traceback: line 1")
    attempt(job, 2, begin=LONG_AGO + 10 * SECOND)
    text = shown(job)
    assert "waited 1.0 s, ran 2.0 s, backed off 7.0 s" in text
    assert "&lt;b&gt;odd&lt;/b&gt;" in text
    assert "<details><summary>Traceback</summary><pre>Traceback: line 1</pre></details>" in text
    assert "email@h1" in text
    assert "no such mail" in text


def test_sensitive_arguments_stay_masked(broker: Any) -> None:
    handle = enqueue_json(
        kind_of(f"{zoo.__name__.rpartition('.')[2]}.secretive"), {"who": "ada", "iban": "DE8937040044"}
    )
    text = shown(Job.objects.get(pk=handle.id))
    assert "DE8937040044" not in text
    assert "•••" in text
    assert "Sensitive arguments are masked" in text
    assert str(Job.objects.get(pk=handle.id).sealed_args) not in text


def test_log_result_progress_and_options_are_shown() -> None:
    job = make(State.COMPLETED, result={"sent": True}, progress={"percent": 40}, options={"countdown": 3}, tags=["vip"])
    JobLog.objects.create(job=job, run=1, line="half <way> there")
    text = shown(job)
    for words in (
        "&quot;sent&quot;: true",
        "&quot;percent&quot;: 40",
        "&quot;countdown&quot;: 3",
        "half &lt;way&gt; there",
        "vip",
    ):
        assert words in text


def test_jobs_about_the_same_subject_and_its_schedule_are_a_click_away() -> None:
    every = IntervalSchedule.objects.create(every=1, period="hours")
    entry = PeriodicTask.objects.create(name="hourly look", task="zoo.perform", interval=every)
    job, other = make(subject="escrow:42", schedule_id=entry.pk, slot=LONG_AGO), make(subject="escrow:42")
    stranger = make(subject="escrow:43")
    text = shown(job)
    assert job_page(other) in text
    assert job_page(stranger) not in text
    assert "hourly look" in text
    assert "hourly look" not in shown(job, staff("view_job")), "who may not see schedules sees no name of one"


def buttons(text: str) -> dict[str, bool]:
    found = re.findall(r'<button class="button[^"]*" type="submit"( disabled[^>]*)?>(\w+)', text)
    return {name: not disabled for disabled, name in found}


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        (State.WAITING, {"Cancel"}),
        (State.DELAYED, {"Run", "Cancel"}),
        (State.ACTIVE, {"Cancel"}),
        (State.FAILED, {"Retry"}),
        (State.CANCELLED, {"Retry"}),
        (State.COMPLETED, set()),
        (State.UNKNOWN, set()),
    ],
)
def test_only_legal_moves_are_offered_and_the_others_say_why(state: State, offered: set[str]) -> None:
    text = shown(make(state))
    assert {name for name, on in buttons(text).items() if on} == offered
    if "Retry" not in offered:
        assert f"This job is {state}; only a failed or cancelled job can be retried." in text


def test_without_the_permission_a_button_says_so() -> None:
    text = shown(make(State.FAILED), staff("view_job"))
    assert not any(buttons(text).values())
    assert "You lack the permission to retry jobs." in text


def test_a_job_that_was_asked_to_stop_is_not_asked_again() -> None:
    assert "It was asked to stop already" in shown(make(State.ACTIVE, cancel_requested=True))


def test_the_page_costs_few_queries(django_assert_max_num_queries: Any) -> None:
    job = make(State.FAILED, subject="s:1", runs=30)
    for number in range(1, 31):
        attempt(job, number, begin=LONG_AGO + number * HOUR)
        make(subject="s:1")
    boss = superuser()
    with django_assert_max_num_queries(14):
        shown(job, boss)


# ---------------------------------------------------------------- the drawing
def test_bars_lie_on_one_scale_and_inside_the_drawing() -> None:
    job = make(State.FAILED, runs=2)
    first = attempt(job, 1)
    second = attempt(job, 2, begin=LONG_AGO + timedelta(days=30))
    one, two = timeline(job, [first, second], now())
    assert [bar.what for bar in one.bars] == ["waited", "ran", "backed off"]
    assert [bar.what for bar in two.bars] == ["waited", "ran"]
    assert all(bar.width >= LEAST and 0 <= bar.x <= WIDTH - bar.width for run in (one, two) for bar in run.bars)
    assert two.bars[-1].x + two.bars[-1].width == WIDTH


def test_the_run_that_goes_on_is_drawn_until_now() -> None:
    moment = now()
    job = make(State.ACTIVE, runs=1, available_at=moment - 3 * SECOND, started_at=moment - 2 * SECOND)
    (run,) = timeline(job, [], moment)
    assert [(bar.what, bar.length) for bar in run.bars] == [("waited", SECOND), ("ran", 2 * SECOND)]
    assert (run.number, run.outcome) == (1, "active")


def test_a_job_that_waits_for_its_next_run_shows_its_back_off() -> None:
    moment = now()
    job = make(State.DELAYED, runs=1, available_at=moment + HOUR)
    (run,) = timeline(job, [attempt(job, 1, begin=moment - 3 * SECOND)], moment)
    assert [bar.what for bar in run.bars] == ["waited", "ran", "backed off"]
    assert run.bars[2].length == HOUR


def test_nothing_is_drawn_of_a_job_that_never_ran() -> None:
    assert timeline(make(State.CANCELLED), [], now()) == []
