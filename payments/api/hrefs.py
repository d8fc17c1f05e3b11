"""Addresses in answers."""

from __future__ import annotations

from django.urls import reverse

from payments.models import Milestone
from payments.next_actions import Action
from payments.states import DisputeStatus


def action(action: Action, milestone: Milestone) -> str:
    """Where the request goes that does it."""
    match action:
        case Action.PAY:
            return reverse("payments")
        case Action.RESOLVE:
            ours = milestone.disputes.filter(status=DisputeStatus.OPEN, stripe_id__isnull=True)
            return reverse("dispute-resolve", args=[ours.values_list("pk", flat=True)[0]])
        case Action.DISPUTE:
            return reverse("milestone-disputes", args=[milestone.pk])
        case _:
            return reverse(f"milestone-{action}", args=[milestone.pk])
