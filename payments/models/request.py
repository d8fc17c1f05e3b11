"""What a caller's Idempotency-Key was answered."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from payments.models.operation import Operation


class RequestState(models.TextChoices):
    """Whether the answer is known."""

    RUNNING = "running"
    DONE = "done"


class IdempotencyRequest(models.Model):
    """One POST with an Idempotency-Key: its answer is kept in the transaction of its effect, and given again."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    route = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    body_hash = models.CharField(max_length=64, help_text="SHA-256 of the body: another body with this key is refused.")
    state = models.CharField(max_length=10, choices=RequestState.choices, default=RequestState.RUNNING)
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)
    response_body = models.JSONField(null=True, blank=True)
    operation = models.ForeignKey(Operation, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(db_default=models.functions.Now())
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(name="idempotency_request_once", fields=["user", "route", "key"]),
            models.CheckConstraint(name="idempotency_request_key_set", condition=~Q(key="")),
            models.CheckConstraint(name="idempotency_request_state", condition=Q(state__in=RequestState.values)),
            models.CheckConstraint(
                name="idempotency_request_answer",
                condition=Q(state=RequestState.RUNNING, response_status__isnull=True)
                | Q(state=RequestState.DONE, response_status__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"
