"""Issuers, recipients, and what they bill each other for."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from typing import Any

from contralock.accounts.models import User
from invoices import consents, services
from invoices.models import Invoice
from invoices.parties import Party, platform
from invoices.services import About, Line

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
_numbers = itertools.count(1)

BERLIN: dict[str, Any] = {
    "address_line1": "Kastanienallee 12",
    "postal_code": "10435",
    "city": "Berlin",
    "country": "DE",
}
PARIS: dict[str, Any] = {"address_line1": "15 rue Lepic", "postal_code": "75018", "city": "Paris", "country": "FR"}
CAIRO: dict[str, Any] = {"address_line1": "12 شارع التحرير", "postal_code": "11511", "city": "القاهرة", "country": "EG"}
TOKYO: dict[str, Any] = {
    "address_line1": "千代田区丸の内1-1-1",
    "postal_code": "100-0005",
    "city": "東京",
    "country": "JP",
}
BOSTON: dict[str, Any] = {"address_line1": "1 Main St", "postal_code": "MA 02110", "city": "Boston", "country": "US"}
GERMAN_VAT: dict[str, Any] = {"vat_id": "DE123456789", "tax_id": "31/123/45678"}
FRENCH_VAT: dict[str, Any] = {"vat_id": "FR12345678901"}


def user(role: str = "client", **more: Any) -> User:
    """A person with an account."""
    return User.objects.create_user(email=f"{role}-{next(_numbers)}@example.com", role=role, **more)


def party(person: User | None = None, **more: Any) -> Party:
    """How a person stands on paper."""
    account: dict[str, Any] = {} if person is None else {"user_id": person.pk, "email": person.email}
    return Party(**{"name": "Ada Lovelace", "first_name": "Ada", "language": "en"} | BERLIN | account | more)


def freelancer(**more: Any) -> Party:
    """Ada, who has agreed to self-billing."""
    person = user("freelancer")
    consents.agree(person.pk, language="en", now=NOW)
    return party(person, **more)


def client(**more: Any) -> Party:
    """Tom, who pays."""
    return party(user("client"), **{"name": "Tom Client", "company": "Client & Sons GmbH"} | more)


def about(reference: str = "", **more: Any) -> About:
    """A milestone."""
    facts = {"project_ref": "12", "project_title": "Website", "milestone_ref": "34", "milestone_title": "Wireframes"}
    reference = reference or f"release:{next(_numbers)}"
    return About(reference=reference, supplied_on=date(2026, 11, 20), **facts | more)


def issue(
    issuer: Party | None = None, recipient: Party | None = None, *gross: int, currency: str = "eur", decimals: int = 2,
    lines: list[Line] | None = None, reference: str = "", now: datetime = NOW, series: str = "CL", **more: Any,
) -> Invoice:  # fmt: skip
    """An invoice of Ada's to Tom, by default, in the transaction that is open."""
    lines = lines or [Line(title=f"Work {place}", gross=minor) for place, minor in enumerate(gross or (125_000,), 1)]
    return services.issue(
        issuer=issuer or freelancer(), recipient=recipient or client(), series=series, lines=lines, currency=currency,
        decimals=decimals, about=about(reference, **more), now=now,
    )  # fmt: skip


def fee(recipient: Party, minor: int = 6250) -> Invoice:
    """The platform's invoice."""
    return issue(platform(), recipient, minor, series="FEE")
