"""What the views of this room share."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from rest_framework.exceptions import APIException, NotFound
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from jobs.models import Job


class Operator(BasePermission):
    """Staff with the permissions that the view names for this method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        needed: dict[str, str] = view.rights
        person = request.user
        right = needed.get(request.method or "", needed.get("GET", ""))
        return bool(person.is_active and person.is_staff and right and person.has_perm(right))


@method_decorator(never_cache, name="dispatch")
class QueueView(APIView):
    """For operators. `rights` names the permission that each method needs."""

    permission_classes = (Operator,)
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "operators"
    rights: dict[str, str]

    def handle_exception(self, error: Exception) -> Response:
        """A problem; the text stands also in `error`, where programs written for the seed's answers look."""
        response = super().handle_exception(error)
        if isinstance(error, APIException):
            response.data["error"] = response.data["detail"]
        return response


class Refused(APIException):
    """The job or the queue is not in a state for this."""

    status_code = 400
    default_code = "refused"


def who(request: Request) -> str:
    """Whom the engine's records name as the one who asked for it."""
    return f"api:{request.user.get_username()}"[:200]


def queue_named(name: str) -> str:
    """The queue of this name. Raises NotFound."""
    if name not in settings.JOBS_QUEUES:
        raise NotFound(f"Queue {name} not found")
    return name


def job_of(queue: str, job_id: str) -> Job:
    """The job with this id on this queue. Raises NotFound."""
    queue_named(queue)
    try:
        return Job.objects.get(pk=uuid.UUID(job_id), queue=queue)
    except (ValueError, Job.DoesNotExist):
        raise NotFound(f"Job {job_id} not found") from None
