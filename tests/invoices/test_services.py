"""Issuing, taking back, and nobody changing what was issued."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from contralock.accounts.models import User
from invoices import consents, lifecycle, services
from invoices.models import Consent, Invoice
from invoices.parties import Party, platform
from invoices.services import Line, NotIssued
from invoices.states import Kind, State
from jobs.models import Job
from tests.invoices.people import (
    CAIRO,
    GERMAN_VAT,
    NOW,
    client,
    fee,
    freelancer,
    issue,
    party,
    user,
)

pytestmark = pytest.mark.django_db


def test_an_invoice_says_who_what_and_how_much_and_a_job_draws_it() -> None:
    ada, tom = freelancer(**GERMAN_VAT), client(language="de")
    invoice = issue(ada, tom, 100_000, 25_000)
    invoice.refresh_from_db()
    assert (invoice.net, invoice.tax, invoice.rounding, invoice.total) == (105_042, 19_958, 0, 125_000)
    assert [line["net"] for line in invoice.lines] == [84_034, 21_008]
    assert (invoice.currency, invoice.language, invoice.paper) == ("EUR", "de", "A4")
    assert Party.from_json(invoice.issuer_party) == ada
    assert (invoice.issuer_id, invoice.recipient_id) == (ada.user_id, tom.user_id)
    assert invoice.consent is not None
    assert invoice.state == State.ISSUED
    job = Job.objects.get(kind="invoices.render_invoice")
    assert (job.queue, job.args) == ("invoice", {"invoice_id": str(invoice.pk), "again": False})


def test_the_snapshot_is_not_the_profile() -> None:
    ada = freelancer()
    invoice = issue(ada)
    User.objects.filter(email=ada.email).update(first_name="Countess", city="London")
    assert Invoice.objects.get(pk=invoice.pk).issuer_party["city"] == "Berlin"


def test_the_same_payment_is_invoiced_once() -> None:
    ada, tom = freelancer(), client()
    first = issue(ada, tom, reference="release:1")
    assert issue(ada, tom, reference="release:1").pk == first.pk
    assert Invoice.objects.count() == Job.objects.filter(kind="invoices.render_invoice").count() == 1
    assert fee(ada).number == "FEE-2026-00001"


def test_what_was_rolled_back_has_neither_invoice_nor_job_nor_number() -> None:
    ada, tom = freelancer(), client()

    def change_ones_mind() -> None:
        with transaction.atomic():
            issue(ada, tom)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_ones_mind()
    assert not Invoice.objects.exists()
    assert not Job.objects.exists()
    assert issue(ada, tom).sequence == 1


def test_nobody_is_billed_for_without_consent_or_after_it_was_withdrawn() -> None:
    person = user("freelancer")
    with pytest.raises(NotIssued, match="has not agreed to self-billing"):
        issue(party(person))
    consents.agree(person.pk, language="de", now=NOW)
    assert "im Namen" not in Consent.objects.get().wording
    assert "in meinem Namen" in Consent.objects.get().wording
    issue(party(person))
    assert consents.withdraw(person.pk, now=NOW + timedelta(days=1))
    assert not consents.withdraw(person.pk, now=NOW)
    with pytest.raises(NotIssued, match="PUT /api/invoices/self-billing"):
        issue(party(person))


def test_agreeing_twice_is_one_consent() -> None:
    person = user("freelancer")
    first, second = (consents.agree(person.pk, language="en", now=NOW) for _ in range(2))
    assert first.pk == second.pk


@pytest.mark.parametrize(
    ("lines", "decimals", "said"),
    [
        ([], 2, "at least one line"),
        ([Line(title=" \t", gross=1)], 2, "has a title"),
        ([Line(title="x", gross=0)], 2, "above 0"),
        ([Line(title="x", gross=-5)], 2, "above 0"),
        ([Line(title="x", gross=True)], 2, "whole number"),
        ([Line(title="x", gross=1255)], 3, "divisible by 10"),
    ],
)
def test_an_odd_invoice_is_refused_before_a_number_is_taken(lines: list[Line], decimals: int, said: str) -> None:
    ada, tom = freelancer(), client()
    with pytest.raises(NotIssued, match=said):
        services.issue(
            issuer=ada, recipient=tom, series="CL", lines=lines, currency="eur", decimals=decimals,
            about=services.About(reference="r", supplied_on=NOW.date()), now=NOW,
        )  # fmt: skip
    assert issue(ada, tom).sequence == 1


def test_the_platform_is_no_recipient() -> None:
    with pytest.raises(NotIssued, match="addressed to a person"):
        issue(freelancer(), platform())


def test_what_paper_cannot_hold_is_taken_out_of_texts() -> None:
    ada = freelancer(name="Ada\x07\u202e Lovelace")
    invoice = issue(ada, lines=[Line(title="A\nB\x00", note="\ufffe c ", gross=5)], milestone_title="M\u2066\r\n")
    assert invoice.lines[0] | {"gross": 5} == {"title": "A B", "note": "c", "gross": 5, "net": 5}
    assert invoice.milestone_title == "M"
    assert Invoice.objects.get(pk=invoice.pk).issuer_party["name"] == "Ada Lovelace"


# ---------------------------------------------------------------- credit notes
def back(invoice: Invoice, gross: int, reference: str = "refund:1") -> Invoice:
    """A credit note."""
    return services.credit(invoice, lines=[Line(title="Refund", gross=gross)], reference=reference, now=NOW)


def test_a_credit_note_refers_to_its_invoice_and_is_taxed_and_numbered_like_it() -> None:
    invoice = issue(freelancer(**GERMAN_VAT))
    note = back(invoice, 125_000)
    assert (note.kind, note.corrects_id, note.number) == (Kind.CREDIT_NOTE, invoice.pk, "CL-2026-00002")
    assert (note.net, note.tax, note.total) == (invoice.net, invoice.tax, invoice.total)
    assert note.consent_id == invoice.consent_id
    assert back(invoice, 125_000).pk == note.pk


def test_no_more_is_taken_back_than_was_billed() -> None:
    invoice = issue()
    note = back(invoice, 100_000)
    with pytest.raises(NotIssued, match=r"250\.00 EUR is left"):
        back(invoice, 25_001, "refund:2")
    assert back(invoice, 25_000, "refund:2").sequence == 3
    with pytest.raises(NotIssued, match="cannot be taken back"):
        back(note, 1, "refund:3")


def test_an_invoice_is_taken_back_although_the_consent_was_withdrawn() -> None:
    ada = freelancer()
    invoice = issue(ada)
    assert ada.user_id
    consents.withdraw(ada.user_id, now=NOW)
    assert back(invoice, 5).total == 5


# ---------------------------------------------------------------- frozen
@pytest.mark.parametrize("column", [field.attname for field in Invoice._meta.concrete_fields])
def test_the_database_lets_the_paper_change_and_nothing_else(column: str) -> None:
    invoice = issue(freelancer(), client(**CAIRO))
    paper = {"state", "file", "sha256", "rendered_at", "error"}
    sql = f'UPDATE invoices_invoice SET "{column}" = {_other(invoice, column)} WHERE id = %s'
    if column in paper:
        assert lifecycle.rendered(invoice, file="f", sha256="0" * 64, note="", now=NOW)
        return
    with pytest.raises(IntegrityError, match="is frozen"), connection.cursor() as cursor:
        cursor.execute(sql, [invoice.pk])


@pytest.mark.parametrize("sql", ["DELETE FROM invoices_invoice", "TRUNCATE invoices_invoice CASCADE"])
def test_an_invoice_is_never_deleted(sql: str) -> None:
    issue()
    with pytest.raises(IntegrityError, match="invoices are kept"), connection.cursor() as cursor:
        cursor.execute(f"SET CONSTRAINTS ALL IMMEDIATE; {sql}")


def test_a_person_with_invoices_cannot_be_deleted() -> None:
    tom = client()
    issue(recipient=tom)
    with pytest.raises(IntegrityError, match="protected"):
        User.objects.get(email=tom.email).delete()


def _other(invoice: Invoice, column: str) -> str:
    """SQL of another value."""
    value: Any = getattr(invoice, column)
    kind = Invoice._meta.get_field(column.removesuffix("_id") if column.endswith("_id") else column).get_internal_type()
    return {
        "JSONField": "'{}'::jsonb",
        "UUIDField": "gen_random_uuid()",
        "DateTimeField": "'2001-01-01'::timestamptz",
        "DateField": "'2001-01-01'::date",
        "CharField": "'X'",
        "TextField": "'X'",
    }.get(kind, "gen_random_uuid()" if column == "corrects_id" else "7" if value != 7 else "8")


def test_two_that_draw_at_once_do_not_both_win() -> None:
    invoice = issue()
    same = Invoice.objects.get(pk=invoice.pk)
    assert lifecycle.rendered(invoice, file="f", sha256="0" * 64, note="", now=NOW)
    assert not lifecycle.rendered(same, file="g", sha256="1" * 64, note="", now=NOW)
    assert not lifecycle.failed(same, error="late")
    assert lifecycle.failed(invoice, error="later, when drawn again")
    assert Invoice.objects.get(pk=invoice.pk).state == State.RENDERED
