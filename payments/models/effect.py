"""What was done with an operation, step by step, and by which run of which job."""

from __future__ import annotations

from django.db import models

from payments.models.operation import Operation
from payments.states import Dispatch, Status


class Effect(models.Model):
    """One step of an operation: what was begun (committed before Stripe is asked), and what came of it.

    Written in the transaction of the step, never changed (triggers of migration 0005), and kept when the job is gone.
    """

    operation = models.ForeignKey(Operation, models.PROTECT, related_name="effects")
    step = models.CharField(max_length=20, help_text="Such as sent, confirmed, booked, paid.")
    dispatch = models.CharField(max_length=10, choices=Dispatch.choices, help_text="After the step.")
    status = models.CharField(max_length=20, choices=Status.choices, help_text="After the step.")
    attempt = models.PositiveIntegerField()
    stripe_id = models.CharField(max_length=255, blank=True)
    error = models.TextField(blank=True)
    job_id = models.UUIDField(null=True, blank=True, help_text="The job that did it; empty: a request or a command.")
    run = models.PositiveIntegerField(null=True, blank=True)
    at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        ordering = ("id",)
        default_permissions = ["view"]
        indexes = [
            models.Index(name="effect_job", fields=["job_id"], condition=models.Q(job_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.step} {self.operation_id}"
