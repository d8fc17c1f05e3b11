"""Where a freelancer is paid."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.database import now
from payments import onboarding
from payments.api import answers
from payments.api.base import Caller, MoneyView, caller_of, read
from payments.api.forms import NothingForm
from payments.api.once import once
from payments.idempotency import Answer
from payments.models import PayoutAccount
from payments.models.account import PayoutStatus
from payments.refusals import Refused


class PayoutAccountView(MoneyView):
    """My account at Stripe."""

    throttle_scope = "onboarding"

    @property
    def further_problems(self) -> tuple[int, ...]:
        """A POST needs Stripe's answer; a GET finds no account, before one was connected."""
        return (*super().further_problems, 502, 503) if self.request.method == "POST" else (404,)

    @extend_schema(tags=["payouts"], summary="Read my payout account", responses={200: answers.PayoutAccountAnswer})
    def get(self, request: Request) -> Response:
        """How Stripe last described it. 404: none is connected."""
        account = PayoutAccount.objects.filter(user_id=caller_of(request).pk).first()
        if account is None:
            raise Refused("no_such_payout_account", "You have connected no account yet: POST here connects one.")
        return Response(answers.PayoutAccountAnswer(account).data)

    @extend_schema(
        tags=["payouts"],
        summary="Connect a payout account, or go on connecting it",
        request=None,
        responses={200: answers.OnboardingAnswer},
    )
    @once
    def post(self, request: Request) -> Answer:
        """200 with a link to Stripe, where I tell who I am and which bank is mine; a new link each time."""
        read(NothingForm, request)
        _refuse_unfit(caller_of(request))
        return Answer(body={})

    def show(self, answer: Answer) -> Response:
        """The account, made at Stripe if there is none yet: outside of a transaction, and once however often asked."""
        caller = caller_of(self.request)
        account = onboarding.connect(caller.pk, country=caller.country, now=now())
        back = settings.SITE_URL.rstrip("/") + reverse("payout-account")
        link = onboarding.link(account, return_url=back, refresh_url=back)
        return Response(answers.PayoutAccountAnswer(account).data | {"onboardingUrl": link}, status=answer.status)


def _refuse_unfit(caller: Caller) -> None:
    if caller.role != "freelancer":
        raise Refused("not_a_freelancer", "Only a freelancer is paid out, and needs an account for it.")
    if not caller.country:
        raise Refused("country_missing", "Say in your profile in which country you are: Stripe's questions differ.")
    account = PayoutAccount.objects.filter(user_id=caller.pk).first()
    if account and account.status == PayoutStatus.DEAUTHORIZED:
        raise Refused("payout_account_gone", "You disconnected your account at Stripe. Our support connects another.")
