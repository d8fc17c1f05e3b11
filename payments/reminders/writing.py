"""The reminder itself: one letter, which says who waits for what, and how to have no more of them."""

from __future__ import annotations

from notifications import unsubscribe
from notifications.direction import isolated
from payments import ledger
from payments.ledger import accounts
from payments.letters.posting import Letter, beside_the_books, post
from payments.models import Milestone
from payments.money import Money
from payments.reminders.matters import Case
from payments.reminders.policy import HOLDING, Due, Reason
from payments.states import MilestoneStatus

TEMPLATE = "reminder"


@beside_the_books
def remind(milestone: Milestone, due: Due, case: Case) -> None:
    """Post one reminder, once."""
    reader, amount = case.reader, _amount(milestone, due.reason)
    context = {
        "matter": str(due.reason),
        "milestone_title": isolated(milestone.title),
        "project_title": isolated(milestone.project.title),
        "role": reader.role,
        "counterpart": reader.counterpart,
        "amount": reader.money(amount) if amount else "",  # none: a dispute after a release
        "since": reader.day(case.matter.since),
        "until": reader.day(case.matter.since + HOLDING) if due.reason is Reason.HELD else "",
        "disputed": milestone.status == MilestoneStatus.DISPUTED,
    }
    secrets = {"unsubscribe_url": unsubscribe.link(reader.account.pk)}
    post(due.event, Letter(reader, TEMPLATE, context, secrets))


def _amount(milestone: Milestone, reason: Reason) -> Money:
    """What is to be paid, or what is held: less than that where a part was refunded."""
    currency = milestone.project.currency
    if reason is Reason.UNFUNDED:
        return Money(milestone.amount, currency)
    return Money(ledger.balance(accounts.escrow(milestone.pk, currency).code), currency)
