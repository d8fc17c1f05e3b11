"""The audit finds what is wrong, and says where."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction

from jobs import queues
from jobs.database import rows
from jobs.models import QueuePause
from payments import audit, outcomes, recovery
from payments.checks import settings_fit
from payments.facts import PayoutState
from tests.payments.story import NOW, Escrow, escrow, finish_refund, payout, sent

pytestmark = pytest.mark.django_db


@contextmanager
def tampered(*statements: str) -> Iterator[list[audit.Breach]]:
    """What the audit finds after somebody with all rights wrote into the tables; taken back afterwards."""
    with transaction.atomic():
        rows("SET CONSTRAINTS ALL IMMEDIATE")
        rows("SET LOCAL session_replication_role = replica")  # no trigger, no foreign key
        for statement in statements:
            rows(statement)
        rows("SET LOCAL session_replication_role = origin")
        yield audit.check().breaches
        transaction.set_rollback(True)


@pytest.fixture
def story() -> Escrow:
    """A milestone with a bit of everything behind it."""
    story = escrow().released()
    finish_refund(story.refund(2_000))
    story.withdraw(1_000)
    return story


@pytest.mark.parametrize(
    ("statement", "invariant", "where"),
    [
        ("UPDATE ledger_transfer SET amount = amount + 1 WHERE kind = 'deposit'", 2, "escrow:milestone:"),
        (
            "UPDATE ledger_account SET credits_posted = credits_posted + 1 WHERE code LIKE 'escrow%%'",
            2,
            "escrow:milestone:",
        ),
        ("UPDATE ledger_account SET debits_posted = 1 WHERE NOT cached", 2, "stripe:platform:usd"),
        ("DELETE FROM ledger_transfer WHERE kind = 'deposit'", 3, "escrow:milestone:"),
        ("UPDATE ledger_transfer SET amount = amount * 2 WHERE phase = 'post'", 4, ""),
        ("UPDATE payments_operation SET amount = amount - 1 WHERE kind = 'deposit'", 5, "milestone"),
        ("UPDATE payments_operation SET booked_at = NULL WHERE kind = 'release'", 6, "release"),
        ("DELETE FROM ledger_transfer WHERE kind = 'withdrawal'", 6, "withdrawal"),
        (
            "UPDATE payments_operation SET status = 'rejected', dispatch = 'rejected' WHERE kind = 'withdrawal'",
            6,
            "withd",
        ),
        ("UPDATE ledger_transfer SET operation_id = NULL WHERE kind = 'withdrawal'", 6, "hold"),
    ],
)
def test_what_somebody_changed_by_hand_is_found(story: Escrow, statement: str, invariant: int, where: str) -> None:
    with tampered(statement) as breaches:
        assert any(breach.invariant == invariant and breach.where.startswith(where) for breach in breaches), breaches
        assert all(str(breach).startswith(f"{breach.invariant}. ") for breach in breaches)
    assert not audit.check().breaches


def test_a_currency_that_does_not_balance_is_found(story: Escrow) -> None:
    with tampered("UPDATE ledger_account SET currency = 'eur' WHERE code LIKE 'revenue%%'") as breaches:
        assert {breach.where for breach in breaches if breach.invariant == 1} == {"usd", "eur"}


def test_one_object_of_two_operations_is_found(story: Escrow) -> None:
    with tampered(
        "ALTER TABLE payments_operation DROP CONSTRAINT payments_operation_stripe_id_key",
        "UPDATE payments_operation SET stripe_id = 'tr_1' WHERE stripe_id IS NOT NULL",
    ) as breaches:
        assert [breach.where for breach in breaches if breach.invariant == 7] == ["tr_1"]


def test_stripes_balance_is_compared_when_it_is_given(story: Escrow) -> None:
    withdrawal = sent(story.withdraw(1_000))  # the one that is under way
    outcomes.withdrawal_seen(withdrawal.pk, payout(withdrawal, PayoutState.PAID), now=NOW)
    assert audit.check().skipped == [8]
    assert audit.check({"usd": 400}).clean
    (breach,) = audit.check({"usd": 399, "eur": 0}).breaches
    assert (breach.where, breach.what) == ("stripe:platform:usd", "the book says 400, Stripe says 399: -1")
    assert [breach.where for breach in audit.check({"usd": 400, "eur": 5}).breaches] == ["stripe:platform:eur"]


def test_many_breaches_are_counted_not_listed() -> None:
    for _ in range(22):
        escrow().funded()
    with tampered("UPDATE payments_operation SET booked_at = NULL, status = 'awaiting_payment'") as breaches:
        told = [breach for breach in breaches if breach.invariant == 6]
        assert (len(told), told[-1].what) == (21, "and 2 more")


# ---------------------------------------------------------------- the command line
def run(*words: str) -> tuple[str, int]:
    """What the command prints, and its exit code."""
    out = StringIO()
    try:
        call_command("ledger", *words, stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


def test_the_command_says_that_the_books_are_right(story: Escrow) -> None:
    said, code = run("check")
    assert (said.startswith("the books are right ("), code) == (True, 0)


def test_the_command_ends_with_1_and_says_what_is_wrong_and_where(story: Escrow) -> None:
    with tampered("UPDATE ledger_account SET credits_posted = credits_posted + 1 WHERE code LIKE 'escrow%%'"):
        said, code = run("check")
        assert (code, "2. kept balances equal their rows: escrow:milestone:" in said) == (1, True)
        said, code = run("check", "--json")
        assert (code, json.loads(said)["clean"]) == (1, False)
        assert {"invariant", "where", "what"} == set(json.loads(said)["breaches"][0])


def test_the_command_lists_accounts(story: Escrow) -> None:
    said, _ = run("accounts", "--like", "payable")
    assert said.splitlines()[1].split() == [
        f"payable:freelancer:{story.freelancer.pk}:usd",
        "liability",
        "7,600",
        "1,000",
    ]
    listed, _ = run("accounts", "--json")
    assert {"code": "revenue:fee:usd", "kind": "revenue", "balance": 400, "held": 0} in json.loads(listed)


def test_after_a_restore_payments_stand_still_until_all_is_reconciled(story: Escrow) -> None:
    said, code = run("restored")
    assert code == 0
    assert "1 operations were not finished" in said
    pause = QueuePause.objects.get()
    assert (pause.queue, pause.owner) == ("payment", "restore")
    run("restored")
    assert QueuePause.objects.count() == 1
    assert recovery.reconciled()
    assert not recovery.reconciled()


def test_the_pause_of_an_operator_is_not_lifted_with_it(story: Escrow) -> None:
    queues.pause("payment", reason="lunch")
    recovery.mark_restored()
    recovery.reconciled()
    assert QueuePause.objects.get().owner == "operator"


@pytest.mark.parametrize(
    ("setting", "value", "found"),
    [
        ("PLATFORM_FEE_BPS", 10_000, ["payments.E001"]),
        ("PLATFORM_FEE_BPS", -1, ["payments.E001"]),
        ("PAYMENTS_CURRENCIES", ["usd", "EUR"], ["payments.E002"]),
        ("PAYMENTS_CURRENCIES", [], ["payments.E002"]),
        ("PLATFORM_FEE_BPS", 0, []),
    ],
)
def test_settings_with_which_money_is_counted_wrongly_are_found(
    settings: Any, setting: str, value: object, found: list[str]
) -> None:
    setattr(settings, setting, value)
    assert [error.id for error in settings_fit()] == found
