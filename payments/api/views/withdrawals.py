"""A freelancer takes money to the bank."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from payments import holdings, services
from payments.api import answers
from payments.api.base import MoneyView, caller_of, read
from payments.api.forms import WithdrawalForm
from payments.api.once import once
from payments.api.requested import answer_of
from payments.idempotency import Answer
from payments.models import Operation
from payments.states import Kind

PAGE = 50


class BalancesView(MoneyView):
    """What I have here."""

    @extend_schema(tags=["payouts"], summary="Read my balances", responses={200: answers.Balances})
    def get(self, request: Request) -> Response:
        """By currency: what is held for my milestones, what is on its way to me, what I may withdraw."""
        caller = caller_of(request)
        return Response(answers.shown(answers.Balances, {"balances": holdings.of(caller)}, caller))


class WithdrawalsView(MoneyView):
    """My withdrawals."""

    @extend_schema(tags=["payouts"], summary="List my withdrawals", responses={200: answers.Withdrawals})
    def get(self, request: Request) -> Response:
        """The fifty newest."""
        caller = caller_of(request)
        mine = Operation.objects.filter(kind=Kind.WITHDRAWAL, payout_account__user_id=caller.pk).order_by("-id")
        return Response(answers.shown(answers.Withdrawals, {"withdrawals": mine[:PAGE]}, caller))

    @extend_schema(
        tags=["payouts"],
        summary="Withdraw to the bank",
        request=WithdrawalForm,
        responses={202: answers.RequestedAnswer, 200: answers.RequestedAnswer},
    )
    @once
    def post(self, request: Request) -> Answer:
        """202: the money is on its way to my bank, by a job. 200: the same withdrawal is under way."""
        caller = caller_of(request)
        return answer_of(services.request_withdrawal(by=caller, **read(WithdrawalForm, request)), caller)
