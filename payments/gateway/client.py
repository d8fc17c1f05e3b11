"""The SDK's client, one per process, and the two ways to use it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

import stripe
from django.conf import settings
from stripe._stripe_object import StripeObject

from payments.gateway.calls import Effect, Read, Send, ordered
from payments.gateway.errors import Facts, GatewayError, Verdict, classify

CONNECT_TIMEOUT = 3.05  # seconds
type Found = dict[str, Any]

# It writes a file into the home folder, and without one the first call of each process dies.
stripe.enable_telemetry = False


_request = threading.local()


class _Client(stripe.RequestsClient):
    """Notes that a request is on its way: an error of any kind after that does not prove that nothing happened."""

    def request(  # type: ignore[override]
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        _request.begun = True
        return super().request(method, url, headers, post_data)


def client() -> stripe.StripeClient:
    """This process's own: a kept connection that is shared over a fork mixes up two processes' answers."""
    return _client(os.getpid(), settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, settings.STRIPE_TIMEOUT)


@cache
def _client(_pid: int, key: str, base: str, timeout: float) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        stripe_version=settings.STRIPE_API_VERSION,
        # Ours are counted, know the age of the key, and do not hold a worker meanwhile.
        max_network_retries=0,
        http_client=_Client(timeout=(CONNECT_TIMEOUT, timeout)),
        base_addresses={"api": base} if base else None,
    )


_EFFECTS: dict[Effect, Callable[[stripe.StripeClient, Send, Any], Any]] = {
    Effect.PAYMENT_INTENT: lambda c, s, o: c.v1.payment_intents.create(cast(Any, ordered(s.params)), o),
    Effect.TRANSFER: lambda c, s, o: c.v1.transfers.create(cast(Any, ordered(s.params)), o),
    Effect.REVERSAL: lambda c, s, o: c.v1.transfers.reversals.create(s.parent, cast(Any, ordered(s.params)), o),
    Effect.PAYOUT: lambda c, s, o: c.v1.payouts.create(cast(Any, ordered(s.params)), o),
    Effect.REFUND: lambda c, s, o: c.v1.refunds.create(cast(Any, ordered(s.params)), o),
}


def send(call: Send) -> Found:
    """Make the call; the object that it made. Raises GatewayError."""
    options: dict[str, Any] = {"idempotency_key": call.key}
    if call.account:
        options["stripe_account"] = call.account
    if call.api_version:
        options["stripe_version"] = call.api_version
    return _done(lambda: _EFFECTS[call.effect](client(), call, options))


def read(call: Read) -> Found:
    """Get the object or the list. Raises GatewayError, whose verdict is UNKNOWN whatever it is.

    That we may not look says nothing about an effect: a hold must never be given back for it.
    """
    options: Any = {"stripe_account": call.account} if call.account else {}

    def ask() -> Any:
        service = client().v1
        for name in call.what.split("."):
            service = getattr(service, name)
        before = [call.parent] if call.parent else []
        if call.id or call.what in ("balance", "balance_settings"):
            return cast(Any, service).retrieve(*before, *([call.id] if call.id else []), dict(call.params), options)
        return cast(Any, service).list(*before, dict(call.params), options)

    try:
        return _done(ask)
    except GatewayError as error:
        error.verdict = Verdict.UNKNOWN
        raise


def write(
    what: str, *, verb: str = "create", target: str = "", params: Mapping[str, Any], key: str = "", account: str = ""
) -> Found:
    """A call that moves no money (accounts, links, settings). Raises GatewayError."""
    options: Any = {name: value for name, value in (("idempotency_key", key), ("stripe_account", account)) if value}

    def ask() -> Any:
        service = client().v1
        for name in what.split("."):
            service = getattr(service, name)
        return getattr(service, verb)(*([target] if target else []), ordered(params), options)

    return _done(ask)


def _done(ask: Callable[[], Any]) -> Found:
    _request.begun = False
    try:
        found = ask()
    except stripe.StripeError as error:
        raise _understood(error) from error
    except Exception as error:  # the SDK's own trouble, or data of ours that it cannot write
        raise _not_understood(error) from error
    if not isinstance(found, StripeObject):
        raise GatewayError("Stripe's answer is no object", verdict=Verdict.UNKNOWN, facts=Facts(status=200))
    answer: Found = found.to_dict()
    return answer


def _not_understood(error: Exception) -> GatewayError:
    text = f"{type(error).__name__}: {error}"
    if _request.begun:
        return GatewayError(text, verdict=Verdict.UNKNOWN, facts=Facts(status=None, code="not_understood"))
    return GatewayError(text, verdict=Verdict.PARK, facts=Facts(status=None, code="not_sent"), begun=False)


def _understood(error: stripe.StripeError) -> GatewayError:
    text = error.user_message or str(error) or type(error).__name__
    said = error.error  # e.code is None for several classes; the body has it
    headers = {str(name).lower(): str(value).lower() for name, value in dict(error.headers or {}).items()}
    facts = Facts(
        status=error.http_status,
        code=(getattr(said, "code", None) or error.code or "") if said else "",
        kind=(getattr(said, "type", None) or "") if said else "",
        replayed=headers.get("idempotent-replayed") == "true",
        no_retry=headers.get("stripe-should-retry") == "false",
        message=text,
    )
    return GatewayError(text, verdict=classify(facts), facts=facts, request_id=error.request_id or "")
