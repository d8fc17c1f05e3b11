"""One movement of money that Stripe is asked for."""

from __future__ import annotations

from functools import reduce
from operator import or_

from django.conf import settings
from django.db import models
from django.db.models import F, Q, TextField, Value
from django.db.models.functions import Cast, Concat

from jobs.ids import uuid7
from payments.models.account import PayoutAccount
from payments.models.escrow import CURRENCY, Milestone
from payments.money import LARGEST
from payments.states import ENDED_UNBOOKED, Dispatch, Kind, Status, statuses

LIVE = Q(booked_at__isnull=True) & ~Q(status__in=ENDED_UNBOOKED)
"""Its money has not moved in the ledger and still may: a hold stands, and a second one like it may not begin."""

STATUS_FITS_KIND = reduce(or_, (Q(kind=kind, status__in=statuses(kind)) for kind in Kind))
OF_A_MILESTONE = [kind for kind in Kind if kind is not Kind.WITHDRAWAL]
TO_AN_ACCOUNT = [Kind.RELEASE, Kind.WITHDRAWAL, Kind.REVERSAL]


class Operation(models.Model):
    """What is asked for is written once and then frozen (trigger operation_frozen); only what became of it changes.

    A repeated request carries the same key and the same `params`. A new attempt is a new key.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    milestone = models.ForeignKey(Milestone, models.PROTECT, null=True, blank=True, related_name="operations")
    payout_account = models.ForeignKey(PayoutAccount, models.PROTECT, null=True, blank=True, related_name="operations")
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        help_text="A reversal's refund; the deposit whose set-aside money a refund gives back.",
    )
    amount = models.BigIntegerField(help_text="Minor units.")
    fee = models.BigIntegerField(
        default=0,
        help_text="The platform's part of the amount, in minor units: kept by a release, returned by a reversal.",
    )
    currency = models.CharField(max_length=3)
    params = models.JSONField(help_text="What Stripe is sent, the same every time.")
    stripe_account = models.CharField(max_length=255, blank=True, help_text="On whose behalf; empty: the platform's.")
    api_version = models.CharField(max_length=50)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.TextField(blank=True, help_text="Why, in the words of who asked.")
    created_at = models.DateTimeField(db_default=models.functions.Now())

    attempt = models.PositiveIntegerField(default=1)
    idempotency_key = models.GeneratedField(
        expression=Concat(
            *("kind", Value(":"), Cast("id", TextField()), Value(":"), Cast("attempt", TextField())),
            output_field=TextField(),
        ),
        output_field=models.CharField(max_length=100),
        db_persist=True,
        unique=True,
    )
    dispatch = models.CharField(max_length=10, choices=Dispatch.choices, default=Dispatch.READY)
    status = models.CharField(max_length=20, choices=Status.choices)
    first_sent_at = models.DateTimeField(null=True, blank=True, help_text="When this attempt's key was first used.")
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When it was last used.")
    confirmed_at = models.DateTimeField(null=True, blank=True, help_text="When we learned that the object exists.")
    booked_at = models.DateTimeField(null=True, blank=True, help_text="When its money moved in the ledger.")
    stripe_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    charge = models.CharField(max_length=255, blank=True, help_text="A deposit's ch_…: what releases draw from.")
    job_id = models.UUIDField(null=True, blank=True, db_index=True, help_text="The job that drives it.")
    error_code = models.CharField(max_length=100, blank=True)
    error = models.TextField(blank=True, help_text="The latest refusal or doubt, in words.")

    class Meta:
        ordering = ("-id",)
        default_permissions = ["view"]  # rows move by payments/operations/ only
        permissions = [("move_money", "Can decide about payments, with a reason")]
        constraints = [
            models.CheckConstraint(name="operation_kind", condition=Q(kind__in=Kind.values)),
            models.CheckConstraint(name="operation_dispatch", condition=Q(dispatch__in=Dispatch.values)),
            models.CheckConstraint(name="operation_status_fits_kind", condition=STATUS_FITS_KIND),
            models.CheckConstraint(name="operation_amount", condition=Q(amount__gt=0, amount__lte=LARGEST)),
            models.CheckConstraint(
                name="operation_fee",
                condition=Q(fee=0) | Q(kind__in=[Kind.RELEASE, Kind.REVERSAL], fee__gt=0, fee__lt=F("amount")),
            ),
            models.CheckConstraint(name="operation_currency", condition=Q(currency__regex=CURRENCY)),
            models.CheckConstraint(name="operation_attempt", condition=Q(attempt__gte=1)),
            models.CheckConstraint(name="operation_api_version_set", condition=~Q(api_version="")),
            models.CheckConstraint(
                name="operation_milestone",
                condition=Q(kind__in=OF_A_MILESTONE, milestone__isnull=False)
                | Q(kind=Kind.WITHDRAWAL, milestone__isnull=True),
            ),
            models.CheckConstraint(
                name="operation_payout_account",
                condition=Q(kind__in=TO_AN_ACCOUNT, payout_account__isnull=False)
                | Q(kind__in=[Kind.DEPOSIT, Kind.REFUND], payout_account__isnull=True),
            ),
            models.CheckConstraint(
                name="operation_on_behalf",
                condition=(Q(kind=Kind.WITHDRAWAL) & ~Q(stripe_account=""))
                | (~Q(kind=Kind.WITHDRAWAL) & Q(stripe_account="")),
            ),
            models.CheckConstraint(
                name="operation_parent",
                condition=Q(kind=Kind.REVERSAL, parent__isnull=False)
                | Q(kind=Kind.REFUND)
                | (~Q(kind__in=[Kind.REVERSAL, Kind.REFUND]) & Q(parent__isnull=True)),
            ),
            models.CheckConstraint(
                name="operation_sent_at",
                condition=Q(first_sent_at__isnull=True, sent_at__isnull=True)
                | Q(first_sent_at__isnull=False, sent_at__gte=F("first_sent_at")),
            ),
            models.CheckConstraint(
                name="operation_in_doubt_has_a_time",
                condition=~Q(dispatch__in=[Dispatch.SENT, Dispatch.UNKNOWN]) | Q(first_sent_at__isnull=False),
            ),
            models.CheckConstraint(
                name="operation_confirmed",
                condition=Q(dispatch=Dispatch.CONFIRMED, stripe_id__isnull=False, confirmed_at__isnull=False)
                | (~Q(dispatch=Dispatch.CONFIRMED) & Q(stripe_id__isnull=True, confirmed_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="operation_unconfirmed_status",
                condition=Q(dispatch=Dispatch.CONFIRMED)
                | Q(status__in=[Status.AWAITING_PAYMENT, Status.REQUESTED, Status.REVERSING, Status.REJECTED]),
            ),
            models.CheckConstraint(
                name="operation_rejected",
                condition=Q(dispatch=Dispatch.REJECTED, status=Status.REJECTED)
                | (~Q(dispatch=Dispatch.REJECTED) & ~Q(status=Status.REJECTED)),
            ),
            models.CheckConstraint(
                name="operation_reversing_waits",
                condition=~Q(status=Status.REVERSING) | Q(dispatch__in=[Dispatch.READY, Dispatch.PARKED]),
            ),
            models.CheckConstraint(
                name="operation_booked", condition=Q(booked_at__isnull=True) | Q(dispatch=Dispatch.CONFIRMED)
            ),
            *(
                models.UniqueConstraint(
                    name=f"operation_one_live_{kind.value}", fields=["milestone"], condition=LIVE & Q(kind=kind)
                )
                for kind in (Kind.DEPOSIT, Kind.RELEASE, Kind.REFUND)
            ),
            models.UniqueConstraint(
                name="operation_one_live_reversal", fields=["parent"], condition=LIVE & Q(kind=Kind.REVERSAL)
            ),
            models.UniqueConstraint(
                name="operation_one_live_withdrawal",
                fields=["payout_account", "currency"],
                condition=LIVE & Q(kind=Kind.WITHDRAWAL),
            ),
        ]
        indexes = [
            models.Index(
                name="operation_attention",
                fields=["dispatch", "id"],
                condition=Q(dispatch__in=[Dispatch.SENT, Dispatch.UNKNOWN, Dispatch.PARKED, Dispatch.MANUAL]),
            ),
            models.Index(name="operation_set_aside", fields=["id"], condition=Q(status=Status.MANUAL)),
            models.Index(name="operation_charge", fields=["charge"], condition=~Q(charge="")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
