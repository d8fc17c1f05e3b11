"""What an error of Stripe allows next.

Decided by status, code and headers, never by the SDK's class alone (a 409 is a plain APIError there). The table and
its sources: https://docs.stripe.com/error-low-level, https://docs.stripe.com/error-codes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What may be done with an operation whose call did not return its object."""

    RETRY = "retry"
    """Not executed: again later, with the same key."""
    UNKNOWN = "unknown"
    """May have been executed: again later with the same key, as long as the key is young enough."""
    NEW_KEY = "new key"
    """Executed and refused, and the refusal is kept under this key: again later, under a new one."""
    FAIL = "fail"
    """Refused for good: the hold is given back."""
    PARK = "park"
    """Our configuration, or a dispute: nothing of it is the payment's fault. Waits until somebody mends it."""
    ADOPT = "adopt"
    """Sending is pointless or forbidden: look whether it is there."""
    MANUAL = "manual"
    """Nobody has decided what this means: a person looks. Money stays held."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a failed call. `status` None: no answer came, or none that could be read."""

    status: int | None
    code: str = ""
    kind: str = ""
    """Stripe's `error.type`; empty when the body was not Stripe's."""
    replayed: bool = False
    """`Idempotent-Replayed`: the answer was kept from an earlier request."""
    no_retry: bool = False
    """`Stripe-Should-Retry: false`."""
    message: str = ""


class GatewayError(Exception):
    """A call that did not return its object. `begun` False: provably not sent."""

    def __init__(
        self, message: str, *, verdict: Verdict, facts: Facts, request_id: str = "", begun: bool = True
    ) -> None:
        super().__init__(message)
        self.verdict = verdict
        self.facts = facts
        self.request_id = request_id
        self.begun = begun

    @property
    def code(self) -> str:
        """Stripe's code, or a word for what happened."""
        return self.facts.code or (f"http_{self.facts.status}" if self.facts.status else "no_answer")

    @property
    def down(self) -> bool:
        """Whether it speaks of Stripe as a whole, not of this operation."""
        if not self.begun:
            return False
        return self.facts.status is None or (self.facts.status >= 500 and not self.facts.replayed)


_RETRY = {"rate_limit", "lock_timeout"}
_NEW_KEY = {"balance_insufficient", "insufficient_funds"}
SHORT = "sufficient funds"
"""In the text of a reversal that the payee's balance does not cover; that refusal has no code."""
_ADOPT = {"charge_already_refunded", "payment_intent_unexpected_state"}
_PARK = {
    "charge_disputed",
    "refund_disputed_payment",
    "platform_api_key_expired",
    "api_key_expired",
    "secret_key_required",
}
_FAIL = {  # the payee's side, then our data
    *("transfers_not_allowed", "payouts_not_allowed", "capability_not_active", "account_closed", "no_account"),
    *("bank_account_unusable", "bank_account_declined", "account_invalid", "payouts_limit_exceeded"),
    *("instant_payouts_unsupported", "instant_payouts_currency_disabled", "instant_payouts_limit_exceeded"),
    *("insufficient_capabilities_for_transfer", "account_country_invalid_address"),
    *("amount_too_small", "amount_too_large", "resource_missing", "livemode_mismatch", "invalid_currency"),
    *("transfer_source_balance_parameters_mismatch", "charge_exceeds_source_limit"),
}


def classify(facts: Facts) -> Verdict:
    """The verdict on a failed call."""
    status, code = facts.status, facts.code
    if status is None:
        return Verdict.UNKNOWN  # refused connection, time-out, reset or half a body: the SDK cannot tell which
    if status == 401:
        return Verdict.PARK
    if status == 403:
        return Verdict.FAIL if code in _FAIL else Verdict.PARK
    if status == 429 or code in _RETRY:
        return Verdict.RETRY  # limiters run before the request is executed
    if status == 402:
        return Verdict.FAIL
    if status == 500 and (facts.replayed or facts.no_retry):
        return Verdict.ADOPT  # this answer is kept under the key: no resend will ever say anything else
    if status >= 500 or status in (200, 409, 424):
        return Verdict.UNKNOWN
    return _of_request(facts)


def _of_request(facts: Facts) -> Verdict:
    """A 4xx that names what is wrong with the request."""
    code = facts.code
    if facts.kind == "idempotency_error":
        return Verdict.ADOPT  # the first request under this key may have been executed
    if not facts.kind:
        return Verdict.UNKNOWN  # not Stripe's words: something in between answered
    for codes, verdict in ((_NEW_KEY, Verdict.NEW_KEY), (_ADOPT, Verdict.ADOPT), (_PARK, Verdict.PARK)):
        if code in codes:
            return verdict
    if not code and SHORT in facts.message:
        return Verdict.NEW_KEY
    if code in _FAIL or code.startswith("parameter_") or (facts.status == 404 and not code):
        return Verdict.FAIL
    return Verdict.MANUAL  # never give a hold back for a reason nobody has thought about
