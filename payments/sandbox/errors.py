"""Refusals in Stripe's shape: `{"error": {"type", "code", "message", "param", …}}`."""

from __future__ import annotations

from typing import Any

DOCUMENTATION = "https://stripe.com/docs/error-codes/"


class Refusal(Exception):
    """What the client is answered instead of an object. `headers` go with the answer."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        error: dict[str, Any] = {"message": message, "type": kind}
        if code is not None:
            error |= {"code": code, "doc_url": DOCUMENTATION + code.replace("_", "-")}
        if param is not None:
            error["param"] = param
        self.body = {"error": error | more}


def invalid(message: str, param: str | None = None, code: str | None = None) -> Refusal:
    """400 invalid_request_error."""
    return Refusal(400, message, code=code, param=param)


def missing_parameter(param: str) -> Refusal:
    """A required parameter was not sent."""
    return invalid(f"Missing required param: {param}.", param, "parameter_missing")


def no_such(what: str, wanted: str, *, param: str = "id", status: int = 400) -> Refusal:
    """`resource_missing`: 404 when the id is in the path, 400 when it is a parameter."""
    return Refusal(status, f"No such {what}: '{wanted}'", code="resource_missing", param=param)


def balance_insufficient(message: str) -> Refusal:
    """400 with Stripe's code for a balance that does not cover a transfer, payout or reversal."""
    return invalid(message, code="balance_insufficient")


def no_access(account: str, key: str) -> Refusal:
    """403 for a `Stripe-Account` that is unknown, or has taken the platform's access away."""
    message = (
        f"The provided key '{masked(key)}' does not have access to account '{account}' "
        "(or that account does not exist). Application access may have been revoked."
    )
    return Refusal(403, message, code="account_invalid")


def masked(key: str) -> str:
    """A key as Stripe prints it in messages."""
    return f"{key[:8]}{'*' * 12}{key[-4:]}"
