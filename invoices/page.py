"""The page of an invoice as HTML: the row in words, nothing looked up anew."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from invoices import amounts, wording
from invoices.models import Invoice
from invoices.parties import Party
from invoices.states import Kind

TEMPLATE = "invoices/invoice.html"
ISOLATED = "\u2068{}\u2069"
"""First-strong isolate: the text's own direction stays its own (Unicode, UAX 9)."""


def html(invoice: Invoice) -> str:
    """The page, to be laid out with invoice.css."""
    issuer, recipient = (Party.from_json(party) for party in (invoice.issuer_party, invoice.recipient_party))
    said = wording.words(invoice.language)
    return render_to_string(
        TEMPLATE,
        {
            "said": said,
            "language": invoice.language,
            "paper": invoice.paper.lower(),
            "title": wording.title(invoice.kind, invoice.language),
            "number": invoice.number,
            "written": invoice.issued_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "author": issuer.title,
            "figure": _money(invoice, invoice.total),
            "settled": _settled(invoice, said),
            "column": said.net_amount if invoice.rate_bps else said.amount,
            "sides": [
                {"label": said.issuer, "lines": _lines_of(issuer, invoice)},
                {"label": said.recipient, "lines": _lines_of(recipient, invoice)},
            ],
            "facts": _facts(invoice, said),
            "lines": [_line(invoice, line) for line in invoice.lines],
            "totals": _totals(invoice, said),
            "notes": _notes(invoice, issuer, said),
            "foot": _foot(issuer, said),
        },
    )


def _lines_of(party: Party, invoice: Invoice) -> list[str]:
    """Name, address and tax ids, as on an envelope."""
    said = wording.words(invoice.language)
    written = [
        party.title,
        party.name if party.company else "",
        party.address_line1,
        party.address_line2,
        party.place,
        wording.country(party.country, invoice.language) if party.country else "",
    ]
    ids = [f"{label}: {value}" for label, value in ((said.vat_id, party.vat_id), (said.tax_id, party.tax_id)) if value]
    return [ISOLATED.format(line) for line in (*written, *ids) if line]


def _facts(invoice: Invoice, said: wording.Words) -> list[dict[str, str]]:
    """What stands between the parties and the lines."""
    facts = [
        (said.date, _day(invoice, invoice.issued_at.date())),
        (said.supplied, _day(invoice, invoice.supplied_on)),
        (said.due, _day(invoice, invoice.due_on) if invoice.due_on > invoice.issued_at.date() else ""),
        (said.project, ISOLATED.format(invoice.project_title) if invoice.project_title else ""),
        (said.milestone, ISOLATED.format(invoice.milestone_title) if invoice.milestone_title else ""),
    ]
    return [{"label": label, "value": value} for label, value in facts if value]


def _line(invoice: Invoice, line: dict[str, Any]) -> dict[str, str]:
    note = ISOLATED.format(line["note"]) if line["note"] else ""
    return {"title": ISOLATED.format(line["title"]), "note": note, "amount": _money(invoice, line["net"])}


def _settled(invoice: Invoice, said: wording.Words) -> str:
    """How it stands with the money: it moves first, and is invoiced then."""
    sentence = said.given_back if invoice.kind == Kind.CREDIT_NOTE else said.paid
    return sentence.format(site=settings.SITE_NAME)


def _totals(invoice: Invoice, said: wording.Words) -> list[dict[str, str]]:
    """The column of sums."""
    rows = [("total", said.total, invoice.total)]
    if invoice.rounding:
        rows.insert(0, ("", said.rounding, invoice.rounding))
    if invoice.rate_bps:
        rate = amounts.percent(invoice.rate_bps, invoice.language)
        rows[:0] = [("", said.net, invoice.net), ("", said.vat.format(rate=rate), invoice.tax)]
    if invoice.kind == Kind.INVOICE:
        rows += [("", _settled(invoice, said), -invoice.total), ("due", said.balance, 0)]
    return [{"class": name, "label": label, "amount": _money(invoice, minor)} for name, label, minor in rows]


def _notes(invoice: Invoice, issuer: Party, said: wording.Words) -> list[str]:
    """The sentences below."""
    notes = [wording.tax_note(invoice.category, invoice.language)]
    if invoice.corrects:
        before = invoice.corrects
        notes.append(said.corrects.format(number=before.number, date=_day(invoice, before.issued_at.date())))
    if invoice.consent:
        agreed = _day(invoice, invoice.consent.agreed_at.date())
        notes.append(
            said.self_billed.format(site=settings.SITE_NAME, issuer=ISOLATED.format(issuer.title), date=agreed)
        )
    notes.append(f"{said.reference}: {invoice.payment_reference}")
    return [note for note in notes if note]


def _foot(issuer: Party, said: wording.Words) -> str:
    """Who the paper is of, at the bottom of every page."""
    ids = [f"{label} {value}" for label, value in ((said.vat_id, issuer.vat_id), (said.tax_id, issuer.tax_id)) if value]
    return " · ".join(
        ISOLATED.format(part) for part in (issuer.title, issuer.address_line1, issuer.place, *ids) if part
    )


def _money(invoice: Invoice, minor: int) -> str:
    """With a true minus, which is as wide as a figure."""
    return amounts.words(minor, invoice.currency, invoice.decimals, invoice.language).replace("-", "\u2212")


def _day(invoice: Invoice, moment: Any) -> str:
    return wording.day(moment, invoice.language, invoice.paper)
