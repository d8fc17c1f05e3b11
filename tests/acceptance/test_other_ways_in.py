"""Celery's other ways to send a task end at a row as well."""

from __future__ import annotations

import uuid

from celery import Celery

from contralock.celery import app
from contralock.local.waiting import wait_until
from jobs import JobHandle
from jobs.models import Job
from tests.acceptance import handlers  # noqa: F401 - declares the kinds
from tests.acceptance.history import effects, job, outcomes, wait_completed
from tests.nodes import WorkerNode


def test_send_task_by_name_enqueues_a_job(worker: WorkerNode) -> None:
    handle = app.send_task("story.say", kwargs={"word": "by name"})
    assert isinstance(handle, JobHandle)
    wait_completed([handle])
    assert effects() == ["by name"]


def test_a_plain_celery_message_is_adopted_and_only_once_when_it_comes_twice(worker: WorkerNode) -> None:
    handle = JobHandle(uuid.uuid4())
    for _ in range(2):
        Celery.send_task(app, "story.say", kwargs={"word": "adopted"}, task_id=handle.task_id, queue="general")
    wait_until(lambda: Job.objects.filter(pk=handle.id).exists(), limit=10, what="adoption")
    wait_completed([handle])
    Celery.send_task(app, "story.say", kwargs={"word": "adopted"}, task_id=handle.task_id, queue="general")
    last = app.send_task("story.say", kwargs={"word": "last"})
    wait_completed([last])
    assert effects() == ["adopted", "last"]
    assert (job(handle).runs, outcomes(handle)) == (1, ["completed"])
    assert "adopted" in job(handle).enqueued_by


def test_a_plain_message_that_does_not_fit_makes_no_job_and_stops_nobody(worker: WorkerNode) -> None:
    Celery.send_task(app, "story.say", kwargs={"wrod": "typo"}, task_id=str(uuid.uuid4()), queue="general")
    Celery.send_task(app, "story.say", kwargs={"word": "no id"}, task_id="not-an-id", queue="general")
    wait_completed([app.send_task("story.say", kwargs={"word": "last"})])
    assert effects() == ["last"]
    assert Job.objects.count() == 1
    assert "unknown argument 'wrod'" in worker.logs()
    assert "NotADoorbell" in worker.logs()
