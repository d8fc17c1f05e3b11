"""Finding jobs, reading one, and moving it."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from jobs import control
from jobs.api import answers
from jobs.api.base import QueueView, Refused, job_of, who
from jobs.api.bullmq import as_bullmq
from jobs.lifecycle import CannotMove
from jobs.models import Job
from jobs.search import search
from jobs.states import State

PAGE = 50
FILTERS = ("queue", "kind", "subject")
HEAVY = ("args", "options", "result", "progress", "sealed_args", "trace")


class JobsView(QueueView):
    """All jobs."""

    rights = {"GET": "jobs.view_job"}
    further_problems = (400,)

    @extend_schema(
        operation_id="jobs_list",
        tags=["queues"],
        summary="Find jobs",
        parameters=[
            *(OpenApiParameter(name, str) for name in FILTERS),
            OpenApiParameter("state", str, enum=[state.value for state in State]),
            OpenApiParameter("tag", str),
            OpenApiParameter("search", str, description="An id, kind, subject, tag, or part of a failed job's error."),
            OpenApiParameter("before", OpenApiTypes.UUID, description="Only jobs written before this one."),
        ],
        responses={200: answers.JobPage},
    )
    def get(self, request: Request) -> Response:
        """Those that fit all that is named, newest first, fifty at a time."""
        page = list(_asked(request.query_params)[: PAGE + 1])
        more = page[PAGE - 1].pk if len(page) > PAGE else None
        return Response(answers.JobPage({"jobs": page[:PAGE], "nextBefore": more}).data)


class OneJobView(QueueView):
    """One job."""

    rights = {"GET": "jobs.view_job"}

    @extend_schema(tags=["queues"], summary="Read a job", responses={200: answers.JobDetails})
    def get(self, request: Request, queue: str, job_id: str) -> Response:
        """As BullMQ shows it."""
        return Response(as_bullmq(job_of(queue, job_id)))


class RetryView(QueueView):
    """Retrying a job."""

    rights = {"POST": "jobs.retry_job"}
    further_problems = (400,)

    @extend_schema(tags=["queues"], summary="Retry a failed job", request=None, responses={200: answers.Done})
    def post(self, request: Request, queue: str, job_id: str) -> Response:
        """Starts a failed or cancelled job afresh: failures and crashes count from zero."""
        job = job_of(queue, job_id)
        if job.state not in (State.FAILED, State.CANCELLED):
            raise Refused(f"Job {job_id} is not in failed state")
        _move(lambda: control.retry(job.id, by=who(request)))
        return Response({"message": f"Job {job_id} retried successfully"})


class PromoteView(QueueView):
    """Letting a delayed job run now."""

    rights = {"POST": "jobs.promote_job"}
    further_problems = (400,)

    @extend_schema(tags=["queues"], summary="Run a delayed job now", request=None, responses={200: answers.Done})
    def post(self, request: Request, queue: str, job_id: str) -> Response:
        """Due now instead of at its time."""
        job = job_of(queue, job_id)
        _move(lambda: control.promote(job.id, by=who(request)))
        return Response({"message": f"Job {job_id} is due now"})


class CancelView(QueueView):
    """Cancelling a job."""

    rights = {"POST": "jobs.cancel_job"}

    @extend_schema(tags=["queues"], summary="Cancel a job", request=answers.ReasonForm, responses={200: answers.Done})
    def post(self, request: Request, queue: str, job_id: str) -> Response:
        """It never starts; a running one is asked to stop at its next checkpoint."""
        job = job_of(queue, job_id)
        form = answers.ReasonForm(data=request.data)
        form.is_valid(raise_exception=True)
        reason = form.validated_data["reason"]
        state = _move(lambda: control.cancel(job.id, reason=reason, by=who(request)))
        done = "is cancelled" if state is State.CANCELLED else "was asked to stop at its next checkpoint"
        return Response({"message": f"Job {job_id} {done}"})


def _move(act: Any) -> Any:
    try:
        return act()
    except CannotMove as refusal:
        raise Refused(str(refusal)) from None


def _asked(given: Any) -> QuerySet[Job]:
    """The jobs that the query names. Raises ValidationError for what makes no sense."""
    found = Job.objects.defer(*HEAVY).order_by("-id")
    for name in FILTERS:
        if value := given.get(name, ""):
            found = found.filter(**{name: _text(name, value)})
    if state := given.get("state", ""):
        if state not in set(State):
            raise ValidationError({"state": [f"A state is one of {', '.join(State)}, not {state!r}."]})
        found = found.filter(state=state)
    if tag := given.get("tag", ""):
        found = found.filter(tags__contains=[_text("tag", tag)]).exclude(tags=[])
    if before := given.get("before", ""):
        try:
            found = found.filter(pk__lt=uuid.UUID(before))
        except ValueError:
            raise ValidationError({"before": [f"{before!r} is not a job id (a UUID)."]}) from None
    return search(found, given.get("search", ""))


def _text(name: str, value: str) -> str:
    if "\0" in value:
        raise ValidationError({name: ["PostgreSQL holds no NUL character."]})
    return value
