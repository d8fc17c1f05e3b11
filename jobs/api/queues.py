"""How queues stand; pausing, resuming and limiting them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from jobs import limits, queues, selectors
from jobs.api import answers
from jobs.api.base import QueueView, Refused, queue_named, who
from jobs.database import now as database_now
from jobs.models import QueueLimit
from jobs.standing import standings


class StatusView(QueueView):
    """All queues in numbers."""

    rights = {"GET": "jobs.view_job"}

    @extend_schema(
        tags=["queues"],
        summary="Count jobs",
        responses={200: {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/QueueCounts"}}},
    )
    def get(self, request: Request) -> Response:
        """Per queue, how many jobs are in each state."""
        return Response(selectors.counts())


class OneQueueView(QueueView):
    """One queue."""

    rights = {"GET": "jobs.view_queuepause"}

    @extend_schema(tags=["queues"], summary="Read a queue", responses={200: answers.QueueAnswer})
    def get(self, request: Request, queue: str) -> Response:
        """Its numbers, pauses, limits and workers, and why nothing runs."""
        return Response(_shown(queue_named(queue)))


class PauseView(QueueView):
    """Pausing and resuming."""

    rights = {"PUT": "jobs.add_queuepause", "DELETE": "jobs.delete_queuepause"}

    @extend_schema(
        tags=["queues"], summary="Pause a queue", request=answers.PauseForm, responses={200: answers.QueueAnswer}
    )
    def put(self, request: Request, queue: str) -> Response:
        """What runs goes on, enqueuing goes on, nothing new starts. A second pause replaces the first."""
        given = _read(answers.PauseForm, request, queue)
        until = database_now() + timedelta(seconds=given["seconds"]) if "seconds" in given else None
        queues.pause(queue, reason=given["reason"], by=who(request), until=until)
        return Response(_shown(queue))

    @extend_schema(tags=["queues"], summary="Resume a queue", responses={200: answers.QueueAnswer})
    def delete(self, request: Request, queue: str) -> Response:
        """Lifts the operators' pause; nobody else's. Does nothing to a queue that they have not paused."""
        queues.resume(queue_named(queue))
        return Response(_shown(queue))


class LimitsView(QueueView):
    """Limiting."""

    rights = {"PUT": "jobs.change_queuelimit", "DELETE": "jobs.change_queuelimit"}

    @extend_schema(
        tags=["queues"], summary="Limit a queue", request=answers.LimitsForm, responses={200: answers.QueueAnswer}
    )
    def put(self, request: Request, queue: str) -> Response:
        """At most so many jobs at once, or so many starts in a period, of all workers together."""
        given = _read(answers.LimitsForm, request, queue)
        numbers = {name: given.get(name) for name in ("concurrency", "rate", "period")}
        try:
            limits.limit(queue, by=who(request), **numbers)
        except ValueError as error:
            raise Refused(str(error)) from None
        return Response(_shown(queue))

    @extend_schema(tags=["queues"], summary="Lift a queue's limits", responses={200: answers.QueueAnswer})
    def delete(self, request: Request, queue: str) -> Response:
        """As many run as there are processes. Does nothing to a queue without limits."""
        limits.lift(queue_named(queue))
        return Response(_shown(queue))


def _read(form: type[Serializer[Any]], request: Request, queue: str) -> dict[str, Any]:
    queue_named(queue)
    filled = form(data=request.data)
    filled.is_valid(raise_exception=True)
    return dict(filled.validated_data)


def _shown(queue: str) -> dict[str, Any]:
    now = database_now()
    [found] = [standing for standing in standings(now) if standing.queue == queue]
    return dict(
        answers.QueueAnswer(
            {
                "queue": queue,
                "counts": selectors.counts()[queue],
                "oldestDueSeconds": found.oldest_due and round(found.oldest_due.total_seconds(), 1),
                "pauses": found.pauses,
                "limits": QueueLimit.objects.filter(queue=queue).first(),
                "workers": [worker.name for worker in found.workers],
                "processes": found.processes,
                "why": found.why_still,
            }
        ).data
    )
