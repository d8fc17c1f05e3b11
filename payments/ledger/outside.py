"""Money that moved without an operation of ours: a bank took it back, or nobody knows why.

Written Dr → Cr, like events.py; the key is Stripe's object, so each is written once.
"""

from __future__ import annotations

import uuid

from payments.ledger import accounts
from payments.ledger.posting import Leg, event_key, post
from payments.money import Money


def dispute_withdrawn(dispute: str, amount: Money, fee: Money, *, operation_id: uuid.UUID, stripe_ref: str) -> bool:
    """receivable:dispute → stripe:platform, and the bank's fee; `dispute` is a dp_…, the operation its deposit."""
    platform = accounts.platform(amount.currency)
    taken = Leg(
        name="withdrawn", debit=accounts.dispute_receivable(amount.currency), credit=platform,
        money=amount, kind="dispute", stripe_ref=stripe_ref,
    )  # fmt: skip
    fees = Leg(
        name="fee", debit=accounts.stripe_fees(fee.currency), credit=platform,
        money=fee, kind="stripe_fee", stripe_ref=stripe_ref,
    )  # fmt: skip
    return post(_dispute(dispute), [taken, fees], event="withdrawn", operation_id=operation_id)


def dispute_won(dispute: str, amount: Money, *, operation_id: uuid.UUID, stripe_ref: str) -> bool:
    """stripe:platform → receivable:dispute: the bank gave the amount back (its fee it keeps)."""
    back = Leg(
        name="won", debit=accounts.platform(amount.currency), credit=accounts.dispute_receivable(amount.currency),
        money=amount, kind="dispute", stripe_ref=stripe_ref,
    )  # fmt: skip
    return post(_dispute(dispute), [back], event="won", operation_id=operation_id)


def dispute_lost(dispute: str, milestone_id: int, *, held: Money, gone: Money, operation_id: uuid.UUID) -> bool:
    """escrow → receivable:dispute for what is still `held`, expense:dispute → receivable:dispute for what is `gone`."""
    receivable = accounts.dispute_receivable(held.currency)
    return post(
        _dispute(dispute),
        [
            Leg(
                name="lost", debit=accounts.escrow(milestone_id, held.currency), credit=receivable,
                money=held, kind="dispute",
            ),
            Leg(
                name="lost:gone", debit=accounts.dispute_losses(gone.currency), credit=receivable,
                money=gone, kind="dispute",
            ),
        ],
        event="lost", operation_id=operation_id,
    )  # fmt: skip


def unexplained(
    stripe_ref: str,
    money: Money,
    *,
    incoming: bool,
    operation_id: uuid.UUID | None = None,
    stripe_account: str = "",
) -> bool:
    """Into or out of suspense: a balance at Stripe moved, and no operation of ours explains it.

    `stripe_ref` is the object or balance transaction that moved it; it is the key, so it is told once.
    `stripe_account`: the connected account whose balance it was; empty: the platform's.
    """
    currency = money.currency
    moved = accounts.connected(stripe_account, currency) if stripe_account else accounts.platform(currency)
    suspense = accounts.suspense(currency, stripe_account)
    debit, credit = (moved, suspense) if incoming else (suspense, moved)
    leg = Leg(name="suspense", debit=debit, credit=credit, money=money, kind="suspense", stripe_ref=stripe_ref)
    return post(event_key(f"suspense:{stripe_ref}"), [leg], event="suspense", operation_id=operation_id)


def _dispute(stripe_id: str) -> uuid.UUID:
    return event_key(f"dispute:{stripe_id}")
