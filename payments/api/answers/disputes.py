"""Disputes."""
# ruff: noqa: N815 - the names are the JSON's

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from payments.api.answers.money import OperationAnswer
from payments.models import Dispute
from payments.states import DisputeStatus, Resolution


class DisputeAnswer(serializers.Serializer[Dispute]):
    """A dispute."""

    id = serializers.IntegerField()
    milestoneId = serializers.IntegerField(source="milestone_id")
    reason = serializers.CharField()
    status = serializers.ChoiceField(choices=DisputeStatus.choices)
    resolution = serializers.ChoiceField(choices=Resolution.choices, allow_blank=True)
    resolutionReason = serializers.CharField(source="resolution_reason")
    openedAt = serializers.DateTimeField(source="opened_at")
    closedAt = serializers.DateTimeField(source="closed_at", allow_null=True)


class ResolvedAnswer(serializers.Serializer[Any]):
    """A decided dispute, and the operation that carries the decision out (null: dismissed)."""

    dispute = DisputeAnswer()
    operation = OperationAnswer(allow_null=True)
