"""The first minute: registers a demo person over HTTP and follows the welcome mail through the queue.

python -m contralock.local demo        while `make run` is up
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime
from typing import TYPE_CHECKING, Any

import django

from contralock.local.telling import LIMIT, Lost, Teller

if TYPE_CHECKING:
    from jobs.models import Job

FIRST = "demo@contralock.example"
KIND = "notifications.send_message"
AGAIN = "Another one: `.venv/bin/python -m contralock.local demo`"


class Story(Teller):
    """The way of one registration; every line begins with the seconds since its start."""

    def __init__(self, email: str) -> None:
        super().__init__()
        self.email = email
        self.mail_url = os.environ.get("LOCAL_MAIL_URL", "")

    def tell(self) -> None:
        """Run the story. Raises Lost."""
        since = _database_now()
        self.say(f"POST {self.site}/api/auth/register → {self._register()}")
        job = self.until(lambda: _newest(since), f"no job {KIND} was written; is it enqueued on registration?")
        self.say(f"job {job.id} in queue {job.queue} ({job.subject or job.kind})")
        self.say(f"  {self.site}/admin/jobs/job/{job.id}/change/")
        done = self.until(lambda: _finished(job), f"job {job.id} did not finish; the lines of `{job.queue}` say why")
        self.say(_run(done))
        if self.mail_url:
            mail = self.until(self._mail, f"no mail to {self.email} came; see {self.mail_url}")
            self.say(f"mail “{mail['subject']}” to {self.email}")
            self.say(f"  {self.mail_url}/mails/{mail['id']}")

    def _register(self) -> str:
        person = {
            "email": self.email,
            "password": "correct-horse-battery-9",  # of a throw-away person on loopback
            "firstName": "Dora",
            "lastName": "Demo",
            "role": "client",
        }
        headers = {"Content-Type": "application/json"}
        try:
            answer = _open(f"{self.site}/api/auth/register", json.dumps(person).encode(), headers)
        except urllib.error.HTTPError as refused:
            raise Lost(f"registration answered {refused.code}: {refused.read(500).decode(errors='replace')}") from None
        except OSError as problem:
            raise Lost(f"{self.site} does not answer ({problem}); is `make run` up?") from None
        return f"{person['role']} {answer['user']['id']}"

    def _mail(self) -> dict[str, Any] | None:
        mails = _open(f"{self.mail_url}/api/mails")
        return next((mail for mail in mails if self.email in mail["to"]), None)


def _open(url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Any:
    """The JSON behind an address of our own run.env."""
    request = urllib.request.Request(url, body, headers or {})  # noqa: S310
    with urllib.request.urlopen(request, timeout=LIMIT) as answer:  # noqa: S310
        return json.load(answer)


def _database_now() -> datetime:
    """The database's clock, which also dates the jobs."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
        return now


def _newest(since: datetime) -> Job | None:
    from jobs.models import Job

    return Job.objects.filter(kind=KIND, created_at__gte=since).order_by("created_at").last()


def _finished(job: Job) -> Job | None:
    job.refresh_from_db()
    return job if job.finished_at is not None else None


def _run(job: Job) -> str:
    from jobs.models import Worker

    worker = Worker.objects.filter(pk=job.worker).first() if job.worker else None
    by = f"{worker.name if worker else job.worker}, process {job.worker_pid}"
    if job.started_at is None or job.finished_at is None:
        return f"{job.state}: {job.error}"
    waited = (job.started_at - job.created_at).total_seconds() * 1000
    took = (job.finished_at - job.started_at).total_seconds() * 1000
    return f"{job.state} by {by}: waited {waited:.0f} ms, ran {took:.0f} ms {job.error}".rstrip()


def main(arguments: list[str]) -> int:
    """0 when the mail arrived. With `--first-run`, nothing is done once a demo person exists."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contralock.settings")
    django.setup()
    from django.contrib.auth import get_user_model

    first_is_there = get_user_model().objects.filter(email=FIRST).exists()
    if first_is_there and "--first-run" in arguments:
        print(f"{AGAIN} registers a demo person and follows the mail.", flush=True)
        return 0
    try:
        Story(FIRST.replace("@", f"-{time.time():.0f}@") if first_is_there else FIRST).tell()
    except Lost as problem:
        print(problem, file=sys.stderr, flush=True)
        return 1
    print(AGAIN, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
