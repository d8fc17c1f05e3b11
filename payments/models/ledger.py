"""The books: accounts, and moves of money between two of them. TigerBeetle's model.

One row is one move from a debit to a credit account in one currency, so nothing unbalanced can be
written. Balances, floors and immutability are the database's (triggers of migration 0002): no code
writes these columns, and payments/ledger/ is the only one to insert a row.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class AccountKind(models.TextChoices):
    """On which side of the balance sheet an account stands."""

    ASSET = "asset"
    LIABILITY = "liability"
    REVENUE = "revenue"
    EXPENSE = "expense"


class Floor(models.TextChoices):
    """What may never be exceeded, holds included."""

    NONE = "none"
    DEBITS = "debits_le_credits"  # more cannot go out than came in
    CREDITS = "credits_le_debits"


class Phase(models.TextChoices):
    """How final a move is."""

    SINGLE = "single"
    PENDING = "pending"  # a hold
    POST = "post"  # the hold becomes a move
    VOID = "void"  # the hold is given back


class Account(models.Model):
    """One account in one currency. The four balances are minor units."""

    code = models.TextField(unique=True, help_text="Such as escrow:milestone:42:usd.")
    kind = models.CharField(max_length=10, choices=AccountKind.choices)
    currency = models.CharField(max_length=3)
    floor = models.CharField(max_length=20, choices=Floor.choices, db_default=Floor.NONE)
    cached = models.BooleanField(db_default=True, help_text="Off: a hot account; its balances are summed when read.")
    debits_posted = models.BigIntegerField(db_default=0)
    credits_posted = models.BigIntegerField(db_default=0)
    debits_pending = models.BigIntegerField(db_default=0)
    credits_pending = models.BigIntegerField(db_default=0)

    class Meta:
        db_table = "ledger_account"
        verbose_name = "ledger account"
        ordering = ("id",)
        default_permissions = ["view"]
        constraints = [
            models.CheckConstraint(name="ledger_account_kind", condition=Q(kind__in=AccountKind.values)),
            models.CheckConstraint(name="ledger_account_floor", condition=Q(floor__in=Floor.values)),
            models.CheckConstraint(name="ledger_account_currency", condition=Q(currency__regex=r"^[a-z]{3}$")),
            models.CheckConstraint(
                name="ledger_account_not_negative",
                condition=Q(debits_posted__gte=0, credits_posted__gte=0, debits_pending__gte=0, credits_pending__gte=0),
            ),
            models.CheckConstraint(
                name="no_overdraft",
                condition=~Q(floor=Floor.DEBITS) | Q(credits_posted__gte=F("debits_posted") + F("debits_pending")),
            ),
            models.CheckConstraint(
                name="no_overcredit",
                condition=~Q(floor=Floor.CREDITS) | Q(debits_posted__gte=F("credits_posted") + F("credits_pending")),
            ),
            models.CheckConstraint(name="floor_needs_cache", condition=Q(floor=Floor.NONE) | Q(cached=True)),
            models.UniqueConstraint(name="ledger_account_id_currency", fields=["id", "currency"]),
        ]

    def __str__(self) -> str:
        return self.code


class Transfer(models.Model):
    """One move. Its id is made from the event and the leg, so that writing it twice is writing it once."""

    id = models.UUIDField(primary_key=True, editable=False)
    txn_id = models.UUIDField(db_index=True, help_text="Groups the legs of one event.")
    # The foreign keys are composite, with the currency: migration 0002.
    debit = models.ForeignKey(Account, models.DO_NOTHING, related_name="debits", db_constraint=False)
    credit = models.ForeignKey(Account, models.DO_NOTHING, related_name="credits", db_constraint=False)
    amount = models.BigIntegerField(help_text="Minor units.")
    currency = models.CharField(max_length=3)
    phase = models.CharField(max_length=10, choices=Phase.choices)
    pending = models.ForeignKey(
        "self", models.DO_NOTHING, null=True, blank=True, db_index=False, related_name="resolutions"
    )
    kind = models.CharField(max_length=30)
    operation_id = models.UUIDField(null=True, blank=True)
    job_id = models.UUIDField(null=True, blank=True, help_text="The job that wrote it; empty: a request or a command.")
    stripe_ref = models.CharField(max_length=255, blank=True, help_text="Stripe's balance transaction or object.")
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        db_table = "ledger_transfer"
        verbose_name = "ledger transfer"
        ordering = ("created_at", "id")
        default_permissions = ["view"]
        constraints = [
            models.CheckConstraint(name="ledger_transfer_amount", condition=Q(amount__gt=0)),
            models.CheckConstraint(name="ledger_transfer_phase", condition=Q(phase__in=Phase.values)),
            models.CheckConstraint(name="ledger_transfer_two_accounts", condition=~Q(debit=F("credit"))),
            models.CheckConstraint(
                name="ledger_transfer_resolves",
                condition=Q(phase__in=[Phase.POST, Phase.VOID], pending__isnull=False)
                | (~Q(phase__in=[Phase.POST, Phase.VOID]) & Q(pending__isnull=True)),
            ),
            models.UniqueConstraint(name="one_resolution", fields=["pending"], condition=Q(pending__isnull=False)),
        ]
        indexes = [
            models.Index(
                name="ledger_transfer_operation", fields=["operation_id"], condition=Q(operation_id__isnull=False)
            ),
            models.Index(name="ledger_transfer_ref", fields=["stripe_ref"], condition=~Q(stripe_ref="")),
            models.Index(name="ledger_transfer_job", fields=["job_id"], condition=Q(job_id__isnull=False)),
            models.Index(name="ledger_transfer_newest", fields=["created_at", "id"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.currency}"
