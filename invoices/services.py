"""Issuing invoices, for whoever has earned money: a row, its number and its job, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from invoices import amounts, consents, numbering, tasks, tax
from invoices.cleaning import one_line
from invoices.models import Consent, Invoice
from invoices.parties import Party
from invoices.states import Category, Kind
from jobs import JobHandle

ALIKE = (
    *("consent", "currency", "decimals", "supplied_on"),
    *("project_ref", "project_title", "milestone_ref", "milestone_title"),
)
"""Columns that a credit note has from its invoice."""


class NotIssued(Exception):
    """No invoice was written; the text says why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing that was paid for. `gross` is minor units and includes the tax."""

    title: str
    gross: int
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class About:
    """What an invoice is about. `reference` names the payment: with it, an issuer issues once."""

    reference: str
    supplied_on: date
    project_ref: str = ""
    project_title: str = ""
    milestone_ref: str = ""
    milestone_title: str = ""


def issue(
    *, issuer: Party, recipient: Party, series: str, lines: Sequence[Line], currency: str, decimals: int,
    about: About, now: datetime, due_after: timedelta = timedelta(0),
) -> Invoice:  # fmt: skip
    """Issue an invoice and have it drawn and mailed; returns its row.

    A second call with the same issuer and reference returns the first one. Whoever is not the platform has agreed to
    self-billing before. The number is taken in the caller's transaction, as late as can be: the issuer's series is
    locked from here to its end, so issuers are taken in one order by all callers (people first, then the platform).
    Raises NotIssued, before anything is written; RuntimeError outside of a transaction.
    """
    _refuse_odd(lines, decimals)
    known = _known(issuer, about.reference)
    if known:
        return known
    treated = tax.treatment(issuer=issuer, recipient=recipient)
    return _write(
        kind=Kind.INVOICE, issuer=issuer, recipient=recipient, consent=_consent(issuer), series=series, now=now,
        due_after=due_after, currency=currency.upper(), decimals=decimals, payment_reference=about.reference,
        supplied_on=about.supplied_on, project_ref=about.project_ref, project_title=one_line(about.project_title),
        milestone_ref=about.milestone_ref, milestone_title=one_line(about.milestone_title),
        **_sums(lines, treated, decimals),
    )  # fmt: skip


def credit(invoice: Invoice, *, lines: Sequence[Line], reference: str, now: datetime) -> Invoice:
    """Take an invoice back, all or in part, by a credit note in its series, taxed as it was; returns the credit note.

    A second call with the same reference returns the first one. Each is taxed for itself: of several, the taxes may
    differ from the invoice's by their rounding. Raises NotIssued when more than the invoice would be taken back.
    """
    issuer, recipient = (Party.from_json(party) for party in (invoice.issuer_party, invoice.recipient_party))
    _refuse_odd(lines, invoice.decimals)
    known = _known(issuer, reference)
    if known:
        return known
    _refuse_too_much(invoice, sum(line.gross for line in lines))
    treated = tax.Treatment(category=Category(invoice.category), rate_bps=invoice.rate_bps)
    return _write(
        kind=Kind.CREDIT_NOTE, corrects=invoice, issuer=issuer, recipient=recipient, series=invoice.series, now=now,
        due_after=timedelta(0), payment_reference=reference, **_sums(lines, treated, invoice.decimals),
        **{name: getattr(invoice, name) for name in ALIKE},
    )  # fmt: skip


def render_again(invoice: Invoice) -> JobHandle:
    """Have an invoice drawn anew, by the program of today; the same bytes change nothing. Its mail is not repeated."""
    with transaction.atomic():
        return tasks.enqueue(invoice, again=True)


def of_reference(*, issuer_id: int | None, reference: str) -> Invoice | None:
    """What this issuer (None: the platform) issued about this payment."""
    return Invoice.objects.filter(issuer_id=issuer_id, payment_reference=reference).first()


def _write(
    *, now: datetime, due_after: timedelta, series: str, issuer: Party, recipient: Party, **columns: Any
) -> Invoice:
    now, person = now.astimezone(UTC), _person(recipient)
    number = numbering.take(issuer_id=issuer.user_id, series=series, year=now.year)
    invoice = Invoice.objects.create(
        series=number.series, year=number.year, sequence=number.sequence, number=str(number),
        issuer_id=issuer.user_id, recipient_id=person,
        issuer_party=issuer.as_json(), recipient_party=recipient.as_json(),
        language=recipient.language, paper=recipient.paper, issued_at=now,
        due_on=(now + due_after).date(), **columns,
    )  # fmt: skip
    tasks.enqueue(invoice)
    return invoice


def _known(issuer: Party, reference: str) -> Invoice | None:
    if not connection.in_atomic_block:
        raise RuntimeError("An invoice belongs into the transaction of its payment: with transaction.atomic(): …")
    return of_reference(issuer_id=issuer.user_id, reference=reference)


def _consent(issuer: Party) -> Consent | None:
    if issuer.user_id is None:
        return None
    found = consents.in_force(issuer.user_id)
    if found is None:
        raise NotIssued(
            f"Person {issuer.user_id} has not agreed to self-billing: no invoice is issued in their name. "
            "They agree by PUT /api/invoices/self-billing."
        )
    return found


def _sums(lines: Sequence[Line], treated: tax.Treatment, decimals: int) -> dict[str, Any]:
    """The columns of money; each line with its part of the net amount."""
    gross, step = sum(line.gross for line in lines), amounts.step(decimals)
    split = tax.split(gross, rate_bps=treated.rate_bps, step=step)
    nets = tax.shares([line.gross for line in lines], of=split.net, step=step)
    return {
        "lines": [
            {"title": one_line(line.title), "note": one_line(line.note), "gross": line.gross, "net": net}
            for line, net in zip(lines, nets, strict=True)
        ],
        "category": treated.category,
        "rate_bps": treated.rate_bps,
        "net": split.net,
        "tax": split.tax,
        "rounding": split.rounding,
        "total": gross,
    }


def _person(recipient: Party) -> int:
    if recipient.user_id is None:
        raise NotIssued("An invoice is addressed to a person; the platform receives none from here.")
    return recipient.user_id


def _refuse_odd(lines: Sequence[Line], decimals: int) -> None:
    step = amounts.step(decimals)
    if not lines or any(not one_line(line.title) for line in lines):
        raise NotIssued("An invoice has at least one line, and each has a title.")
    if any(type(line.gross) is not int or line.gross <= 0 or line.gross % step for line in lines):
        raise NotIssued(f"Each line is a whole number of minor units above 0, divisible by {step}.")


def _refuse_too_much(invoice: Invoice, gross: int) -> None:
    """Locks the invoice: of two credit notes at once the second sees the first."""
    if invoice.kind != Kind.INVOICE:
        raise NotIssued(f"{invoice.number} is a credit note itself; it cannot be taken back.")
    Invoice.objects.select_for_update(no_key=True).get(pk=invoice.pk)
    before = sum(Invoice.objects.filter(corrects=invoice).values_list("total", flat=True))
    if before + gross > invoice.total:
        left = amounts.plain(invoice.total - before, invoice.decimals)
        raise NotIssued(f"Of {invoice.number}, {left} {invoice.currency} is left to take back; more was asked for.")
