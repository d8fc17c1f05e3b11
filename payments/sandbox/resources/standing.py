"""How an account stands with Stripe: onboarded, short of papers, gone.

docs.stripe.com/connect/handling-api-verification
"""

from __future__ import annotations

from typing import Any

from payments.sandbox.events import emit, emit_object
from payments.sandbox.resources import banks
from payments.sandbox.store import Record
from payments.sandbox.world import World

DUE = ["external_account", "individual.first_name", "individual.last_name", "tos_acceptance.date", "tos_acceptance.ip"]
PAPERS = ["individual.verification.document"]
APPLICATION = {"id": "ca_local", "object": "application", "name": "ContraLock"}


def onboard(world: World, account: Record, number: str = banks.GOOD) -> None:
    """The person filled everything in: capabilities, payouts and a bank account, with their events."""
    currency = account.data["default_currency"]
    if banks.default_for(world.store, account.id, currency) is None:
        emit(world, banks.add(world.store, account, currency, number), "account.external_account.created")
    wanted = account.data["capabilities"] or {"transfers": "inactive"}
    former = world.store.change(
        account, capabilities=dict.fromkeys(wanted, "active"), charges_enabled=True, payouts_enabled=True,
        details_submitted=True, requirements=requirements([]),
    )  # fmt: skip
    for name in wanted:
        _capability_updated(world, account, name, "active")
    emit(world, account, "account.updated", former=former)


def lose_capability(world: World, account: Record, name: str = "transfers", *, payouts: bool = False) -> None:
    """Stripe wants more papers: the capability, and payouts if asked, are off until they are there."""
    former = world.store.change(
        account, capabilities=account.data["capabilities"] | {name: "inactive"},
        payouts_enabled=account.data["payouts_enabled"] and not payouts,
        requirements=requirements(PAPERS, "requirements.past_due"),
    )  # fmt: skip
    _capability_updated(world, account, name, "inactive")
    emit(world, account, "account.updated", former=former)


def deauthorize(world: World, account: Record) -> None:
    """The account takes the platform's access away: calls for it are 403 from now on."""
    world.store.note(account, gone=True)
    emit_object(world, APPLICATION, "account.application.deauthorized", account=account.id)


def requirements(due: list[str], reason: str | None = None) -> dict[str, Any]:
    """What the account still owes Stripe."""
    return {
        "alternatives": [], "current_deadline": None, "currently_due": due, "disabled_reason": reason, "errors": [],
        "eventually_due": due, "past_due": due, "pending_verification": [],
    }  # fmt: skip


def _capability_updated(world: World, account: Record, name: str, status: str) -> None:
    shown = {"id": name, "object": "capability", "account": account.id, "requested": True, "status": status}
    shown["requirements"] = account.data["requirements"]
    emit_object(world, shown, "capability.updated", account=account.id)
