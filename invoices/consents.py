"""Self-billing: freelancers agree that the platform issues invoices in their name, and may withdraw that.

Article 224 of the VAT directive (2006/112/EC) lets somebody else issue an invoice for the supplier, where that was
agreed on beforehand. What was issued under a consent stays; after its withdrawal none is issued any more.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from invoices.models import Consent

WORDINGS = {
    "en": "I agree that {site} issues invoices and credit notes for my work in my name and on my behalf, in a series "
    "of numbers of their own. I check them, object within 14 days if one is wrong, and tell {site} when my address, "
    "tax number or VAT id changes. I may withdraw this at any time for the future.",
    "de": "Ich bin einverstanden, dass {site} für meine Leistungen Rechnungen und Rechnungskorrekturen in meinem Namen "
    "und für meine Rechnung ausstellt, in einem eigenen Nummernkreis. Ich prüfe sie, widerspreche binnen 14 Tagen, "
    "wenn eine falsch ist, und teile {site} Änderungen meiner Anschrift, Steuernummer oder USt-IdNr. mit. "
    "Ich kann dies jederzeit für die Zukunft widerrufen.",
}


def wording(language: str) -> str:
    """What is agreed to, in English where there is no other."""
    return WORDINGS.get(language, WORDINGS["en"]).format(site=settings.SITE_NAME)


def in_force(user_id: int) -> Consent | None:
    """The person's consent, unless there is none or it was withdrawn."""
    return Consent.objects.filter(user_id=user_id, withdrawn_at__isnull=True).first()


def agree(user_id: int, *, language: str, now: datetime) -> Consent:
    """Record the consent; agreeing again returns the one in force."""
    consent = Consent(user_id=user_id, wording=wording(language), agreed_at=now)
    with transaction.atomic():
        Consent.objects.bulk_create([consent], ignore_conflicts=True)
        return Consent.objects.get(user_id=user_id, withdrawn_at__isnull=True)


def withdraw(user_id: int, *, now: datetime) -> bool:
    """No further invoice is issued in the person's name; whether there was a consent to withdraw."""
    return Consent.objects.filter(user_id=user_id, withdrawn_at__isnull=True).update(withdrawn_at=now) == 1
