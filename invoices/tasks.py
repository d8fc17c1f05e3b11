"""Drawing an invoice: the invoice queue's job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from invoices import document, letters, lifecycle, shelf
from invoices.models import Invoice
from invoices.states import State
from jobs import JobHandle, PermanentError, Skipped, current_job, job


def _describe(*, invoice_id: UUID, again: bool = False) -> str:
    number = Invoice.objects.filter(pk=invoice_id).values_list("number", flat=True).first()
    return f"Draw invoice {number or invoice_id}{' again' if again else ''}"


@job(
    queue="invoice",
    timeout=300.0,
    subject=lambda *, invoice_id, again=False: f"invoice:{invoice_id}",
    describe=_describe,
)
def render_invoice(*, invoice_id: UUID, again: bool = False) -> dict[str, str]:
    """Draw an invoice as PDF, store it, and have it mailed.

    Safe to run twice: the same invoice gives the same bytes under the same name, one that lies in the storage is
    skipped (with `again`, unless today's program draws it otherwise), and its mails are sent once whoever asks.
    """
    invoice = Invoice.objects.select_related("corrects", "consent").filter(pk=invoice_id).first()
    if invoice is None:
        raise PermanentError(f"There is no invoice {invoice_id}.")
    whole = invoice.state == State.RENDERED and shelf.has(invoice)
    if whole and not again:
        raise Skipped(f"{invoice.number} was drawn already")
    with _noting_failure(invoice):
        drawn = document.draw(invoice)
    sha256 = shelf.digest(drawn.pdf)
    if whole and sha256 == invoice.sha256:
        raise Skipped(f"{invoice.number} was drawn already, and would come out the same")
    current_job().checkpoint()
    with _noting_failure(invoice):
        file = shelf.keep(invoice, drawn.pdf)
    with transaction.atomic():
        if not lifecycle.rendered(invoice, file=file, sha256=sha256, note=drawn.note, now=timezone.now()):
            raise Skipped(f"{invoice.number} was drawn by another run meanwhile")
        letters.send(invoice)
    return {"number": invoice.number, "file": file, "sha256": sha256}


@contextmanager
def _noting_failure(invoice: Invoice) -> Iterator[None]:
    """Write down beside the invoice what its last attempt fails with."""
    try:
        yield
    except Exception as error:
        if current_job().last_attempt:
            lifecycle.failed(invoice, error=f"{type(error).__name__}: {error}")
        raise


def enqueue(invoice: Invoice, *, again: bool = False) -> JobHandle:
    """Write the job of an invoice, in the caller's transaction, or find its unfinished one."""
    return render_invoice.apply_async(
        kwargs={"invoice_id": invoice.pk, "again": again}, unique_key=f"invoice:{invoice.pk}"
    )
