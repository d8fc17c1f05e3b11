"""What happened."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class LinkLine(serializers.Serializer[Any]):
    """Something that a line is about."""

    what = serializers.CharField()
    id = serializers.CharField()
    href = serializers.CharField(allow_null=True, help_text="Its page, where who asks may open it.")


class TimelineLine(serializers.Serializer[Any]):
    """One thing that happened."""

    at = serializers.DateTimeField()
    what = serializers.CharField(help_text="For programs.")
    words = serializers.CharField(help_text="For people.")
    amount = serializers.IntegerField(source="money.minor", default=None, allow_null=True, help_text="Minor units.")
    currency = serializers.CharField(source="money.currency", default=None, allow_null=True)
    links = LinkLine(many=True)


class Timeline(serializers.Serializer[Any]):
    """Everything that happened to a milestone's money, oldest first."""

    lines = TimelineLine(many=True)
