"""What was compared with Stripe, and what was found."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from payments.models.operation import Operation


class Bucket(models.TextChoices):
    """What kind of thing was found."""

    ADOPTED = "adopted"  # moved at Stripe by an operation of ours that did not know; it does now
    STRIPE_ONLY = "stripe_only"  # moved at Stripe, by nothing of ours; booked into suspense
    BOOK_ONLY = "book_only"  # booked, and Stripe moved nothing
    AMOUNT_DIFFERS = "amount_differs"
    CONTRADICTION = "contradiction"  # what Stripe says of an object cannot be booked
    BALANCE = "balance"
    INVARIANT = "invariant"  # the books are wrong in themselves
    MISSED_EVENT = "missed_event"  # stored now
    DOUBT = "doubt"  # asked for, and nobody knows what became of it
    INBOX = "inbox"  # an event that nobody understood yet
    HOLD = "hold"  # held for longer than any request takes
    PAYOUT = "payout"  # on its way to the bank for longer than any bank takes
    ACCOUNT = "account"  # a connected account that we may not read any more


class Reconciliation(models.Model):
    """One comparison of the books with Stripe. One that never finished explains nothing."""

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    window_start = models.DateTimeField(help_text="Movements from here on were compared.")
    window_end = models.DateTimeField(help_text="What is booked was looked for at Stripe up to here.")
    full = models.BooleanField(help_text="With Stripe's events and the invariants of the books.")
    counts = models.JSONField(default=dict, help_text="What matched, and what was found, by bucket.")
    is_clean = models.BooleanField(
        null=True, blank=True, help_text="Nothing was left to be explained; empty: it did not finish."
    )

    class Meta:
        ordering = ("-id",)
        default_permissions = ["view"]
        constraints = [
            models.CheckConstraint(
                name="reconciliation_finished",
                condition=Q(finished_at__isnull=True, is_clean__isnull=True)
                | Q(finished_at__gte=F("started_at"), is_clean__isnull=False),
            ),
            models.CheckConstraint(name="reconciliation_window", condition=Q(window_end__gte=F("window_start"))),
        ]

    def __str__(self) -> str:
        return f"reconciliation {self.pk}"


class Finding(models.Model):
    """One thing that a reconciliation found. It stays open until it is so no more, or a person has explained it."""

    reconciliation = models.ForeignKey(
        Reconciliation, models.PROTECT, related_name="findings", help_text="Which found it first."
    )
    bucket = models.CharField(max_length=20, choices=Bucket.choices)
    about = models.CharField(max_length=255, help_text="What it is about: found again, it is the same finding.")
    account = models.CharField(max_length=255, blank=True, help_text="The connected account; empty: the platform.")
    stripe_id = models.CharField(max_length=255, blank=True)
    operation = models.ForeignKey(Operation, models.PROTECT, null=True, blank=True, related_name="findings")
    ledger_ref = models.UUIDField(null=True, blank=True, help_text="The row of the books.")
    amount = models.BigIntegerField(default=0, help_text="Minor units; less than nothing: it went out.")
    currency = models.CharField(max_length=3, blank=True)
    words = models.TextField(help_text="What was found, in a sentence.")
    found_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    explanation = models.TextField(blank=True, help_text="A person's; empty: it was put right, or is so no more.")

    class Meta:
        ordering = ("-id",)
        default_permissions = ["view"]
        permissions = [("explain_finding", "Can explain findings")]
        constraints = [
            models.CheckConstraint(name="finding_bucket", condition=Q(bucket__in=Bucket.values)),
            models.CheckConstraint(name="finding_says_what", condition=~Q(about="") & ~Q(words="")),
            models.CheckConstraint(
                name="finding_explained", condition=Q(explanation="") | Q(resolved_at__isnull=False)
            ),
            models.UniqueConstraint(
                name="finding_once_open", fields=["bucket", "about"], condition=Q(resolved_at__isnull=True)
            ),
        ]
        indexes = [models.Index(name="finding_about", fields=["about", "bucket"])]

    def __str__(self) -> str:
        return self.words


class Look(models.Model):
    """An operation in doubt was looked for at Stripe, and was not there. The only proof of absence there is."""

    operation = models.ForeignKey(Operation, models.PROTECT, related_name="looks")
    attempt = models.PositiveIntegerField(help_text="Of the operation: each has a key of its own.")
    looked_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        default_permissions = ["view"]
        indexes = [models.Index(name="look_operation", fields=["operation", "attempt"])]

    def __str__(self) -> str:
        return f"look for {self.operation_id}"
