"""POST /api/payments/: the client pays for a milestone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.database import now
from payments import funding_intent, services
from payments.api import answers, visible
from payments.api.base import MoneyView, caller_of, read
from payments.api.forms import PaymentForm
from payments.api.once import once
from payments.funding_intent import Intent
from payments.idempotency import Answer
from payments.models import Milestone
from payments.money import Money
from payments.refusals import Refused

STARTED = "Payment processing started"
NOT_YET = (
    "The payment is written down, and Stripe has not answered yet. "
    "Send the same request again in a moment: its answer will have the client secret."
)
NOTHING_TO_PAY = "This payment needs nothing from the browser any more; see the milestone."


class PaymentsView(MoneyView):
    """Pay for a milestone."""

    further_problems = (400, 404, 409, 422)

    @extend_schema(
        tags=["payments"],
        summary="Pay for a milestone",
        request=PaymentForm,
        responses={200: answers.PaymentAnswer, 202: answers.PaymentAnswer},
    )
    @once
    def post(self, request: Request) -> Answer:
        """200 with a client secret, with which the browser pays; a job sees the money come in.

        202 without one while Stripe does not answer. Asking again gives the same payment.
        """
        wanted, caller = read(PaymentForm, request), caller_of(request)
        milestone = visible.milestone(caller, wanted["milestone_id"])
        _refuse_other_than_agreed(milestone, wanted)
        deposit = services.request_deposit(milestone.pk, by=caller).operation
        body = {"jobId": str(deposit.job_id) if deposit.job_id else None, "operationId": str(deposit.pk)}
        return Answer(body=body, operation_id=deposit.pk)

    def show(self, answer: Answer) -> Response:
        """With the PaymentIntent as it is now: its secret is not kept, and may have been missing at first."""
        intent = funding_intent.of(UUID(answer.body["operationId"]), now=now())
        found = {
            "message": _message(intent),
            "paymentIntentId": intent.id if intent else None,
            "clientSecret": intent.secret if intent else None,
        }
        return Response(answers.PaymentAnswer(answer.body | found).data, status=200 if intent else 202)


def _message(intent: Intent | None) -> str:
    if intent is None:
        return NOT_YET
    return STARTED if intent.secret else NOTHING_TO_PAY


def _refuse_other_than_agreed(milestone: Milestone, wanted: dict[str, Any]) -> None:
    agreed = Money(milestone.amount, milestone.project.currency)
    if wanted.get("currency", agreed.currency) != agreed.currency:
        raise Refused("currency_mismatch", f"This milestone is paid for in {agreed.currency}.")
    if wanted.get("amount", agreed.minor) != agreed.minor:
        raise Refused("amount_mismatch", f"This milestone costs {agreed}: {agreed.minor} minor units.")
