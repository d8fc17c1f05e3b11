"""What services refuse, as HTTP: the one table of codes and statuses."""

from __future__ import annotations

from rest_framework.exceptions import APIException, ErrorDetail

from payments.gateway import GatewayError, Verdict
from payments.refusals import Refused

BY_STATUS = {
    # Not a key at all.
    400: ("invalid_idempotency_key",),
    # Who asks may see it, and may not do this with it.
    403: (
        "not_a_client", "not_a_freelancer", "not_your_milestone", "not_your_project", "refund_needs_staff",
        "staff_only",
    ),
    404: ("no_such_dispute", "no_such_milestone", "no_such_payout_account", "no_such_project"),
    # It stands in the way of what there is already; asking again later may be right.
    409: (
        "already_funded", "already_refunded", "already_resolved", "already_settled", "deposit_needs_staff",
        "dispute_at_bank", "idempotency_key_in_use", "insufficient_funds", "milestone_disputed", "not_funded",
        "not_now", "nothing_set_aside", "nothing_to_release", "payout_account_gone", "payout_account_missing",
        "payout_account_not_ready", "refund_in_progress", "release_in_progress", "withdrawal_in_progress",
    ),
    # Well formed, and not what it could be.
    422: (
        "amount_mismatch", "amount_too_large", "amount_too_small", "country_missing", "currency_mismatch",
        "idempotency_key_reused", "invalid_amount", "invalid_currency", "invalid_resolution",
        "invalid_stripe_id", "invalid_title", "no_such_freelancer", "reason_missing",
    ),
    502: ("stripe_refused",),
    503: ("stripe_unavailable",),
}  # fmt: skip
STATUSES = {code: status for status, codes in BY_STATUS.items() for code in codes}


class Refusal(APIException):
    """A refusal on its way out; its code stays with the sentence."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__()
        self.status_code = status
        self.detail = ErrorDetail(sentence, code)


def of(refused: Refused) -> Refusal:
    """A service's refusal. One that the table does not know stands in the way of something, as most do."""
    return Refusal(STATUSES.get(refused.code, 409), refused.code, refused.sentence)


def of_gateway(error: GatewayError) -> Refusal:
    """Stripe said no, or nothing, to a call that moves no money."""
    if error.verdict in (Verdict.FAIL, Verdict.MANUAL):
        return Refusal(502, "stripe_refused", f"Stripe refused this: {error}")
    return Refusal(
        503, "stripe_unavailable", "Stripe does not answer just now. Try again in a moment; nothing is done twice."
    )
