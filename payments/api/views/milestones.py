"""What is done with a milestone that exists."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from payments import ledger, operations, services
from payments.api import answers, visible
from payments.api.base import MoneyView, caller_of, read
from payments.api.forms import NothingForm, RefundForm
from payments.api.once import once
from payments.api.requested import answer_of
from payments.idempotency import Answer
from payments.ledger import accounts
from payments.models import Milestone
from payments.money import Money
from payments.states import Kind


class MilestoneView(MoneyView):
    """One milestone."""

    @extend_schema(tags=["milestones"], summary="Read a milestone", responses={200: answers.MilestoneAnswer})
    def get(self, request: Request, milestone_id: int) -> Response:
        """Where it is, what is held for it, and what I may do next."""
        caller = caller_of(request)
        return Response(answers.shown(answers.MilestoneAnswer, visible.milestone(caller, milestone_id), caller))


class DeliverView(MoneyView):
    """Its freelancer has done the work."""

    @extend_schema(
        tags=["milestones"], summary="Deliver a milestone", request=None, responses={200: answers.MilestoneAnswer}
    )
    @once
    def post(self, request: Request, milestone_id: int) -> Answer:
        """200, also when it was delivered before."""
        read(NothingForm, request)
        caller = caller_of(request)
        milestone = visible.milestone(caller, milestone_id)
        delivered = services.deliver(milestone.pk, by=caller)
        return Answer(body=answers.shown(answers.MilestoneAnswer, delivered, caller))


class ApproveView(MoneyView):
    """Its client is content."""

    @extend_schema(
        tags=["milestones"],
        summary="Approve a milestone",
        request=None,
        responses={202: answers.RequestedAnswer, 200: answers.RequestedAnswer},
    )
    @once
    def post(self, request: Request, milestone_id: int) -> Answer:
        """202: the money is on its way to the freelancer, by a job. 200: it was approved before."""
        read(NothingForm, request)
        caller = caller_of(request)
        milestone = visible.milestone(caller, milestone_id)
        return answer_of(services.request_release(milestone.pk, by=caller), caller)


class RefundView(MoneyView):
    """Its client gets money back."""

    @extend_schema(
        tags=["milestones"],
        summary="Refund a milestone, or a part of it",
        request=RefundForm,
        responses={202: answers.RequestedAnswer, 200: answers.RequestedAnswer},
    )
    @once
    def post(self, request: Request, milestone_id: int) -> Answer:
        """202: the money is on its way back, by a job. 200: the same refund is under way. By staff once delivered."""
        wanted, caller = read(RefundForm, request), caller_of(request)
        milestone = visible.milestone(caller, milestone_id)
        amount = _asked(milestone, wanted.get("amount"))
        return answer_of(
            services.request_refund(milestone.pk, amount=amount, by=caller, reason=wanted["reason"]), caller
        )


def _asked(milestone: Milestone, minor: int | None) -> Money:
    """The amount; without one what is under way already, else all that is held, else what was released."""
    currency = milestone.project.currency
    if minor is None:
        under_way = operations.live(Kind.REFUND, milestone=milestone)
        held = ledger.available(accounts.escrow(milestone.pk, currency).code)
        minor = under_way.amount if under_way else held or milestone.amount
    return Money(minor, currency)
