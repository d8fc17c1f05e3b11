"""An object of Stripe's, read by us, told to whatever keeps the books of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from payments import outcomes
from payments.gateway import Read, objects, read
from payments.models import Operation
from payments.states import Kind

READ = {
    Kind.DEPOSIT: "payment_intents",
    Kind.RELEASE: "transfers",
    Kind.REVERSAL: "transfers.reversals",
    Kind.WITHDRAWAL: "payouts",
    Kind.REFUND: "refunds",
}
"""Where the object of each kind of operation is."""

WITH_FEE = {"expand": ["latest_charge.balance_transaction"]}


def fetch(operation: Operation, stripe_id: str) -> dict[str, Any]:
    """The operation's object as it is now. Raises GatewayError."""
    kind = Kind(operation.kind)
    return read(
        Read(
            what=READ[kind],
            id=stripe_id,
            params=WITH_FEE if kind is Kind.DEPOSIT else {},
            account=operation.stripe_account,
            parent=operation.params["transfer"] if kind is Kind.REVERSAL else "",
        )
    )


def tell(operation: Operation, found: dict[str, Any], *, now: datetime) -> bool:
    """Make operation, ledger and milestone agree with the object, in one transaction; whether it was news.

    Raises outcomes.Contradiction and outcomes.TooEarly.
    """
    match Kind(operation.kind):
        case Kind.DEPOSIT:
            return _deposit(operation, found, now)
        case Kind.RELEASE:
            return outcomes.release_seen(operation.pk, objects.transfer(found), now=now)
        case Kind.REVERSAL:
            return outcomes.reversal_seen(operation.pk, objects.reversal(found), now=now)
        case Kind.WITHDRAWAL:
            return outcomes.withdrawal_seen(operation.pk, objects.payout(found), now=now)
        case Kind.REFUND:
            return outcomes.refund_seen(operation.pk, objects.refund(found), now=now)


def _deposit(operation: Operation, found: dict[str, Any], now: datetime) -> bool:
    livemode = not settings.STRIPE_SECRET_KEY.startswith(("sk_test_", "rk_test_"))
    with transaction.atomic():
        news = outcomes.deposit_seen(operation.pk, objects.payment(found), livemode=livemode, now=now)
        charge = objects.charge_fee(found.get("latest_charge"))
        operation.refresh_from_db()
        if charge and operation.booked_at is not None and operation.charge == charge.charge:
            news = outcomes.fee_seen(operation.pk, charge) or news
    return news
