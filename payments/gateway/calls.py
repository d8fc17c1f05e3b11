"""What is sent to Stripe: frozen, so that a second try sends the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Effect(StrEnum):
    """The money-moving calls, by the object that they make."""

    PAYMENT_INTENT = "payment_intent"
    TRANSFER = "transfer"
    REVERSAL = "reversal"
    PAYOUT = "payout"
    REFUND = "refund"


@dataclass(frozen=True, kw_only=True)
class Send:
    """One call that has an effect.

    `key` is the Idempotency-Key: the same attempt of the same operation always has the same, with the same `params`
    (https://docs.stripe.com/api/idempotent_requests). `account`: the connected account in whose name it is made; ""
    is the platform. `parent`: the transfer that a reversal is of.
    """

    effect: Effect
    params: Mapping[str, Any]
    key: str
    account: str = ""
    parent: str = ""
    api_version: str = ""

    @property
    def endpoint(self) -> str:
        """What Stripe's rate limits count together."""
        return self.effect.value


@dataclass(frozen=True, kw_only=True)
class Read:
    """One call that has none: an object by its id, or a list."""

    what: str
    """The SDK's name of the resource: payment_intents, transfers, payouts, refunds, events, balance …"""
    id: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    account: str = ""
    parent: str = ""


def ordered(params: Any) -> Any:
    """The same parameters in one order, whatever order a JSON column gave them back in."""
    if isinstance(params, Mapping):
        return {name: ordered(params[name]) for name in sorted(params)}
    return [ordered(each) for each in params] if isinstance(params, list | tuple) else params
