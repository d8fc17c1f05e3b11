"""Projects, and the milestones that are added to them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from payments import services
from payments.api import answers, visible
from payments.api.base import MoneyView, caller_of, read
from payments.api.forms import MilestoneForm, ProjectForm
from payments.api.once import once
from payments.idempotency import Answer

PAGE = 50


class ProjectsView(MoneyView):
    """My projects."""

    @extend_schema(
        operation_id="projects_list",
        tags=["projects"],
        summary="List projects",
        parameters=[OpenApiParameter("before", OpenApiTypes.INT, description="Only those with a smaller id.")],
        responses={200: answers.Projects},
    )
    def get(self, request: Request) -> Response:
        """Those that I pay for or work for (staff: all), newest first, fifty at a time."""
        found = visible.projects(caller_of(request))
        if "before" in request.query_params:
            found = found.filter(pk__lt=_number(request.query_params["before"]))
        page = list(found.order_by("-id")[: PAGE + 1])
        more = page[PAGE - 1].pk if len(page) > PAGE else None
        return Response(answers.Projects({"projects": page[:PAGE], "nextBefore": more}).data)

    @extend_schema(
        tags=["projects"], summary="Open a project", request=ProjectForm, responses={201: answers.ProjectAnswer}
    )
    @once
    def post(self, request: Request) -> Answer:
        """201 with a project of mine, as its client, with a freelancer."""
        caller = caller_of(request)
        project = services.create_project(client=caller, **read(ProjectForm, request))
        project.refresh_from_db()
        return Answer(body=answers.shown(answers.ProjectAnswer, project, caller), status=201)


class ProjectView(MoneyView):
    """One project."""

    @extend_schema(tags=["projects"], summary="Read a project", responses={200: answers.ProjectAnswer})
    def get(self, request: Request, project_id: int) -> Response:
        """With its milestones."""
        caller = caller_of(request)
        return Response(answers.shown(answers.ProjectAnswer, visible.project(caller, project_id), caller))


class MilestonesView(MoneyView):
    """The milestones of one project."""

    @extend_schema(
        tags=["projects"], summary="Add a milestone", request=MilestoneForm, responses={201: answers.MilestoneAnswer}
    )
    @once
    def post(self, request: Request, project_id: int) -> Answer:
        """201 with a draft: nothing is to be paid before its client pays for it."""
        caller = caller_of(request)
        project = visible.project(caller, project_id)
        milestone = services.add_milestone(project=project, by=caller, **read(MilestoneForm, request))
        milestone.refresh_from_db()
        return Answer(body=answers.shown(answers.MilestoneAnswer, milestone, caller), status=201)


def _number(text: Any) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise serializers.ValidationError({"before": ["The number of a project."]})
    return int(text)
