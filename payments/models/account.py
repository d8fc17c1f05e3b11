"""Where a freelancer is paid."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class PayoutStatus(models.TextChoices):
    """How far the onboarding is."""

    PENDING = "pending"  # Stripe still asks its owner for something
    ACTIVE = "active"
    RESTRICTED = "restricted"  # Stripe switched something off
    DEAUTHORIZED = "deauthorized"  # its owner disconnected it


class PayoutAccount(models.Model):
    """A freelancer's connected account, as Stripe last described it. Money goes to its stored id, none is derived."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="payout_account")
    stripe_account = models.CharField(max_length=255, unique=True, help_text="acct_…")
    status = models.CharField(max_length=12, choices=PayoutStatus.choices, default=PayoutStatus.PENDING)
    transfers_enabled = models.BooleanField(default=False, help_text="Money may be released to it.")
    payouts_enabled = models.BooleanField(default=False, help_text="It may pay out to its bank.")
    capabilities = models.JSONField(default=dict, blank=True, help_text="In Stripe's words.")
    created_at = models.DateTimeField(db_default=models.functions.Now())
    checked_at = models.DateTimeField(null=True, blank=True, help_text="When Stripe last described it.")

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(name="payout_account_status", condition=Q(status__in=PayoutStatus.values)),
            models.CheckConstraint(name="payout_account_id", condition=Q(stripe_account__startswith="acct_")),
            models.CheckConstraint(
                name="payout_account_gone_pays_nothing",
                condition=~Q(status=PayoutStatus.DEAUTHORIZED) | Q(transfers_enabled=False, payouts_enabled=False),
            ),
        ]

    def __str__(self) -> str:
        return self.stripe_account
