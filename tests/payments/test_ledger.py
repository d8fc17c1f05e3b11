"""The books' own rules: they hold in the database, whatever code does."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from jobs.database import rows
from payments import ledger
from payments.ledger import InsufficientFunds, LedgerConflict, Leg, accounts
from payments.models import Account, Transfer
from payments.models.ledger import Phase
from payments.money import Money
from tests.payments.marks import COMMITTED
from tests.payments.story import at_once, usd

pytestmark = pytest.mark.django_db

ESCROW = accounts.escrow(7, "usd")
PAYABLE = accounts.payable(8, "usd")
PLATFORM = accounts.platform("usd")


def leg(name: str, debit: Any, credit: Any, minor: int, **other: Any) -> Leg:
    return Leg(**{"name": name, "debit": debit, "credit": credit, "money": usd(minor), "kind": "test"} | other)


def paid(minor: int = 1_000) -> uuid.UUID:
    """Money in escrow."""
    key = uuid.uuid4()
    ledger.post(key, [leg("in", PLATFORM, ESCROW, minor)], event="in")
    return key


def hold(minor: int, key: uuid.UUID | None = None) -> uuid.UUID:
    """Some of it held. The books have no operation for it, so tests resolve it before they end."""
    key = key or uuid.uuid4()
    ledger.post(key, [leg("hold", ESCROW, PAYABLE, minor, phase=Phase.PENDING)], event="hold")
    return key


def resolve(key: uuid.UUID, phase: Phase, minor: int) -> None:
    done = leg("done", ESCROW, PAYABLE, minor, phase=phase, resolves="hold")
    ledger.post(key, [done], event="done")


def standing() -> tuple[int, int, int]:
    """Escrow's balance and hold, payable's balance."""
    return ledger.balance(ESCROW.code), ledger.held(ESCROW.code), ledger.balance(PAYABLE.code)


def test_a_hold_is_posted_or_given_back() -> None:
    paid()
    first, second = hold(300), hold(700)
    assert (standing(), ledger.available(ESCROW.code)) == ((1_000, 1_000, 0), 0)
    resolve(first, Phase.POST, 300)
    resolve(second, Phase.VOID, 700)
    assert standing() == (700, 0, 300)


def test_a_part_may_be_posted_and_the_rest_is_given_back() -> None:
    paid()
    resolve(hold(300), Phase.POST, 100)
    assert standing() == (900, 0, 100)


def test_the_same_event_twice_is_the_same_rows() -> None:
    key = uuid.uuid4()
    legs = [leg("in", PLATFORM, ESCROW, 1_000), leg("cost", accounts.stripe_fees("usd"), PLATFORM, 30)]
    assert [ledger.post(key, legs, event="in") for _ in range(3)] == [True, False, False]
    assert Transfer.objects.count() == 2
    assert {row.txn_id for row in Transfer.objects.all()} == {uuid.uuid5(key, "txn:in")}


@pytest.mark.parametrize(
    "other",
    [
        lambda: leg("in", PLATFORM, ESCROW, 999),
        lambda: leg("in", PLATFORM, PAYABLE, 1_000),
        lambda: leg("in", PLATFORM, ESCROW, 1_000, kind="other"),
    ],
    ids=["amount", "account", "kind"],
)
def test_the_same_leg_told_differently_is_a_conflict(other: Callable[[], Leg]) -> None:
    key = paid()
    with pytest.raises(LedgerConflict, match="was written as"), transaction.atomic():
        ledger.post(key, [other()], event="in")
    assert ledger.balance(ESCROW.code) == 1_000


def test_an_event_that_was_written_in_part_is_a_conflict() -> None:
    key = paid()
    with pytest.raises(LedgerConflict, match="1 of 2 legs"), transaction.atomic():
        ledger.post(key, [leg("in", PLATFORM, ESCROW, 1_000), leg("more", PLATFORM, ESCROW, 5)], event="in")
    assert ledger.balance(ESCROW.code) == 1_000


def test_a_hold_cannot_be_posted_and_given_back() -> None:
    paid()
    key = hold(300)
    resolve(key, Phase.POST, 300)
    with pytest.raises(LedgerConflict), transaction.atomic():
        resolve(key, Phase.VOID, 300)
    again = leg("done again", ESCROW, PAYABLE, 300, phase=Phase.VOID, resolves="hold")
    with pytest.raises(LedgerConflict, match="posted or voided once"), transaction.atomic():
        ledger.post(key, [again], event="done again")
    assert standing() == (700, 0, 300)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: leg("done", ESCROW, PAYABLE, 301, phase=Phase.POST, resolves="hold"),
        lambda: leg("done", ESCROW, PAYABLE, 299, phase=Phase.VOID, resolves="hold"),
        lambda: leg("done", PAYABLE, ESCROW, 300, phase=Phase.POST, resolves="hold"),
    ],
    ids=["more than held", "less given back", "the other way"],
)
def test_a_resolution_that_does_not_fit_its_hold_is_refused(wrong: Callable[[], Leg]) -> None:
    paid()
    key = hold(300)
    with pytest.raises(IntegrityError, match="does not fit the hold"), transaction.atomic():
        ledger.post(key, [wrong()], event="done")
    resolve(key, Phase.VOID, 300)


def test_what_is_not_there_is_refused_with_numbers() -> None:
    paid()
    key = hold(700)
    said = r"4\.00 usd was asked of escrow:milestone:7:usd, of which 3\.00 usd is free"
    with pytest.raises(InsufficientFunds, match=said), transaction.atomic():
        hold(400)
    with pytest.raises(InsufficientFunds) as refusal, transaction.atomic():
        ledger.post(uuid.uuid4(), [leg("out", ESCROW, PLATFORM, 301)], event="out")
    assert (refusal.value.asked, refusal.value.free) == (usd(301), usd(300))
    resolve(key, Phase.VOID, 700)


def test_legs_of_one_event_are_counted_together() -> None:
    paid()
    legs = [leg("a", ESCROW, PAYABLE, 600), leg("b", ESCROW, accounts.fee_revenue("usd"), 600)]
    with pytest.raises(InsufficientFunds, match=r"12\.00 usd was asked"), transaction.atomic():
        ledger.post(uuid.uuid4(), legs, event="out")
    assert standing() == (1_000, 0, 0)


def test_an_account_that_is_not_what_code_says_is_refused() -> None:
    paid()
    with pytest.raises(accounts.AccountMismatch):
        accounts.lock([accounts.Place(ESCROW.code, ESCROW.kind, "usd")])


def test_an_event_without_money_is_refused() -> None:
    with pytest.raises(ValueError, match="every leg is empty"):
        ledger.post(uuid.uuid4(), [leg("in", PLATFORM, ESCROW, 0)], event="in")


COLUMNS = "id, txn_id, debit_id, credit_id, amount, currency, phase, kind, stripe_ref"


def by_hand(**other: Any) -> None:
    """A row that no code of ours would write."""
    ids = dict(Account.objects.values_list("code", "id"))
    values = {
        "id": uuid.uuid4(), "txn_id": uuid.uuid4(), "debit_id": ids[PLATFORM.code], "credit_id": ids[ESCROW.code],
        "amount": 1, "currency": "usd", "phase": "single", "kind": "x", "stripe_ref": "",
    } | other  # fmt: skip
    marks = ", ".join(["%s"] * len(values))
    rows(f"INSERT INTO ledger_transfer ({', '.join(values)}) VALUES ({marks})", list(values.values()))


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 0},
        {"amount": -1},
        {"currency": "eur"},
        {"phase": "maybe"},
        {"phase": "post"},
        {"pending_id": uuid.UUID(int=1)},
        {"credit_id": 10**9},
    ],
    ids=str,
)
def test_the_database_refuses_a_row_that_makes_no_sense(wrong: dict[str, Any]) -> None:
    paid()
    with pytest.raises(IntegrityError), transaction.atomic():
        by_hand(**wrong)


def test_the_database_refuses_a_move_to_itself() -> None:
    paid()
    with pytest.raises(IntegrityError), transaction.atomic():
        by_hand(credit_id=Account.objects.get(code=PLATFORM.code).pk)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_transfer SET amount = 2",
        "DELETE FROM ledger_transfer",
        "TRUNCATE ledger_transfer CASCADE",
        "TRUNCATE ledger_account CASCADE",
        "UPDATE ledger_account SET credits_posted = 5",
        "UPDATE ledger_account SET floor = 'none'",
        "DELETE FROM ledger_account",
        "INSERT INTO ledger_account (code, kind, currency, credits_posted) VALUES ('x', 'asset', 'usd', 5)",
    ],
)
def test_nobody_changes_what_is_written(statement: str) -> None:
    paid()
    rows("SET CONSTRAINTS ALL IMMEDIATE")  # a TRUNCATE waits for none
    with pytest.raises(IntegrityError, match="immutable"), transaction.atomic():
        rows(statement)


def test_a_hot_account_keeps_no_balance_and_is_summed_when_read() -> None:
    paid(600), paid(400)
    account = Account.objects.get(code=PLATFORM.code)
    assert (account.cached, account.debits_posted, ledger.balance(PLATFORM.code)) == (False, 0, 1_000)


def test_an_account_that_nothing_touched_is_empty() -> None:
    assert (ledger.balance("escrow:milestone:0:usd"), ledger.available("escrow:milestone:0:usd")) == (0, 0)


def test_a_currency_has_books_of_its_own() -> None:
    paid()
    yen = accounts.escrow(7, "jpy")
    legs = [Leg(name="in", debit=accounts.platform("jpy"), credit=yen, money=Money(50, "jpy"), kind="test")]
    ledger.post(uuid.uuid4(), legs, event="in")
    assert (ledger.balance(ESCROW.code), ledger.balance(yen.code)) == (1_000, 50)


# ---------------------------------------------------------------- many at once
def attempt(minor: int) -> uuid.UUID | None:
    try:
        return hold(minor)
    except InsufficientFunds:
        return None


@COMMITTED
def test_of_128_concurrent_holds_of_400_on_10_000_exactly_25_win() -> None:
    paid(10_000)
    won = [key for key in at_once(*[lambda: attempt(400)] * 128, threads=16) if key]
    assert len(won) == 25
    assert (standing(), ledger.available(ESCROW.code)) == ((10_000, 10_000, 0), 0)
    for key in won:
        resolve(key, Phase.VOID, 400)
    assert standing() == (10_000, 0, 0)


@COMMITTED
def test_one_event_told_by_sixteen_at_once_is_written_once() -> None:
    key = uuid.uuid4()
    legs = [leg("in", PLATFORM, ESCROW, 1_000), leg("on", ESCROW, PAYABLE, 400)]
    told = at_once(*[lambda: ledger.post(key, legs, event="in")] * 16)
    assert sorted(told) == [False] * 15 + [True]
    assert standing() == (600, 0, 400)


@COMMITTED
def test_accounts_that_many_need_at_once_are_made_once() -> None:
    at_once(*[lambda: paid(10)] * 16)
    assert (Account.objects.count(), ledger.balance(ESCROW.code)) == (2, 160)


@COMMITTED
def test_money_that_goes_both_ways_at_once_ends_where_it_should() -> None:
    """Legs told in opposite orders would block each other; accounts are locked in the order of their ids."""
    paid(10_000)
    ledger.post(uuid.uuid4(), [leg("in", PLATFORM, PAYABLE, 10_000)], event="in")
    there = lambda: ledger.post(uuid.uuid4(), [leg("a", ESCROW, PAYABLE, 7)], event="a")  # noqa: E731
    back = lambda: ledger.post(uuid.uuid4(), [leg("a", PAYABLE, ESCROW, 7)], event="a")  # noqa: E731
    assert all(at_once(*[there, back] * 64, threads=16))
    assert standing() == (10_000, 0, 10_000)
