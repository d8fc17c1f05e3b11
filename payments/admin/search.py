"""What the search boxes find: one index for each meaning of a word."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from payments.models import Milestone, PayoutAccount, Project

OPERATIONS = (
    "An id of an operation or of its job, an idempotency key, an id of Stripe's (pi_, tr_, re_, po_, ch_ …), the "
    "number of a milestone, or the e-mail address of the client or freelancer; written out."
)
TRANSFERS = "An id of a transfer, an operation or a job, or an id of Stripe's (ch_, tr_, txn_ …); written out."

type Rows = QuerySet[Any]


def operations(rows: Rows, text: str) -> Rows:
    """Operations that `text` means."""
    if "@" in text:
        return rows.filter(_of_person(text))
    if (number := _number(text.removeprefix("milestone:"))) is not None:
        return rows.filter(milestone_id=number)
    if (key := _uuid(text)) is not None:
        return rows.filter(Q(pk=key) | Q(job_id=key))
    if text.count(":") == 2:
        return rows.filter(idempotency_key=text)
    return rows.filter(charge=text).exclude(charge="") if text.startswith("ch_") else rows.filter(stripe_id=text)


def transfers(rows: Rows, text: str) -> Rows:
    """Rows of the books that `text` means. By columns that have an index, one after the other."""
    key = _uuid(text)
    if key is None:
        return rows.filter(stripe_ref=text).exclude(stripe_ref="")
    return rows.filter(Q(pk=key) | Q(operation_id=key) | Q(job_id=key) | Q(txn_id=key) | Q(pending_id=key))


def accounts(rows: Rows, text: str) -> Rows:
    """Accounts whose code begins so, or is about the number of a milestone."""
    number = _number(text)
    return rows.filter(code__startswith=f"escrow:milestone:{number}:" if number is not None else text)


def events(rows: Rows, text: str) -> Rows:
    """Events by their id, the object they are about, or their job."""
    key = _uuid(text)
    if key is not None:
        return rows.filter(job_id=key)
    return rows.filter(event_id=text) if text.startswith("evt_") else rows.filter(object_id=text)


def milestones(rows: Rows, text: str) -> Rows:
    """Milestones by number, or by the address of somebody in their project."""
    number = _number(text)
    return rows.filter(pk=number) if number is not None else rows.filter(project__in=_projects(text))


def projects(rows: Rows, text: str) -> Rows:
    """Projects by number, or by the address of somebody in it."""
    number = _number(text)
    return rows.filter(pk=number) if number is not None else rows.filter(pk__in=_projects(text))


def disputes(rows: Rows, text: str) -> Rows:
    """Disputes by the number of their milestone, or Stripe's id."""
    number = _number(text)
    return rows.filter(milestone_id=number) if number is not None else rows.filter(stripe_id=text)


def payout_accounts(rows: Rows, text: str) -> Rows:
    """Accounts by Stripe's id, or by the address of their owner."""
    return rows.filter(stripe_account=text) if text.startswith("acct_") else rows.filter(user__in=_people(text))


def findings(rows: Rows, text: str) -> Rows:
    """Findings by what they are about, an id of Stripe's, or an operation."""
    key = _uuid(text)
    return rows.filter(operation_id=key) if key is not None else rows.filter(Q(about=text) | Q(stripe_id=text))


SEARCHES: dict[str, Callable[[Rows, str], Rows]] = {
    "operation": operations,
    "transfer": transfers,
    "account": accounts,
    "stripeevent": events,
    "milestone": milestones,
    "project": projects,
    "dispute": disputes,
    "payoutaccount": payout_accounts,
    "finding": findings,
}
"""By the model's name."""


def _of_person(address: str) -> Q:
    """Their numbers are read first: an OR over joined tables would read all of them."""
    milestones = list(Milestone.objects.filter(project__in=_projects(address)).values_list("pk", flat=True))
    accounts = list(PayoutAccount.objects.filter(user__in=_people(address)).values_list("pk", flat=True))
    return Q(milestone_id__in=milestones) | Q(payout_account_id__in=accounts)


def _projects(address: str) -> list[int]:
    people = _people(address)
    found = Project.objects.filter(Q(client__in=people) | Q(freelancer__in=people))
    return list(found.values_list("pk", flat=True))


def _people(address: str) -> list[Any]:
    """By the index on the address in small letters."""
    found = get_user_model().objects.annotate(small=Lower("email")).filter(small=address.lower())
    return list(found.values_list("pk", flat=True))


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _number(text: str) -> int | None:
    """A key of a table; None for what is none, or does not fit into one."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
