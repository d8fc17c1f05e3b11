"""What who asks may see: what they issued or received; staff see all. What they may not see is not there (404)."""

from __future__ import annotations

import uuid
from typing import Protocol

from django.db.models import Q, QuerySet

from invoices.models import Invoice

STAFF = "staff"


class Person(Protocol):
    """A user; `role` is client, freelancer or staff."""

    pk: int
    role: str
    language: str


def is_staff(person: Person) -> bool:
    """Whether this person sees everybody's invoices and may have them drawn again."""
    return person.role == STAFF


def invoices(person: Person) -> QuerySet[Invoice]:
    """Those that this person may see."""
    mine = Q() if is_staff(person) else Q(issuer_id=person.pk) | Q(recipient_id=person.pk)
    return Invoice.objects.filter(mine).select_related("corrects", "consent")


def invoice(person: Person, invoice_id: uuid.UUID) -> Invoice | None:
    """The invoice, unless there is none that this person may see."""
    return invoices(person).filter(pk=invoice_id).first()
