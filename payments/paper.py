"""The paper that money makes: the invoices of a release, and the credit notes when it is taken back.

Written in the very transaction that books the money, last, because the series of the platform's numbers is locked from
there to its end. The books do not wait for paper: a freelancer who has not agreed to self-billing issues none, and what
cannot be written for a reason that nobody thought of is an error in the log. Done again, what is there stays.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate

from django.db import InterfaceError, OperationalError, transaction

from invoices import services as invoices
from invoices.parties import Party, platform
from invoices.services import About, Line, NotIssued
from payments import currencies
from payments.models import Milestone, Operation

logger = logging.getLogger(__name__)

FEE = {"en": "Platform fee: {title}", "de": "Plattformgebühr: {title}"}
FEE_SERIES = "FEE"


def _beside_the_books[**P](
    write: Callable[Concatenate[Operation, P], None],
) -> Callable[Concatenate[Operation, P], None]:
    """Let a function fail without the transaction that it is called in, unless PostgreSQL gives that up as a whole."""

    @wraps(write)
    def run(operation: Operation, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with transaction.atomic():
                write(operation, *args, **kwargs)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("paper lost event=%s operation=%s", write.__name__, operation.pk)

    return run


@_beside_the_books
def released(release: Operation, *, now: datetime) -> None:
    """The freelancer's invoice to the client, and the platform's to the freelancer for its fee."""
    milestone = _milestone(release)
    freelancer = _party(milestone.project.freelancer)
    work = Line(title=milestone.title, gross=release.amount)
    _issue(release, freelancer, _party(milestone.project.client), f"CL{freelancer.user_id}", work, now)
    if release.fee:
        _issue(release, platform(), freelancer, FEE_SERIES, _fee(milestone, release.fee), now)


@_beside_the_books
def taken_back(reversal: Operation, *, now: datetime) -> None:
    """Credit notes for what was taken back of a release: of the freelancer's invoice, and of the platform's."""
    milestone = _milestone(reversal)
    release = milestone.operations.get(stripe_id=reversal.params["transfer"])
    _credit(reversal, release, milestone.project.freelancer_id, Line(title=milestone.title, gross=reversal.amount), now)
    if reversal.fee:
        _credit(reversal, release, None, _fee(milestone, reversal.fee), now)


def _issue(release: Operation, issuer: Party, recipient: Party, series: str, line: Line, now: datetime) -> None:
    milestone = _milestone(release)
    about = About(
        reference=_reference(release),
        supplied_on=(milestone.delivered_at or now).date(),
        project_ref=str(milestone.project_id),
        project_title=milestone.project.title,
        milestone_ref=str(milestone.pk),
        milestone_title=milestone.title,
    )
    try:
        invoices.issue(
            issuer=issuer, recipient=recipient, series=series, lines=[line], currency=release.currency,
            decimals=currencies.exponent(release.currency), about=about, now=now,
        )  # fmt: skip
    except NotIssued as refusal:
        logger.warning('invoice not issued operation=%s reason="%s"', release.pk, refusal)


def _credit(reversal: Operation, release: Operation, issuer_id: int | None, line: Line, now: datetime) -> None:
    invoice = invoices.of_reference(issuer_id=issuer_id, reference=_reference(release))
    if invoice is None:  # none was issued then either
        logger.warning('credit note not issued operation=%s reason="%s has no invoice"', reversal.pk, release)
        return
    try:
        invoices.credit(invoice, lines=[line], reference=_reference(reversal), now=now)
    except NotIssued as refusal:
        logger.warning('credit note not issued operation=%s reason="%s"', reversal.pk, refusal)


def _reference(operation: Operation) -> str:
    return f"{operation.kind}:{operation.pk}"


def _milestone(operation: Operation) -> Milestone:
    if operation.milestone is None:
        raise ValueError(f"{operation} is about no milestone.")
    return operation.milestone


def _fee(milestone: Milestone, minor: int) -> Line:
    """In the freelancer's language, who reads it."""
    sentence = FEE.get(milestone.project.freelancer.language, FEE["en"])
    return Line(title=sentence.format(title=milestone.title), gross=minor)


def _party(person: Any) -> Party:
    """A user as they stand in their profile now."""
    facts = ("company", "address_line1", "address_line2", "postal_code", "city", "country", "tax_id", "vat_id")
    return Party(
        user_id=person.pk,
        name=person.get_full_name(),
        first_name=person.get_short_name(),
        **{name: getattr(person, name) for name in (*facts, "email", "language")},
    )
