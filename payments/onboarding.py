"""A freelancer's connected account: made, onboarded at Stripe, and what Stripe says of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from payments import gateway
from payments.gateway import GatewayError, Read
from payments.models import PayoutAccount
from payments.models.account import PayoutStatus


def account_seen(found: dict[str, Any], *, now: datetime) -> bool:
    """A connected account as Stripe describes it now; whether it was news. False for one that is none of ours."""
    capabilities = dict(found.get("capabilities") or {})
    transfers = capabilities.get("transfers") == "active"
    payouts = bool(found.get("payouts_enabled"))
    asked = found.get("requirements") or {}
    if transfers and payouts:
        status = PayoutStatus.ACTIVE
    elif asked.get("disabled_reason") and found.get("details_submitted"):
        status = PayoutStatus.RESTRICTED
    else:
        status = PayoutStatus.PENDING
    return _note(
        found["id"], now, status=status, transfers_enabled=transfers, payouts_enabled=payouts, capabilities=capabilities
    )


def look(account_id: str, *, now: datetime) -> bool:
    """Read the account and note what Stripe says of it; whether it was news. Raises GatewayError.

    One that we may not read any more was disconnected by its owner.
    """
    try:
        found = gateway.read(Read(what="accounts", id=account_id))
    except GatewayError as error:
        if error.facts.status not in (403, 404):
            raise
        return gone(account_id, now=now)
    return account_seen(found, now=now)


def gone(account_id: str, *, now: datetime) -> bool:
    """Its owner disconnected it: no money can be sent to it any more. Whether that was news."""
    return _note(
        account_id,
        now,
        status=PayoutStatus.DEAUTHORIZED,
        transfers_enabled=False,
        payouts_enabled=False,
        capabilities={},
    )


def _note(account_id: str, now: datetime, **said: Any) -> bool:
    row = PayoutAccount.objects.filter(stripe_account=account_id)
    changed: int = row.exclude(**said).update(checked_at=now, **said)
    if not changed:
        row.update(checked_at=now)
    return changed == 1


def connect(user_id: int, *, country: str, now: datetime) -> PayoutAccount:
    """The person's connected account, made at Stripe if there is none yet. Raises GatewayError.

    `country`: two letters. Payouts are ours to ask for: by Stripe's default a balance is paid out every day, and a
    withdrawal would find nothing.
    """
    known = PayoutAccount.objects.filter(user_id=user_id).first()
    if known:
        return known
    found = gateway.write(
        "accounts",
        params={
            "type": "express",
            "country": country,
            "capabilities": {"transfers": {"requested": True}},
            "metadata": {"user_id": str(user_id)},
        },
        key=f"account:{user_id}:{country}",  # a refused country, put right, is another request
    )
    manual = {"payments": {"payouts": {"schedule": {"interval": "manual"}}}}
    gateway.write("balance_settings", verb="update", params=manual, account=found["id"])
    account, _ = PayoutAccount.objects.get_or_create(user_id=user_id, defaults={"stripe_account": found["id"]})
    account_seen(found, now=now)
    account.refresh_from_db()
    return account


def link(account: PayoutAccount, *, return_url: str, refresh_url: str) -> str:
    """Where the freelancer tells Stripe who they are and which bank is theirs. Raises GatewayError."""
    found = gateway.write(
        "account_links",
        params={
            "account": account.stripe_account,
            "type": "account_onboarding",
            "return_url": return_url,
            "refresh_url": refresh_url,
        },
    )
    return str(found["url"])
