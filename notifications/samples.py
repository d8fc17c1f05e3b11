"""Sample data for every mail, in both languages: for whoever wants to see one before somebody gets it.

Nobody's data is in here, and its links lead to pages that refuse them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

LANGUAGES = {"en": "English", "de": "Deutsch"}

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "date": "November 24, 2026", "until": "February 22, 2027",
        "milestone_title": "Wireframes and prototype", "project_title": "New website",
        "amount": "€1,250.00", "fee": "€62.50", "net": "€1,187.50", "part": "€250.00", "left": "€1,000.00",
        "complaint": "The prototype lacks the checkout that we agreed on.",
        "release": "What was delivered is what was agreed on.",
        "refund": "The checkout was part of the agreement and is not there.",
        "dismiss": "You have agreed on a new date.",
        "failure": "The bank account has been closed.",
    },
    "de": {
        "date": "24. November 2026", "until": "22. Februar 2027",
        "milestone_title": "Entwürfe und Prototyp", "project_title": "Neue Website",
        "amount": "1.250,00\N{NO-BREAK SPACE}€", "fee": "62,50\N{NO-BREAK SPACE}€",
        "net": "1.187,50\N{NO-BREAK SPACE}€", "part": "250,00\N{NO-BREAK SPACE}€",
        "left": "1.000,00\N{NO-BREAK SPACE}€",
        "complaint": "Im Prototyp fehlt die Kasse, die wir vereinbart hatten.",
        "release": "Geliefert wurde, was vereinbart war.",
        "refund": "Die Kasse war vereinbart und ist nicht da.",
        "dismiss": "Sie haben sich auf einen neuen Termin geeinigt.",
        "failure": "Das Bankkonto wurde geschlossen.",
    },
}  # fmt: skip
"""What a sample says in its reader's language."""


class UnknownSample(LookupError):
    """No such sample, or not in this language."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One face of a mail: `name` is `<template>` or `<template>-<face>`, `face` says to whom or when it goes."""

    name: str
    template: str
    face: str
    language: str
    context: dict[str, Any]


def samples(language: str) -> dict[str, Sample]:
    """Every face of every mail by its name, sorted. Raises UnknownSample for a language that we do not write."""
    if language not in LANGUAGES:
        raise UnknownSample(f"Mails are written in {', '.join(LANGUAGES)}, not in {language!r}.")
    found = {}
    for name, context in sorted(_contexts(WORDS[language]).items()):
        template, _, face = name.partition("-")
        found[name] = Sample(
            name=name, template=template, face=face.replace("-", " "), language=language,
            context={"first_name": "Tom" if context.get("role") == "client" else "Ada"} | context,
        )  # fmt: skip
    return found


def sample(name: str, language: str) -> Sample:
    """One of them. Raises UnknownSample."""
    try:
        return samples(language)[name]
    except KeyError:
        raise UnknownSample(f"There is no sample {name!r}.") from None


def _contexts(words: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    escrow = _of_escrow(words) | _of_disputes(words) | _of_reminders(words)
    return _of_accounts() | escrow | _of_withdrawals(words) | _of_invoices(words)


def _of_accounts() -> dict[str, dict[str, Any]]:
    page, new = f"{settings.SITE_URL.rstrip('/')}/account", "ada.new@example.com"
    verify = {"verify_url": f"{page}/verify?token=sample"}
    return {
        "welcome-client": {"role": "client"} | verify,
        "welcome-freelancer": {"role": "freelancer"} | verify,
        "verify_email": verify,
        "password_reset": {"reset_url": f"{page}/reset?uid=sample&token=sample", "minutes": 60},
        "password_changed": {"forgot_url": f"{page}/forgot"},
        "email_change": {"new_email": new, "confirm_url": f"{page}/email?token=sample"},
        "email_change_requested": {"new_email": new, "forgot_url": f"{page}/forgot"},
        "email_changed": {"new_email": new},
    }


def _of_escrow(words: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    client, freelancer = (_about(words, role) for role in ("client", "freelancer"))
    amount, day, left = _only(words, "amount"), _only(words, "date"), _only(words, "left")
    back = {"amount": words["part"]} | day
    return {
        "payment_confirmation": client | amount | day | {"transaction_id": "pi_3Mtw2eLkdIwHu7ix28a3tqPa"},
        "milestone_notification-funded": freelancer | amount | {"milestone_status": "funded"},
        "milestone_notification-submitted": client | amount | {"milestone_status": "submitted"},
        "milestone_notification-changes-requested": freelancer | amount | {"milestone_status": "changes_requested"},
        "payment_released-client": client | amount | day,
        "payment_released-freelancer": freelancer
        | day
        | {"gross": words["amount"], "fee": words["fee"], "amount": words["net"]},
        "payment_refunded-client": client | back | left,
        "payment_refunded-freelancer": freelancer | back | left | {"taken_back": ""},
        "payment_refunded-freelancer-after-release": freelancer | back | {"left": "", "taken_back": words["part"]},
        "refund_failed-client": client | amount,
        "refund_failed-freelancer": freelancer | amount,
    }


def _of_withdrawals(words: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    amount, who = _only(words, "amount"), {"role": "freelancer"}
    return {
        "withdrawal_sent": who | amount | _only(words, "date") | {"transaction_id": "po_1MtHbELkdIwHu7ixl4OzzPMv"},
        "withdrawal_returned": who | amount | {"outcome": "failed_returned", "failure": words["failure"]},
        "withdrawal_returned-rejected": who | amount | {"outcome": "rejected", "failure": ""},
        "withdrawal_returned-canceled": who | amount | {"outcome": "canceled", "failure": ""},
    }


def _of_disputes(words: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    parties = {role: _about(words, role) for role in ("client", "freelancer")}
    opened = {"dispute_status": "opened", "money_held": True}
    by = {
        "by-you": ("client", "you"), "by-the-client": ("freelancer", "other"), "by-staff": ("client", "staff"),
        "by-the-bank-client": ("client", "bank"), "by-the-bank-freelancer": ("freelancer", "bank"),
    }  # fmt: skip
    return {
        f"dispute_notification-opened-{face}": parties[role]
        | opened
        | {"opened_by": opener, "reason": "" if opener == "bank" else words["complaint"]}
        for face, (role, opener) in by.items()
    } | {
        f"dispute_notification-{outcome}-{role}": about
        | {"dispute_status": "resolved", "outcome": outcome}
        | {"reason": words.get(outcome, "")}  # a bank gives none
        for outcome in ("release", "refund", "dismiss", "won", "lost")
        for role, about in parties.items()
    }


def _of_reminders(words: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    client, freelancer = (_about(words, role) for role in ("client", "freelancer"))
    link = f"{settings.SITE_URL.rstrip('/')}/unsubscribe/sample"
    about = _only(words, "amount", "until") | {"since": words["date"], "disputed": False, "unsubscribe_url": link}
    return {
        "reminder-unfunded": client | about | {"matter": "unfunded"},
        "reminder-unapproved": client | about | {"matter": "unapproved"},
        "reminder-dispute": freelancer | about | {"matter": "dispute"},
        "reminder-held-client": client | about | {"matter": "held"},
        "reminder-held-freelancer": freelancer | about | {"matter": "held"},
        "reminder-held-disputed": freelancer | about | {"matter": "held", "disputed": True},
    }


def _of_invoices(words: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    about = _only(words, "amount", "date") | {"about": words["milestone_title"]}
    numbers = {"invoice": "CL7-2026-00012", "credit_note": "CL7-2026-00013"}
    others = {"recipient": "Ada Lovelace", "issuer": "Tom Client GmbH"}
    return {
        f"invoice-{kind.replace('_', '-')}-{role}": about
        | {"kind": kind, "number": number, "role": role, "counterpart": other}
        | {"first_name": "Tom" if role == "recipient" else "Ada"}
        for kind, number in numbers.items()
        for role, other in others.items()
    }


def _about(words: Mapping[str, str], role: str) -> dict[str, str]:
    """What every mail about a milestone names, for this reader."""
    other = "Ada Lovelace" if role == "client" else "Tom Client"
    return _only(words, "milestone_title", "project_title") | {"role": role, "counterpart": other}


def _only(words: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: words[name] for name in names}
