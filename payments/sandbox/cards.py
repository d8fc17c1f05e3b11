"""Stripe's test payment methods and what happens to a payment made with them (docs.stripe.com/testing)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a test card does. The default is a visa that simply pays."""

    number: str = "4242424242424242"
    brand: str = "visa"
    decline: str | None = None  # the error's code, when payments fail …
    decline_code: str | None = None  # … and the bank's reason for card_declined
    challenge: bool = False  # asks for authentication first (3D Secure)
    bank: bool = False  # a bank debit: processing for days, then succeeded or failed
    at_once: bool = False  # the money is available without settlement
    refund: str = "succeeded"  # or "pending", "failed": succeeds first, fails later
    dispute: str | None = None  # "fraudulent" or "warning": a dispute is opened with the payment

    def json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        return cls(**values)


def _declined(number: str, decline_code: str, code: str = "card_declined") -> Behaviour:
    return Behaviour(number, decline=code, decline_code=decline_code)


_DECLINES = {
    "chargeDeclined": _declined("4000000000000002", "generic_decline"),
    "chargeDeclinedInsufficientFunds": _declined("4000000000009995", "insufficient_funds"),
    "chargeDeclinedLostCard": _declined("4000000000009987", "lost_card"),
    "chargeDeclinedStolenCard": _declined("4000000000009979", "stolen_card"),
    "chargeDeclinedExpiredCard": _declined("4000000000000069", "expired_card", "expired_card"),
    "chargeDeclinedIncorrectCvc": _declined("4000000000000127", "incorrect_cvc", "incorrect_cvc"),
    "chargeDeclinedProcessingError": _declined("4000000000000119", "processing_error", "processing_error"),
    "chargeDeclinedFraudulent": _declined("4100000000000019", "fraudulent"),
    "chargeCustomerFail": _declined("4000000000000341", "generic_decline"),
}
METHODS: dict[str, Behaviour] = {
    "pm_card_visa": Behaviour(),
    "pm_card_mastercard": Behaviour("5555555555554444", "mastercard"),
    "pm_card_amex": Behaviour("378282246310005", "amex"),
    "pm_card_bypassPending": Behaviour("4000000000000077", at_once=True),
    "pm_card_pendingRefund": Behaviour("4000000000007726", refund="pending"),
    "pm_card_refundFail": Behaviour("4000000000005126", refund="failed"),
    "pm_card_createDispute": Behaviour("4000000000000259", dispute="fraudulent"),
    "pm_card_createDisputeInquiry": Behaviour("4000000000001976", dispute="warning"),
    "pm_card_authenticationRequired": Behaviour("4000002760003184", challenge=True),
    "pm_card_threeDSecure2Required": Behaviour("4000000000003220", challenge=True),
    "pm_usBankAccount": Behaviour("000123456789", "bank", bank=True),
} | {f"pm_card_{brand}{name}": card for name, card in _DECLINES.items() for brand in ("", "visa_")}
BY_NUMBER = {card.number: card for card in METHODS.values()}
BY_TOKEN = {name.replace("pm_card_", "tok_"): card for name, card in METHODS.items() if name.startswith("pm_card_")}
SENTENCES = {
    "card_declined": "Your card was declined.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
}
