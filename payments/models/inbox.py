"""What Stripe told us, as it came."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class EventState(models.TextChoices):
    """What became of an event."""

    RECEIVED = "received"
    HANDLED = "handled"
    IGNORED = "ignored"  # of a type, or a mode, that is none of ours
    FAILED = "failed"


class StripeEvent(models.Model):
    """One delivered event, stored once. It is a signal only: whoever handles it reads the object again at Stripe."""

    event_id = models.CharField(max_length=255, unique=True, help_text="evt_…")
    account = models.CharField(max_length=255, blank=True, help_text="The connected account; empty: the platform.")
    type = models.CharField(max_length=100)
    object_id = models.CharField(max_length=255, blank=True)
    livemode = models.BooleanField()
    body = models.JSONField()
    received_at = models.DateTimeField(db_default=models.functions.Now())
    handled_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=EventState.choices, default=EventState.RECEIVED)
    error = models.TextField(blank=True)
    job_id = models.UUIDField(null=True, blank=True, db_index=True, help_text="The job that applies it.")

    class Meta:
        verbose_name = "Stripe event"
        ordering = ("-id",)
        default_permissions = ["view"]
        constraints = [
            models.CheckConstraint(name="event_state", condition=Q(state__in=EventState.values)),
            models.CheckConstraint(name="event_id_set", condition=~Q(event_id="") & ~Q(type="")),
            models.CheckConstraint(
                name="event_handled_at",
                condition=Q(state=EventState.RECEIVED, handled_at__isnull=True)
                | (~Q(state=EventState.RECEIVED) & Q(handled_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(name="event_object", fields=["object_id", "type"]),
            models.Index(name="event_unhandled", fields=["received_at"], condition=Q(state=EventState.RECEIVED)),
            models.Index(name="event_failed", fields=["id"], condition=Q(state=EventState.FAILED)),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
