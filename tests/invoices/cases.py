"""Invoices of every sort, for whoever wants to look at all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from invoices import services
from invoices.models import Invoice
from invoices.parties import platform
from invoices.services import Line
from tests.invoices.people import (
    BOSTON,
    CAIRO,
    FRENCH_VAT,
    GERMAN_VAT,
    NOW,
    PARIS,
    TOKYO,
    client,
    fee,
    freelancer,
    issue,
)

ARABIC = {"name": "مصطفى محمود", "company": "شركة النور للبرمجيات ش.م.م"} | CAIRO
JAPANESE = {"name": "山田 太郎", "company": "株式会社さくら設計"} | TOKYO


def lines(count: int) -> list[Line]:
    """So many lines, of different lengths."""
    return [
        Line(
            title=f"Work package {place}: " + "what was built, tested and handed over " * (1 + place % 3),
            note=f"Sprint {place // 10 + 1}" if place % 4 == 0 else "",
            gross=10_000 + place * 137,
        )
        for place in range(1, count + 1)
    ]


def credit_note() -> Invoice:
    """A fifth of an invoice taken back."""
    invoice = issue(freelancer(**GERMAN_VAT), client(language="de"))
    return services.credit(invoice, lines=[Line(title="Erstattung", gross=25_000)], reference="refund:1", now=NOW)


CASES: dict[str, Callable[[], Invoice]] = {
    "standard rate": lambda: issue(freelancer(**GERMAN_VAT), client(language="de")),
    "an amount without an exact net": lambda: issue(freelancer(**GERMAN_VAT), client(), 16),
    "reverse charge, sixty lines": lambda: issue(
        freelancer(**GERMAN_VAT), client(**PARIS | FRENCH_VAT), lines=lines(60)
    ),
    "to the rest of the world, from right to left": lambda: issue(
        freelancer(**GERMAN_VAT), client(**ARABIC), lines=[Line(title="تصميم الموقع (2)", gross=480_000)],
        currency="usd", project_title="موقع", milestone_title="المرحلة 2",
    ),
    "with letters that no font has": lambda: issue(milestone_title="Start 🎉👩‍💻\ufe0f ᠮᠣᠩᠭᠣᠯ हिन्दी ไทย 한국어 עברית"),
    "without a VAT id, on Letter": lambda: issue(freelancer(tax_id="31/123/45678"), client(**BOSTON), currency="usd"),
    "yen": lambda: issue(freelancer(**JAPANESE), client(**BOSTON), 1_250_000, currency="jpy", decimals=0),
    "dinars, taxed": lambda: issue(freelancer(**GERMAN_VAT), client(), 1_250_750, currency="kwd", decimals=3),
    "the platform's fee": lambda: fee(freelancer()),
    "the platform's fee, taxed": lambda: issue(
        replace(platform(), **GERMAN_VAT), freelancer(), 6250, series="FEE"
    ),
    "credit note": credit_note,
    "credit note of a fee": lambda: services.credit(
        fee(freelancer()), lines=[Line(title="Fee", gross=100)], reference="reversal:1", now=NOW
    ),
}  # fmt: skip
