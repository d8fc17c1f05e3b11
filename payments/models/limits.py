"""What all workers share about Stripe: how fast they may call it, and whether it is there at all.

Rows, not Redis: a wiped Redis must not reset the limits of money.
"""

from __future__ import annotations

from django.db import models


class RateBucket(models.Model):
    """Tokens for the calls of one endpoint (payments/throttle.py)."""

    endpoint = models.CharField(max_length=50, primary_key=True)
    tokens = models.FloatField()
    refilled_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.endpoint


class Breaker(models.Model):
    """Whether Stripe answers (payments/breaker.py); one row. `retry_at` is set while it does not."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    failures = models.IntegerField(default=0, help_text="In a row.")
    openings = models.IntegerField(default=0, help_text="In a row: each waits longer.")
    retry_at = models.DateTimeField(null=True, blank=True, help_text="Not asked before then.")
    probe_until = models.DateTimeField(null=True, blank=True, help_text="One call looks whether it is back.")
    error = models.TextField(blank=True)

    class Meta:
        constraints = [models.CheckConstraint(name="breaker_one_row", condition=models.Q(id=1))]

    def __str__(self) -> str:
        return "open" if self.retry_at else "closed"
