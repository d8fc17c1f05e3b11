"""What happened to a milestone's money."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from payments import timeline
from payments.api import answers, visible
from payments.api.base import MoneyView, caller_of
from payments.roles import is_staff


class TimelineView(MoneyView):
    """One list of everything."""

    @extend_schema(tags=["milestones"], summary="Read a milestone's timeline", responses={200: answers.Timeline})
    def get(self, request: Request, milestone_id: int) -> Response:
        """Requests, jobs and their runs, rows of the books, Stripe's ids and disputes; oldest first."""
        caller = caller_of(request)
        lines = timeline.of(visible.milestone(caller, milestone_id), staff=is_staff(caller))
        return Response(answers.Timeline({"lines": lines}).data)
