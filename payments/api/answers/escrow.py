"""Projects and milestones."""
# ruff: noqa: N815 - the names are the JSON's

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from payments import ledger, next_actions
from payments.api import hrefs
from payments.api.answers.base import Shown
from payments.ledger import accounts
from payments.models import Milestone, Project
from payments.next_actions import Action
from payments.states import MilestoneStatus


class MilestoneLine(Shown[Milestone]):
    """A milestone in a list."""

    id = serializers.IntegerField()
    projectId = serializers.IntegerField(source="project_id")
    title = serializers.CharField()
    status = serializers.ChoiceField(choices=MilestoneStatus.choices)
    amount = serializers.IntegerField(help_text="Minor units.")
    currency = serializers.CharField(source="project.currency")
    amountText = serializers.SerializerMethodField(method_name="text_of_amount")

    def text_of_amount(self, milestone: Milestone) -> str:
        return self.written(milestone.amount, milestone.project.currency)


class NextAction(serializers.Serializer[Any]):
    """One thing that who asks may do next, and the request that does it."""

    action = serializers.ChoiceField(choices=[(action.value, action.value) for action in Action])
    method = serializers.CharField()
    href = serializers.CharField()


class MilestoneAnswer(MilestoneLine):
    """A milestone as who asks sees it."""

    resumesAs = serializers.CharField(source="resumes_as", help_text="What it is besides, while it is disputed.")
    held = serializers.SerializerMethodField(help_text="Minor units that are held for it now.")
    heldText = serializers.SerializerMethodField(method_name="text_of_held")
    createdAt = serializers.DateTimeField(source="created_at")
    fundedAt = serializers.DateTimeField(source="funded_at", allow_null=True)
    deliveredAt = serializers.DateTimeField(source="delivered_at", allow_null=True)
    next = serializers.SerializerMethodField()

    def get_held(self, milestone: Milestone) -> int:
        return ledger.balance(accounts.escrow(milestone.pk, milestone.project.currency).code)

    def text_of_held(self, milestone: Milestone) -> str:
        return self.written(self.get_held(milestone), milestone.project.currency)

    @extend_schema_field(NextAction(many=True))
    def get_next(self, milestone: Milestone) -> list[dict[str, str]]:
        found = next_actions.of(milestone, self.caller)
        return [{"action": one.value, "method": "POST", "href": hrefs.action(one, milestone)} for one in found]


class ProjectLine(serializers.Serializer[Project]):
    """A project in a list."""

    id = serializers.IntegerField()
    title = serializers.CharField()
    currency = serializers.CharField()
    clientId = serializers.IntegerField(source="client_id")
    freelancerId = serializers.IntegerField(source="freelancer_id")
    createdAt = serializers.DateTimeField(source="created_at")


class ProjectAnswer(ProjectLine):
    """A project with its milestones."""

    milestones = MilestoneLine(many=True)


class Projects(serializers.Serializer[Any]):
    """Newest first, and where the next page begins."""

    projects = ProjectLine(many=True)
    nextBefore = serializers.IntegerField(allow_null=True, help_text="Ask with ?before= this; null: that was all.")
