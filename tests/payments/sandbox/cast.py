"""The real SDK against a local Stripe, and those who appear in every story: a payer and a payee."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, cast

import stripe

from payments.sandbox.control import Control
from payments.sandbox.options import KEY

stripe.enable_telemetry = False
PATIENCE = (3.05, 10.0)  # seconds to connect, to be answered


def sdk_for(url: str, key: str = KEY, *, patience: tuple[float, float] = PATIENCE) -> stripe.StripeClient:
    """As the gateway makes it: no retries of its own, explicit timeouts."""
    http = stripe.RequestsClient(timeout=patience)
    return stripe.StripeClient(key, base_addresses={"api": url}, max_network_retries=0, http_client=http)


def headers_of(error: stripe.StripeError) -> Mapping[str, str]:
    """What came with a refusal."""
    assert error.headers is not None
    return error.headers


class Cast:
    """Short ways to what most stories need first."""

    def __init__(self, url: str, key: str = KEY) -> None:
        self.url = url
        self.sdk = sdk_for(url, key)
        self.api = self.sdk.v1
        self.control = Control(url)

    def payee(self, country: str = "US", **onboarding: str) -> str:
        """A connected account that is onboarded; its id."""
        account = self.api.accounts.create(
            {"type": "express", "country": country, "capabilities": {"transfers": {"requested": True}}}
        )
        self.control.account(account.id, "onboarded", **onboarding)
        return account.id

    def payment(
        self, amount: int = 10_000, currency: str = "usd", method: str = "pm_card_visa", **more: Any
    ) -> stripe.PaymentIntent:
        """A confirmed PaymentIntent."""
        params = {"amount": amount, "currency": currency, "payment_method": method, "confirm": True, **more}
        return self.api.payment_intents.create(cast(Any, params))

    def charge(self, amount: int = 10_000, currency: str = "usd", **more: Any) -> str:
        """The charge of a payment; its id."""
        charge = self.payment(amount, currency, **more).latest_charge
        assert isinstance(charge, str)
        return charge

    def transfer(self, amount: int, to: str, *, key: str | None = None, **params: Any) -> stripe.Transfer:
        """A transfer, under a key of its own unless one is given."""
        return self.api.transfers.create(
            cast(Any, {"amount": amount, "currency": "usd", "destination": to, **params}),
            {"idempotency_key": key or uuid.uuid4().hex},
        )

    def wealthy(self, amount: int = 5_000, country: str = "US", currency: str = "usd") -> str:
        """A payee with an available balance; its id."""
        account = self.payee(country)
        self.control.fund(amount, currency, account)
        return account
