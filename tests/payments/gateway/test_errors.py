"""What an error of Stripe allows next: the table."""

from __future__ import annotations

from typing import Any

import pytest

from payments.gateway.errors import Facts, Verdict, classify

REQUEST = "invalid_request_error"


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({"status": None}, Verdict.UNKNOWN),
        ({"status": 200}, Verdict.UNKNOWN),
        ({"status": 409, "kind": REQUEST, "code": "idempotency_key_in_use"}, Verdict.UNKNOWN),
        ({"status": 424, "kind": "api_error"}, Verdict.UNKNOWN),
        ({"status": 500, "kind": "api_error"}, Verdict.UNKNOWN),
        ({"status": 500, "kind": "api_error", "replayed": True}, Verdict.ADOPT),
        ({"status": 500, "kind": "api_error", "no_retry": True}, Verdict.ADOPT),
        ({"status": 502}, Verdict.UNKNOWN),
        ({"status": 503, "kind": "api_error"}, Verdict.UNKNOWN),
        ({"status": 400}, Verdict.UNKNOWN),
        ({"status": 429, "kind": REQUEST, "code": "rate_limit"}, Verdict.RETRY),
        ({"status": 429, "kind": REQUEST, "code": "lock_timeout"}, Verdict.RETRY),
        ({"status": 400, "kind": REQUEST, "code": "rate_limit"}, Verdict.RETRY),
        ({"status": 400, "kind": "idempotency_error"}, Verdict.ADOPT),
        ({"status": 401, "kind": REQUEST}, Verdict.PARK),
        ({"status": 403, "kind": REQUEST}, Verdict.PARK),
        ({"status": 403, "kind": REQUEST, "code": "account_invalid"}, Verdict.FAIL),
        ({"status": 400, "kind": REQUEST, "code": "balance_insufficient"}, Verdict.NEW_KEY),
        ({"status": 400, "kind": REQUEST, "message": "does not have sufficient funds"}, Verdict.NEW_KEY),
        ({"status": 400, "kind": REQUEST, "code": "charge_already_refunded"}, Verdict.ADOPT),
        ({"status": 400, "kind": REQUEST, "code": "payment_intent_unexpected_state"}, Verdict.ADOPT),
        ({"status": 400, "kind": REQUEST, "code": "charge_disputed"}, Verdict.PARK),
        ({"status": 400, "kind": REQUEST, "code": "payouts_not_allowed"}, Verdict.FAIL),
        ({"status": 400, "kind": REQUEST, "code": "account_closed"}, Verdict.FAIL),
        ({"status": 400, "kind": REQUEST, "code": "amount_too_small"}, Verdict.FAIL),
        ({"status": 400, "kind": REQUEST, "code": "parameter_invalid_integer"}, Verdict.FAIL),
        ({"status": 404, "kind": REQUEST, "code": "resource_missing"}, Verdict.FAIL),
        ({"status": 402, "kind": "card_error", "code": "card_declined"}, Verdict.FAIL),
        ({"status": 400, "kind": REQUEST, "code": "action_blocked"}, Verdict.MANUAL),
        ({"status": 400, "kind": REQUEST, "code": "a_code_of_next_year"}, Verdict.MANUAL),
        ({"status": 400, "kind": REQUEST}, Verdict.MANUAL),
    ],
)
def test_an_error_allows_this_and_no_more(facts: dict[str, Any], verdict: Verdict) -> None:
    assert classify(Facts(**facts)) is verdict


def test_what_nobody_has_thought_about_never_gives_a_hold_back() -> None:
    for status in range(400, 600):
        found = classify(Facts(status=status, code="never_heard_of_it", kind=REQUEST))
        assert found is not Verdict.FAIL or status == 402, status
