"""What the API answers and takes, for its description and for reading bodies."""
# ruff: noqa: N815 - the names are the JSON's

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from jobs import limits
from jobs.models import Job
from jobs.states import State


class QueueCounts(serializers.Serializer[Any]):
    """One queue's jobs by state; the first five as BullMQ counts them."""

    waiting = serializers.IntegerField()
    active = serializers.IntegerField()
    completed = serializers.IntegerField()
    failed = serializers.IntegerField()
    delayed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    unknown = serializers.IntegerField(help_text="Whether it happened is not known; a resolver or a person decides.")


class JobDetails(serializers.Serializer[Any]):
    """A job as BullMQ shows it. What has not happened yet is left out."""

    id = serializers.CharField()
    name = serializers.CharField(help_text="The kind.")
    data = serializers.DictField(help_text="Arguments; sensitive ones masked.")  # type: ignore[assignment]
    opts = serializers.DictField()
    progress = serializers.JSONField()
    attemptsMade = serializers.IntegerField()
    finishedOn = serializers.IntegerField(required=False, help_text="Milliseconds since 1970.")
    processedOn = serializers.IntegerField(required=False, help_text="Milliseconds since 1970: the latest run.")
    timestamp = serializers.IntegerField(help_text="Milliseconds since 1970: written.")
    failedReason = serializers.CharField(required=False)
    stacktrace = serializers.ListField(child=serializers.CharField())
    returnvalue = serializers.JSONField(help_text="Null at first.")
    parentKey = serializers.CharField(required=False, help_text="Never there: no job has a parent.")


class Done(serializers.Serializer[Any]):
    """What was done, in words."""

    message = serializers.CharField()


class JobLine(serializers.Serializer[Job]):
    """A job in a list."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    queue = serializers.CharField()
    state = serializers.ChoiceField(choices=[(state.value, state.value) for state in State])
    priority = serializers.IntegerField()
    runs = serializers.IntegerField()
    failures = serializers.IntegerField()
    crashes = serializers.IntegerField()
    maxAttempts = serializers.IntegerField(source="max_attempts")
    subject = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    createdAt = serializers.DateTimeField(source="created_at")
    availableAt = serializers.DateTimeField(source="available_at")
    startedAt = serializers.DateTimeField(source="started_at", allow_null=True)
    finishedAt = serializers.DateTimeField(source="finished_at", allow_null=True)
    error = serializers.CharField()


class JobPage(serializers.Serializer[Any]):
    """Jobs, newest first."""

    jobs = JobLine(many=True)
    nextBefore = serializers.UUIDField(allow_null=True, help_text="`before` of the next page; null: this is the last.")


class PauseAnswer(serializers.Serializer[Any]):
    """One owner's pause."""

    owner = serializers.CharField(help_text="operator, or a part of the engine such as breaker.")
    by = serializers.CharField()
    reason = serializers.CharField()
    since = serializers.DateTimeField(source="created_at")
    until = serializers.DateTimeField(allow_null=True)


class LimitsAnswer(serializers.Serializer[Any]):
    """How much of a queue may run."""

    concurrency = serializers.IntegerField(allow_null=True, help_text="Jobs at once, of all workers.")
    rate = serializers.IntegerField(allow_null=True, help_text="Starts in a period.")
    period = serializers.FloatField(allow_null=True, help_text="Seconds.")


class QueueAnswer(serializers.Serializer[Any]):
    """How a queue stands."""

    queue = serializers.CharField()
    counts = QueueCounts()
    oldestDueSeconds = serializers.FloatField(allow_null=True)
    pauses = PauseAnswer(many=True)
    limits = LimitsAnswer(allow_null=True)
    workers = serializers.ListField(child=serializers.CharField())
    processes = serializers.IntegerField()
    why = serializers.CharField(help_text="Why nothing runs, or that something does.")


class PauseForm(serializers.Serializer[Any]):
    """A pause by hand."""

    reason = serializers.CharField(max_length=500)
    seconds = serializers.FloatField(
        required=False, min_value=1, max_value=limits.LONGEST, help_text="Ends by itself after this."
    )


class LimitsForm(serializers.Serializer[Any]):
    """Limits, in place of any before."""

    concurrency = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=limits.MOST)
    rate = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=limits.MOST)
    period = serializers.FloatField(required=False, allow_null=True, min_value=1, max_value=limits.LONGEST)


class ReasonForm(serializers.Serializer[Any]):
    """Why."""

    reason = serializers.CharField(max_length=500)
