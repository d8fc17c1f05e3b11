"""The engine's rows: columns, constraints, indexes; no behaviour.

A Job is changed by jobs/lifecycle/ only. What outlives a job holds a plain job_id without a
foreign key; attempts and log lines go with it (the database cascades, see migration 0002).
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from jobs.ids import uuid7
from jobs.outcomes import Outcome
from jobs.states import FINISHED, UNFINISHED, State

UNFINISHED_STATES = sorted(UNFINISHED)
FINISHED_STATES = sorted(FINISHED)


class Job(models.Model):
    """One piece of work, written in the transaction of whoever wants it done."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=200, help_text="Which decorated function runs it.")
    queue = models.CharField(max_length=50)
    priority = models.SmallIntegerField(default=5, help_text="0 (first) to 9 (last).")
    args = models.JSONField(default=dict, help_text="Keyword arguments, validated against the kind's signature.")
    sealed_args = models.TextField(null=True, editable=False)  # noqa: DJ001 - null: it has none
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in State])

    runs = models.IntegerField(default=0, help_text="How often it was started.")
    failures = models.IntegerField(default=0, help_text="Failed attempts, counted against max_attempts.")
    crashes = models.IntegerField(default=0, help_text="Runs that ended with their worker.")
    max_attempts = models.IntegerField(default=3)

    created_at = models.DateTimeField(db_default=models.functions.Now())
    available_at = models.DateTimeField(help_text="Due from here on.")
    started_at = models.DateTimeField(null=True, blank=True, help_text="When the latest run began.")
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Not started by then: cancelled.")

    lease_token = models.UUIDField(null=True, blank=True, help_text="The latest run's fence.")
    lease_until = models.DateTimeField(null=True, blank=True)
    deadline = models.DateTimeField(null=True, blank=True)
    worker = models.UUIDField(null=True, blank=True, help_text="Boot id of the worker of the latest run.")
    worker_pid = models.IntegerField(null=True, blank=True)

    dispatch_no = models.IntegerField(default=0, help_text="Doorbells rung so far; part of the Celery task id.")
    rings = models.SmallIntegerField(default=0, help_text="Doorbells rung for the run it now waits for.")
    published_at = models.DateTimeField(null=True, blank=True, help_text="When the latest doorbell was rung.")

    unique_key = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 - null: not unique
    concurrency_key = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 - null: no limit
    subject = models.CharField(max_length=200, blank=True, help_text="What it is about, such as escrow:42.")
    tags = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    options = models.JSONField(default=dict, help_text="As given when it was enqueued.")
    enqueued_by = models.CharField(max_length=200, blank=True)
    trace = models.CharField(max_length=55, blank=True, help_text="W3C traceparent of the enqueuer.")
    schedule_id = models.BigIntegerField(null=True, blank=True)
    slot = models.DateTimeField(null=True, blank=True, help_text="The schedule's slot it stands for.")

    progress = models.JSONField(null=True, blank=True)
    result = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)
    cancel_requested = models.BooleanField(default=False)

    class Meta:
        default_permissions = ["view"]  # rows move by the lifecycle only
        permissions = [
            ("retry_job", "Can retry a failed or cancelled job"),
            ("cancel_job", "Can cancel a job"),
            ("promote_job", "Can let a delayed job run now"),
        ]
        constraints = [
            models.CheckConstraint(name="job_state", condition=Q(state__in=[s.value for s in State])),
            models.CheckConstraint(name="job_priority", condition=Q(priority__range=(0, 9))),
            models.CheckConstraint(name="job_max_attempts", condition=Q(max_attempts__gte=1)),
            models.CheckConstraint(
                name="job_active_has_lease",
                condition=~Q(state="active") | Q(lease_token__isnull=False, lease_until__isnull=False),
            ),
            models.CheckConstraint(
                name="job_finished_at",
                condition=Q(state__in=FINISHED_STATES, finished_at__isnull=False)
                | (~Q(state__in=FINISHED_STATES) & Q(finished_at__isnull=True)),
            ),
            # Each says IS NOT NULL: else every row without a key has an entry, written anew at every move.
            models.UniqueConstraint(
                name="job_unique_key",
                fields=["unique_key"],
                condition=Q(state__in=UNFINISHED_STATES, unique_key__isnull=False),
            ),
            models.UniqueConstraint(
                name="job_one_active_per_key",
                fields=["concurrency_key"],
                condition=Q(state="active", concurrency_key__isnull=False),
            ),
            models.UniqueConstraint(
                name="job_one_per_slot", fields=["schedule_id", "slot"], condition=Q(schedule_id__isnull=False)
            ),
        ]
        indexes = [
            models.Index(
                name="job_waiting", fields=["queue", "priority", "available_at", "id"], condition=Q(state="waiting")
            ),
            models.Index(
                name="job_waiting_key",
                fields=["concurrency_key", "priority", "available_at", "id"],
                condition=Q(state="waiting", concurrency_key__isnull=False),
            ),
            models.Index(name="job_delayed", fields=["available_at"], condition=Q(state="delayed")),
            models.Index(name="job_active", fields=["lease_until"], condition=Q(state="active")),
            models.Index(
                name="job_expires",
                fields=["expires_at"],
                condition=Q(state__in=["waiting", "delayed"], expires_at__isnull=False),
            ),
            models.Index(name="job_attention", fields=["id"], condition=Q(state__in=["failed", "unknown"])),
            models.Index(
                name="job_finished", fields=["kind", "state", "finished_at"], condition=Q(finished_at__isnull=False)
            ),
            models.Index(name="job_subject", fields=["subject", "id"], condition=~Q(subject="")),
            # For people who look, newest first (jobs/admin): the filters' rare values would read the whole table.
            models.Index(name="job_kind", fields=["kind", "id"]),
            models.Index(name="job_queue", fields=["queue", "id"]),
            models.Index(name="job_unknown", fields=["id"], condition=Q(state="unknown")),
            models.Index(name="job_cancelled", fields=["id"], condition=Q(state="cancelled")),
            GinIndex(name="job_tags", fields=["tags"], condition=~Q(tags=[])),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Attempt(models.Model):
    """One run of a job that has ended; written together with the move that ended it."""

    job = models.ForeignKey(Job, models.DO_NOTHING, related_name="attempts")
    number = models.IntegerField(help_text="Which run: 1 is the first.")
    worker = models.UUIDField(null=True)
    worker_pid = models.IntegerField(null=True)
    due_at = models.DateTimeField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=[(o.value, o.value) for o in Outcome])
    error_class = models.CharField(max_length=200, blank=True)
    message = models.TextField(blank=True)
    traceback = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="attempt_number", fields=["job", "number"])]

    def __str__(self) -> str:
        return f"run {self.number}: {self.outcome}"


class JobLog(models.Model):
    """A line that a handler wrote with current_job().log()."""

    job = models.ForeignKey(Job, models.DO_NOTHING, related_name="log_lines")
    run = models.IntegerField()
    at = models.DateTimeField(db_default=models.functions.Now())
    line = models.TextField()

    class Meta:
        indexes = [models.Index(name="joblog_job", fields=["job", "id"])]

    def __str__(self) -> str:
        return self.line


class UniqueClaim(models.Model):
    """A unique key that holds for a period, whatever becomes of its job."""

    key = models.CharField(max_length=200, primary_key=True)
    job_id = models.UUIDField()
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.key


class QueueControl(models.Model):
    """What is known of a queue beside its jobs."""

    queue = models.CharField(max_length=50, primary_key=True)
    wake_at = models.DateTimeField(help_text="Doorbells rung before this moment count as lost.")

    def __str__(self) -> str:
        return self.queue


class QueuePause(models.Model):
    """One owner's pause of a queue; the queue is open when nobody holds one."""

    queue = models.CharField(max_length=50)
    owner = models.CharField(max_length=50, help_text="Who holds it: operator, breaker …")
    reason = models.TextField()
    by = models.CharField(max_length=200, blank=True, help_text="The person or part that asked for it.")
    until = models.DateTimeField(null=True, blank=True, help_text="Ends by itself then; empty: when resumed.")
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        verbose_name_plural = "queues"  # the admin's page shows every queue, paused or not
        constraints = [models.UniqueConstraint(name="pause_one_per_owner", fields=["queue", "owner"])]

    def __str__(self) -> str:
        return f"{self.queue} by {self.owner}"


class QueueLimit(models.Model):
    """How much of a queue may run, whatever the number of its workers. No row: no limit."""

    queue = models.CharField(max_length=50, primary_key=True)
    concurrency = models.IntegerField(null=True, blank=True, help_text="Jobs that may run at once.")
    rate = models.IntegerField(null=True, blank=True, help_text="Runs that may start in a period.")
    period = models.FloatField(null=True, blank=True, help_text="Seconds.")
    window_start = models.DateTimeField(null=True, blank=True, help_text="When the present period began.")
    window_runs = models.IntegerField(db_default=0, help_text="Runs started in it.")
    by = models.CharField(max_length=200, blank=True, help_text="Who set it.")
    changed_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        default_permissions = ["change"]
        constraints = [
            models.CheckConstraint(name="limit_limits", condition=Q(concurrency__isnull=False) | Q(rate__isnull=False)),
            models.CheckConstraint(
                name="limit_concurrency", condition=Q(concurrency__isnull=True) | Q(concurrency__gte=1)
            ),
            models.CheckConstraint(
                name="limit_rate",
                condition=Q(rate__isnull=True, period__isnull=True) | Q(rate__gte=1, period__gte=1),
            ),
        ]

    def __str__(self) -> str:
        return self.queue


class Worker(models.Model):
    """One start of one worker (a boot)."""

    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=200, help_text="Celery's node name.")
    host = models.CharField(max_length=200)
    pid = models.IntegerField()
    queues = ArrayField(models.CharField(max_length=50))
    kinds = ArrayField(models.CharField(max_length=200))
    concurrency = models.IntegerField()
    version = models.CharField(max_length=50)
    started_at = models.DateTimeField(db_default=models.functions.Now())
    seen_at = models.DateTimeField(db_default=models.functions.Now())
    stopping = models.BooleanField(db_default=False)
    stopped_at = models.DateTimeField(null=True, blank=True, help_text="When it left cleanly.")

    def __str__(self) -> str:
        return self.name


class Keeper(models.Model):
    """What all keepers share; one row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    ticked_at = models.DateTimeField(help_text="When a keeper last finished a tick.")
    reap_after = models.DateTimeField(help_text="No lease is taken away before this moment.")
    epoch = models.CharField(max_length=100, blank=True, help_text="The broker's mark as last seen.")
    epoch_at = models.DateTimeField(help_text="Doorbells rung before this moment count as lost.")

    class Meta:
        constraints = [models.CheckConstraint(name="keeper_one_row", condition=Q(id=1))]

    def __str__(self) -> str:
        return f"keeper, {self.ticked_at}"
