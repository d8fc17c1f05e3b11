"""Running a message's job in the test's own process."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from celery.exceptions import Retry
from django.utils import timezone

from jobs.execution import JobFailed, run_job
from jobs.kinds import kind_of
from jobs.models import Job
from notifications.models import Message


def run(message: Message) -> Job:
    """Run the message's job once more, as a worker would; what waits for its time waits no longer."""
    assert message.job_id is not None
    Job.objects.filter(pk=message.job_id).exclude(state="waiting").update(state="waiting", finished_at=None)
    with suppress(Retry, JobFailed):
        run_job(kind_of("notifications.send_message"), message.job_id)
    message.refresh_from_db()
    return Job.objects.get(pk=message.job_id)


def delay(job: Job) -> float:
    """Seconds until the job runs again."""
    return (job.available_at - timezone.now()).total_seconds()


def long_ago(message: Message) -> None:
    """Let MAIL_RESEND_AFTER pass."""
    Message.objects.filter(pk=message.pk).update(sending_since=timezone.now() - timedelta(days=1))
