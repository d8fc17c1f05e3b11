"""The mails that an invoice is sent with: to its recipient, and to the freelancer in whose name it was issued."""

from __future__ import annotations

import logging

from django.db import transaction

from invoices import amounts, wording
from invoices.models import Invoice
from invoices.parties import Party
from notifications import services as notifications
from notifications.attachments import Attachment
from notifications.direction import isolated

logger = logging.getLogger(__name__)


def send(invoice: Invoice) -> None:
    """Have the mails of a rendered invoice sent, each once however often this is called, in the caller's transaction.

    Whoever cannot be mailed finds the invoice on their list; the paper does not wait for that.
    """
    recipient, issuer = (Party.from_json(party) for party in (invoice.recipient_party, invoice.issuer_party))
    _send(invoice, recipient, "recipient")
    if issuer.user_id is not None:
        _send(invoice, issuer, "issuer")


def _send(invoice: Invoice, to: Party, role: str) -> None:
    other = Party.from_json(invoice.issuer_party if role == "recipient" else invoice.recipient_party)
    context = {
        "first_name": isolated(to.first_name or to.name),
        "role": role,
        "kind": invoice.kind,
        "number": invoice.number,
        "counterpart": isolated(other.title),
        "amount": amounts.words(invoice.total, invoice.currency, invoice.decimals, to.language),
        "date": wording.day(invoice.issued_at.date(), to.language, to.paper),
        "about": isolated(invoice.milestone_title or invoice.project_title or invoice.lines[0]["title"]),
    }
    attachment = Attachment(
        name=f"{invoice.number}.pdf", path=invoice.file, sha256=invoice.sha256, media_type="application/pdf"
    )
    try:
        with transaction.atomic():
            notifications.send(
                key=f"invoice:{invoice.pk}:{role}", template="invoice", to=to.email, name=to.name,
                language=to.language, context=context, attachments=[attachment],
            )  # fmt: skip
    except notifications.InvalidMessage as error:
        logger.warning("invoice not mailed number=%s role=%s reason=%s", invoice.number, role, error)
