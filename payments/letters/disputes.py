"""Somebody objects, and it is decided: both parties hear of it, each in words that fit them."""

from __future__ import annotations

from typing import Any

from notifications.direction import isolated
from payments import milestones
from payments.letters.posting import Letter, beside_the_books, post
from payments.letters.readers import Reader, parties
from payments.models import Dispute
from payments.states import WITH_MONEY

REASON_LENGTH = 300
"""Characters of somebody's reason that a letter quotes."""


@beside_the_books
def dispute_opened(dispute: Dispute) -> None:
    """The milestone is frozen, by one of them, by our staff or by the client's bank."""
    money_held = milestones.standing(dispute.milestone) in WITH_MONEY
    context = {"dispute_status": "opened", "money_held": money_held, "reason": _quoted(dispute, dispute.reason)}
    post(
        f"dispute_opened:{dispute.pk}",
        *(
            _letter(dispute, reader, opened_by=_opener(dispute, reader), **context)
            for reader in parties(dispute.milestone)
        ),
    )


@beside_the_books
def dispute_closed(dispute: Dispute) -> None:
    """Decided, by our staff (release, refund, dismiss) or by the bank (won, lost). What follows has its own letters."""
    outcome = dispute.resolution or str(dispute.status)
    context = {"dispute_status": "resolved", "outcome": outcome, "reason": _quoted(dispute, dispute.resolution_reason)}
    post(
        f"dispute_closed:{dispute.pk}",
        *(_letter(dispute, reader, **context) for reader in parties(dispute.milestone)),
    )


def _letter(dispute: Dispute, reader: Reader, **more: Any) -> Letter:
    milestone = dispute.milestone
    return Letter(
        reader,
        "dispute_notification",
        {
            "milestone_title": isolated(milestone.title),
            "project_title": isolated(milestone.project.title),
            "role": reader.role,
            "counterpart": reader.counterpart,
            **more,
        },
    )


def _opener(dispute: Dispute, reader: Reader) -> str:
    """Who objected, as this reader sees it: you, other, staff or bank."""
    project = dispute.milestone.project
    if dispute.stripe_id:
        return "bank"
    if dispute.opened_by_id not in (project.client_id, project.freelancer_id):
        return "staff"
    return "you" if dispute.opened_by_id == reader.account.pk else "other"


def _quoted(dispute: Dispute, reason: str) -> str:
    """What a person gave as the reason; a bank gives a code, which says nothing to the parties."""
    line = "" if dispute.stripe_id else reason
    return isolated(line if len(line) <= REASON_LENGTH else f"{line[:REASON_LENGTH].rstrip()}…")
