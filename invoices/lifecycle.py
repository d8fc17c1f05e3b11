"""Every way an invoice's paper may change. What the invoice says is written once, by services.py."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from invoices.models import Invoice
from invoices.states import State


def rendered(invoice: Invoice, *, file: str, sha256: str, note: str, now: datetime) -> bool:
    """Its PDF is in the storage. False when another run stored one since `invoice` was read. `note`: see `error`."""
    return _move(invoice, state=State.RENDERED, file=file, sha256=sha256, rendered_at=now, error=note)


def failed(invoice: Invoice, *, error: str) -> bool:
    """Given up until somebody asks again. An earlier PDF stays what it was; only the error is noted then."""
    if invoice.state == State.RENDERED:
        return _move(invoice, error=error)
    return _move(invoice, state=State.FAILED, error=error)


def _move(invoice: Invoice, **changes: Any) -> bool:
    """Change the row as it was seen and, if that won, the object in hand."""
    seen = Invoice.objects.filter(pk=invoice.pk, state=invoice.state, sha256=invoice.sha256)
    won: bool = seen.update(**changes) == 1
    if won:
        for name, value in changes.items():
            setattr(invoice, name, value)
    return won
