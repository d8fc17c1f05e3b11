"""The books in the admin: balances, filters, search; never counted, never edited."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs.admin import paging
from payments import ledger
from payments.admin import ledger as pages
from payments.ledger import accounts
from payments.models import Account, Transfer
from payments.models.ledger import Phase
from tests.payments.admin.pages import keys, listing, page, text
from tests.payments.story import deposit_of, escrow, usd

pytestmark = pytest.mark.django_db


def test_an_account_says_what_is_posted_held_and_available(boss: Client) -> None:
    story = escrow().delivered()
    story.release()
    account = Account.objects.get(code=accounts.escrow(story.milestone.pk, "usd").code)
    shown = text(boss.get(page(account)))
    assert "posted: $100.00" in shown.lower()
    assert "held: $100.00" in shown.lower()
    assert "available: $0.00" in shown.lower()
    assert "$0.00 debited, $100.00 credited" in shown


def test_a_hot_account_is_added_up_where_that_is_quick(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        escrow().funded()
    ledger.unexplained("pi_1", usd(4_000), incoming=True)
    platform = Account.objects.get(code="stripe:platform:usd")
    assert "$340.00" in text(boss.get(listing("account"), {"q": "stripe:platform"}))
    assert "−$40.00" in text(boss.get(listing("account"), {"q": "suspense:"})), "money that came in, and is nobody's"
    monkeypatch.setattr(pages, "MOST", 2)
    assert "summed on its page" in text(boss.get(listing("account"), {"q": "stripe:platform"}))
    assert "$340.00" in text(boss.get(page(platform)))


def test_accounts_are_found_by_milestone_code_kind_and_currency(boss: Client) -> None:
    story = escrow().released()
    own = Account.objects.get(code=accounts.escrow(story.milestone.pk, "usd").code)
    payable = Account.objects.get(code=accounts.payable(story.freelancer.pk, "usd").code)
    assert keys(boss, "account", q=str(story.milestone.pk)) == [own.pk]
    assert keys(boss, "account", q=f"payable:freelancer:{story.freelancer.pk}:") == [payable.pk]
    assert keys(boss, "account", q="xpected%") == []
    assert own.pk not in keys(boss, "account", kind="asset")
    assert keys(boss, "account", currency="eur") == []


def test_transfers_are_found_by_operation_reference_phase_kind_and_account(boss: Client) -> None:
    story = escrow().released()
    deposit, release = deposit_of(story), story.milestone.operations.get(kind="release")
    of_release = set(Transfer.objects.filter(operation_id=release.pk).values_list("pk", flat=True))
    (funded,) = Transfer.objects.filter(operation_id=deposit.pk)
    assert set(keys(boss, "transfer", q=str(release.pk))) == of_release
    assert len(of_release) == 5
    assert keys(boss, "transfer", q=deposit.charge) == [funded.pk]
    assert keys(boss, "transfer", q=str(funded.pk)) == [funded.pk]
    assert set(keys(boss, "transfer", q=str(funded.txn_id))) == {funded.pk}
    assert keys(boss, "transfer", kind="deposit") == [funded.pk]
    held = Transfer.objects.filter(phase=Phase.PENDING)
    assert set(keys(boss, "transfer", phase="pending")) == {row.pk for row in held}
    mine = Account.objects.get(code=accounts.escrow(story.milestone.pk, "usd").code)
    assert len(keys(boss, "transfer", account=mine.pk)) == 5
    assert keys(boss, "transfer", account="x' or 1=1") == keys(boss, "transfer")


def test_every_kind_of_row_can_be_chosen(boss: Client) -> None:
    """What the books write is what the filter offers."""
    story = escrow().released()
    story.withdraw(1_000)
    assert set(Transfer.objects.values_list("kind", flat=True)) <= set(pages.KINDS)


def test_a_row_says_between_what_for_what_and_by_whom(boss: Client) -> None:
    story = escrow().released()
    release = story.milestone.operations.get(kind="release")
    row = Transfer.objects.get(operation_id=release.pk, kind="release", phase="post")
    answer = boss.get(page(row))
    shown = text(answer)
    for words in ("$95.00", f"escrow:milestone:{story.milestone.pk}:usd", "✓ post", "a hold"):
        assert words in shown
    assert page(release) in answer.content.decode()


def test_the_newest_come_first_page_by_page_and_nothing_is_counted(boss: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(paging, "LIMIT", 55)
    for n in range(60):
        ledger.unexplained(f"txn_{n}", usd(100 + n), incoming=True)
        # Rows of one transaction are of one time; the list goes by time.
    with CaptureQueriesContext(connection) as seen:
        answer = boss.get(listing("transfer"))
    asked = [query["sql"] for query in seen.captured_queries]
    assert len(asked) <= 7, "\n".join(asked)
    assert not [sql for sql in asked if "COUNT(" in sql]
    assert "more than 55 ledger transfers" in text(answer)
    assert "created_at__lt=" in answer.context["cl"].older_url
    assert boss.get(listing("transfer") + answer.context["cl"].older_url).status_code == 200
    assert len(keys(boss, "transfer", p="2")) == 5
