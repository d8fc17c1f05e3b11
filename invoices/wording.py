"""The words on an invoice, in the languages that invoices are written in (pure)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from babel import Locale
from babel.dates import format_date

from invoices.states import Category, Kind, Paper


@dataclass(frozen=True, kw_only=True)
class Words:
    """Every label, in one language. Those with {braces} are filled in."""

    invoice: str
    credit_note: str
    corrects: str
    issuer: str
    recipient: str
    number: str
    date: str
    supplied: str
    due: str
    project: str
    milestone: str
    reference: str
    tax_id: str
    vat_id: str
    description: str
    amount: str
    net_amount: str
    net: str
    vat: str
    rounding: str
    total: str
    paid: str
    given_back: str
    balance: str
    self_billed: str
    reverse_charge: str
    not_subject: str
    page: str


ENGLISH = Words(
    invoice="Invoice", credit_note="Credit note", corrects="Corrects invoice {number} of {date}.",
    issuer="From", recipient="To", number="Number", date="Date of issue", supplied="Date of supply", due="Due",
    project="Project", milestone="Milestone", reference="Reference", tax_id="Tax no.", vat_id="VAT id",
    description="Description", amount="Amount", net_amount="Amount without VAT", net="Net",
    vat="VAT {rate}", rounding="Rounding", total="Total",
    paid="Paid through {site}", given_back="Given back through {site}", balance="Amount due",
    self_billed="Issued by {site} in the name and on behalf of {issuer}, as agreed on {date} (self-billing).",
    reverse_charge="Reverse charge: the recipient owes the VAT (Article 196 of Directive 2006/112/EC).",
    not_subject="No VAT is charged: this supply is not subject to VAT.",
    page="Page",
)  # fmt: skip
GERMAN = Words(
    invoice="Rechnung", credit_note="Rechnungskorrektur", corrects="Korrigiert die Rechnung {number} vom {date}.",
    issuer="Von", recipient="An", number="Nummer", date="Rechnungsdatum", supplied="Leistungsdatum", due="Fällig",
    project="Projekt", milestone="Meilenstein", reference="Referenz", tax_id="Steuernummer", vat_id="USt-IdNr.",
    description="Bezeichnung", amount="Betrag", net_amount="Nettobetrag", net="Netto",
    vat="Umsatzsteuer {rate}", rounding="Rundung",
    total="Gesamtbetrag", paid="Bezahlt über {site}", given_back="Erstattet über {site}", balance="Offener Betrag",
    self_billed="Ausgestellt von {site} im Namen und für Rechnung von {issuer}, vereinbart am {date}.",
    reverse_charge="Steuerschuldnerschaft des Leistungsempfängers (Artikel 196 der Richtlinie 2006/112/EG).",
    not_subject="Es wird keine Umsatzsteuer berechnet: der Umsatz unterliegt nicht der Umsatzsteuer.",
    page="Seite",
)  # fmt: skip
LANGUAGES = {"en": ENGLISH, "de": GERMAN}


def words(language: str) -> Words:
    """In English where there are no others."""
    return LANGUAGES.get(language.partition("-")[0], ENGLISH)


def title(kind: str, language: str) -> str:
    """What the paper calls itself."""
    said = words(language)
    return said.credit_note if kind == Kind.CREDIT_NOTE else said.invoice


def tax_note(category: str, language: str) -> str:
    """The sentence that the law wants where no VAT is charged; else empty."""
    said = words(language)
    return {Category.REVERSE_CHARGE: said.reverse_charge, Category.NOT_SUBJECT: said.not_subject}.get(
        Category(category), ""
    )


def day(moment: date, language: str, paper: str) -> str:
    """24 November 2026; November 24, 2026 where people print on Letter; 24. November 2026."""
    region = "US" if paper == Paper.LETTER else "GB"
    return format_date(moment, "long", Locale("en", region) if words(language) is ENGLISH else Locale("de"))


def country(code: str, language: str) -> str:
    """The country's name in the reader's language; the code where it has none."""
    return Locale.parse(language if language in LANGUAGES else "en").territories.get(code, code)


def as_dict(said: Words) -> dict[str, Any]:
    """For a template."""
    return {field.name: getattr(said, field.name) for field in fields(said)}
