"""Paper for money: issued in the transaction that books a release, taken back in the one that books its reversal."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from invoices import consents
from invoices import services as invoices
from invoices.models import Invoice
from payments import outcomes, paper
from payments.models import Operation
from payments.states import Status
from tests.payments.marks import COMMITTED
from tests.payments.story import NOW, Escrow, at_once, escrow, finish_refund, fresh, transfer


def agreed(story: Escrow, **profile: Any) -> Escrow:
    """Its freelancer has agreed to self-billing; both have this in their profile."""
    for person in (story.client, story.freelancer):
        for name, value in ({"country": "DE", "city": "Berlin"} | profile).items():
            setattr(person, name, value)
        person.save()
    consents.agree(story.freelancer.pk, language="en", now=NOW)
    return story


def papers() -> list[tuple[str, str, int]]:
    """Number, kind and total of all, in the order of their writing."""
    return list(Invoice.objects.order_by("id").values_list("number", "kind", "total"))


def release_of(story: Escrow) -> Operation:
    """Its release."""
    return Operation.objects.get(milestone=story.milestone, kind="release")


@pytest.mark.django_db
def test_a_release_issues_the_freelancers_invoice_and_the_platforms() -> None:
    story = agreed(escrow(), language="de").released()
    work, fee = Invoice.objects.order_by("id")
    series = f"CL{story.freelancer.pk}"
    assert papers() == [(f"{series}-2026-00001", "invoice", 10_000), ("FEE-2026-00001", "invoice", 500)]
    assert (work.issuer, work.recipient) == (story.freelancer, story.client)
    assert (fee.issuer, fee.recipient) == (None, story.freelancer)
    for one in (work, fee):
        assert one.payment_reference == f"release:{release_of(story).pk}"
        assert (one.project_title, one.milestone_title, one.currency) == ("A bridge", "Its plan", "USD")
    assert (work.lines[0]["title"], fee.lines[0]["title"]) == ("Its plan", "Plattformgebühr: Its plan")
    delivered = story.fresh().delivered_at
    assert delivered
    assert work.supplied_on == delivered.date()


@COMMITTED
def test_told_ten_times_at_once_it_issues_once() -> None:
    story = agreed(escrow()).delivered()
    release = story.release()
    news = at_once(*[lambda: outcomes.release_seen(release.pk, transfer(release), now=NOW)] * 10)
    assert sorted(news) == [False] * 9 + [True]
    assert [total for _, _, total in papers()] == [10_000, 500]


@COMMITTED
def test_ten_releases_at_once_are_numbered_without_gaps() -> None:
    stories = [agreed(escrow()).delivered() for _ in range(10)]
    releases = [story.release() for story in stories]
    at_once(*(lambda one=one: outcomes.release_seen(one.pk, transfer(one), now=NOW) for one in releases))
    numbers = Invoice.objects.filter(issuer=None).values_list("sequence", flat=True)
    assert sorted(numbers) == list(range(1, 11))


@pytest.mark.django_db
def test_a_booking_that_is_rolled_back_leaves_no_paper() -> None:
    story = agreed(escrow()).delivered()
    release = story.release()

    def book_and_fail() -> None:
        with transaction.atomic():
            outcomes.release_seen(release.pk, transfer(release), now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        book_and_fail()
    assert papers() == []
    outcomes.release_seen(release.pk, transfer(release), now=NOW)
    assert [number.rpartition("-")[2] for number, _, _ in papers()] == ["00001", "00001"]


@pytest.mark.django_db
def test_without_consent_the_money_is_booked_and_only_the_platform_bills(caplog: pytest.LogCaptureFixture) -> None:
    story = escrow().released()
    assert story.fresh().status == "released"
    assert papers() == [("FEE-2026-00001", "invoice", 500)]
    assert "has not agreed to self-billing" in caplog.text


@pytest.mark.django_db
def test_a_fault_in_the_paper_does_not_stop_the_books(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(invoices, "issue", lambda **_: 1 / 0)
        story = agreed(escrow()).released()
    assert story.fresh().status == "released"
    assert papers() == []
    assert [record.levelno for record in caplog.records if "paper lost" in record.message] == [logging.ERROR]
    paper.released(fresh(release_of(story)), now=NOW)
    paper.released(fresh(release_of(story)), now=NOW)
    assert [total for _, _, total in papers()] == [10_000, 500]


@pytest.mark.django_db
def test_a_refund_after_the_release_takes_both_invoices_back_in_part_and_then_whole() -> None:
    story = agreed(escrow()).released()
    for minor in (2_500, 7_500):
        finish_refund(story.refund(minor))
    series = f"CL{story.freelancer.pk}-2026"
    assert papers() == [
        (f"{series}-00001", "invoice", 10_000), ("FEE-2026-00001", "invoice", 500),
        (f"{series}-00002", "credit_note", 2_500), ("FEE-2026-00002", "credit_note", 125),
        (f"{series}-00003", "credit_note", 7_500), ("FEE-2026-00003", "credit_note", 375),
    ]  # fmt: skip
    assert fresh(release_of(story)).status == Status.FULLY_REVERSED


@pytest.mark.django_db
def test_a_refund_before_the_release_makes_no_paper_and_the_invoice_is_of_the_rest() -> None:
    story = agreed(escrow()).funded()
    finish_refund(story.refund(2_500))
    assert papers() == []
    release = story.release()
    outcomes.release_seen(release.pk, transfer(release), now=NOW)
    assert [total for _, _, total in papers()] == [7_500, 375]


@pytest.mark.django_db
def test_what_was_never_billed_is_not_credited(caplog: pytest.LogCaptureFixture) -> None:
    story = escrow().released()
    finish_refund(story.refund(10_000))
    assert papers() == [("FEE-2026-00001", "invoice", 500), ("FEE-2026-00002", "credit_note", 500)]
    assert "has no invoice" in caplog.text


@pytest.mark.django_db
def test_paper_costs_a_booking_a_known_number_of_statements(figure: Any) -> None:
    story = agreed(escrow()).delivered()
    other = story.release()
    with CaptureQueriesContext(connection) as queries:
        outcomes.release_seen(other.pk, transfer(other), now=NOW)
    of_paper = [query["sql"] for query in queries if "invoices_" in query["sql"] or "render_invoice" in query["sql"]]
    figure("statements of paper in a release", len(of_paper))
    assert len(of_paper) <= 12
