"""Projects, their milestones, and disputes about them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from payments.money import LARGEST
from payments.states import DisputeStatus, MilestoneStatus, Resolution

CURRENCY = r"^[a-z]{3}$"


class Project(models.Model):
    """What a client and a freelancer agreed on. Everything in it is in one currency."""

    client = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    freelancer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    title = models.CharField(max_length=200)
    currency = models.CharField(max_length=3, help_text="As Stripe writes it, such as usd.")
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(name="project_two_people", condition=~Q(client=F("freelancer"))),
            models.CheckConstraint(name="project_title_set", condition=~Q(title="")),
            models.CheckConstraint(name="project_currency", condition=Q(currency__regex=CURRENCY)),
        ]

    def __str__(self) -> str:
        return self.title


class Milestone(models.Model):
    """A part of a project that is paid for by itself: an escrow."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="milestones")
    title = models.CharField(max_length=200)
    amount = models.BigIntegerField(help_text="Minor units of the project's currency.")
    status = models.CharField(max_length=10, choices=MilestoneStatus.choices, default=MilestoneStatus.DRAFT)
    resumes_as = models.CharField(
        max_length=10, choices=MilestoneStatus.choices, blank=True, help_text="What it is apart from being disputed."
    )
    created_at = models.DateTimeField(db_default=models.functions.Now())
    funded_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(name="milestone_status", condition=Q(status__in=MilestoneStatus.values)),
            models.CheckConstraint(name="milestone_title_set", condition=~Q(title="")),
            models.CheckConstraint(name="milestone_amount", condition=Q(amount__gt=0, amount__lte=LARGEST)),
            models.CheckConstraint(
                name="milestone_resumes_as",
                condition=(Q(status=MilestoneStatus.DISPUTED) & ~Q(resumes_as__in=["", MilestoneStatus.DISPUTED]))
                | (~Q(status=MilestoneStatus.DISPUTED) & Q(resumes_as="")),
            ),
            models.CheckConstraint(
                name="milestone_funded_at",
                condition=Q(status__in=[MilestoneStatus.DRAFT, MilestoneStatus.FUNDING], funded_at__isnull=True)
                | (~Q(status__in=[MilestoneStatus.DRAFT, MilestoneStatus.FUNDING]) & Q(funded_at__isnull=False)),
            ),
        ]
        indexes = [models.Index(name="milestone_status_id", fields=["status", "id"])]

    def __str__(self) -> str:
        return self.title


class Dispute(models.Model):
    """Somebody objects: the milestone is frozen while one is open. Ours are decided by staff, Stripe's by a bank."""

    milestone = models.ForeignKey(Milestone, models.PROTECT, related_name="disputes")
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", help_text="Empty: a bank."
    )
    reason = models.TextField()
    status = models.CharField(max_length=10, choices=DisputeStatus.choices, default=DisputeStatus.OPEN)
    resolution = models.CharField(max_length=10, choices=Resolution.choices, blank=True)
    resolution_reason = models.TextField(blank=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    stripe_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    opened_at = models.DateTimeField(db_default=models.functions.Now())
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(name="dispute_status", condition=Q(status__in=DisputeStatus.values)),
            models.CheckConstraint(name="dispute_reason_set", condition=~Q(reason="")),
            models.CheckConstraint(
                name="dispute_opener",
                condition=Q(opened_by__isnull=True, stripe_id__isnull=False)
                | Q(opened_by__isnull=False, stripe_id__isnull=True),
            ),
            models.CheckConstraint(
                name="dispute_closed_at",
                condition=Q(status=DisputeStatus.OPEN, closed_at__isnull=True)
                | (~Q(status=DisputeStatus.OPEN) & Q(closed_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="dispute_resolution",
                condition=(
                    Q(status=DisputeStatus.RESOLVED, resolved_by__isnull=False, stripe_id__isnull=True)
                    & Q(resolution__in=Resolution.values)
                    & ~Q(resolution_reason="")
                )
                | (~Q(status=DisputeStatus.RESOLVED) & Q(resolution="", resolved_by__isnull=True)),
            ),
            models.UniqueConstraint(
                name="dispute_one_open_of_ours",
                fields=["milestone"],
                condition=Q(status=DisputeStatus.OPEN, stripe_id__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"dispute {self.pk} about milestone {self.milestone_id}"
