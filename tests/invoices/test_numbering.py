"""Numbers without gaps, whoever writes at the same time and whatever is rolled back."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction

from invoices import numbering
from invoices.models import Invoice, Series
from invoices.parties import platform
from tests.invoices.people import client, fee, freelancer, issue
from tests.payments.story import at_once

COMMITTED = pytest.mark.django_db(
    transaction=True, available_apps=["contralock.accounts", "invoices", "jobs", "django.contrib.contenttypes"]
)


class Changed(Exception):
    """Somebody thought better of it."""


@COMMITTED
def test_sixteen_writers_of_whom_every_third_rolls_back_leave_no_gap() -> None:
    recipient = client()

    def write(turn: int) -> Any:
        def one() -> None:
            try:
                with transaction.atomic():
                    fee(recipient)
                    if turn % 3 == 0:
                        raise Changed
            except Changed:
                pass

        return one

    at_once(*(write(turn) for turn in range(64)), threads=16)
    written = sorted(Invoice.objects.values_list("sequence", flat=True))
    assert written == list(range(1, len(written) + 1))
    assert len(written) == 64 - 22
    assert Series.objects.get().last == len(written)


@pytest.mark.django_db
def test_each_issuer_series_and_year_counts_for_itself() -> None:
    ada, bob, tom = freelancer(), freelancer(), client()
    next_year = datetime(2027, 1, 1, 0, 30, tzinfo=UTC)
    numbers = [
        issue(ada, tom).number,
        issue(ada, tom).number,
        issue(bob, tom).number,
        issue(ada, tom, series="X").number,
        issue(ada, tom, now=next_year).number,
        fee(ada).number,
    ]
    assert numbers == [
        *("CL-2026-00001", "CL-2026-00002", "CL-2026-00001", "X-2026-00001", "CL-2027-00001", "FEE-2026-00001")
    ]  # fmt: skip


@COMMITTED
def test_a_number_is_taken_in_a_transaction_only() -> None:
    with pytest.raises(RuntimeError, match="in the transaction of its invoice"):
        numbering.take(issuer_id=None, series="FEE", year=2026)
    with pytest.raises(RuntimeError, match="into the transaction of its payment"):
        issue(platform(), client())


@COMMITTED
def test_a_number_that_is_on_no_invoice_cannot_be_committed() -> None:
    with pytest.raises(IntegrityError, match="was taken for no invoice"), transaction.atomic():
        numbering.take(issuer_id=None, series="FEE", year=2026)
    assert not Series.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE invoices_series SET last = last + 2", "one by one"),
        ("UPDATE invoices_series SET last = last - 1", "one by one"),
        ("UPDATE invoices_series SET name = 'X', last = last + 1", "one by one"),
        ("DELETE FROM invoices_series", "one by one"),
        ("INSERT INTO invoices_series (name, year, last) VALUES ('Y', 2026, 7)", "one by one"),
    ],
)
def test_nobody_turns_the_counter_by_hand(sql: str, said: str) -> None:
    fee(client())
    with pytest.raises(IntegrityError, match=said), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.django_db
def test_an_invoice_with_a_number_of_its_own_making_is_refused() -> None:
    invoice = fee(client())
    copy = Invoice.objects.get(pk=invoice.pk)
    copy.id, copy.sequence, copy.payment_reference = uuid.uuid4(), 7, "other"
    with pytest.raises(IntegrityError, match="was not given out"):
        copy.save(force_insert=True)


@pytest.mark.django_db
def test_the_year_is_that_of_utc() -> None:
    berlin = datetime(2027, 1, 1, 0, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    invoice = issue(now=berlin)
    assert (invoice.number, invoice.due_on.isoformat()) == ("CL-2026-00001", "2026-12-31")
