"""The account's address: confirmed and changed."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from contralock.accounts import addresses, answers
from contralock.accounts.serializers import EmailChangeForm, LinkForm
from contralock.accounts.views.base import AccountView, OpenView, read, refusals_as_problems, user_of


class VerifyView(OpenView):
    """POST: confirm the address by the link."""

    throttle_scope = "link"

    @extend_schema(tags=["email"], summary="Confirm the address", request=LinkForm, responses={204: None})
    def post(self, request: Request) -> Response:
        """204: confirmed. 400: the token has expired, was used or is not ours."""
        with refusals_as_problems():
            addresses.verify(now=timezone.now(), **read(LinkForm, request))
        return Response(status=204)


class ResendView(AccountView):
    """POST: have the confirming link mailed again."""

    throttle_scope = "email"

    @extend_schema(
        tags=["email"], summary="Mail the confirming link again", request=None, responses={202: answers.Accepted}
    )
    def post(self, request: Request) -> Response:
        """202; one mail in five minutes at most, none when the address is confirmed."""
        addresses.resend_verification(user=user_of(request), now=timezone.now())
        return Response({"message": "Unless the address is confirmed already, a mail is on its way."}, status=202)


class ChangeView(AccountView):
    """A new address for the account."""

    throttle_scope = "email"

    @extend_schema(
        tags=["email"], summary="Ask for another address", request=EmailChangeForm, responses={202: answers.Accepted}
    )
    def post(self, request: Request) -> Response:
        """202: a link goes to the new address, a notice to the old. Nothing changes until the link is used.

        The answer does not say whether the new address has an account; if it has, no mail is sent.
        """
        form = read(EmailChangeForm, request)
        with refusals_as_problems(current="password"):
            try:
                addresses.ask_change(user=user_of(request), now=timezone.now(), **form)
            except addresses.SameAddress:
                raise serializers.ValidationError({"email": ["This is your address already."]}) from None
        return Response({"message": "Use the link that we mail to the new address."}, status=202)

    @extend_schema(tags=["email"], summary="Withdraw the change", responses={204: None})
    def delete(self, request: Request) -> Response:
        """204: the link is void, also when there was none."""
        addresses.withdraw_change(user=user_of(request))
        return Response(status=204)


class ChangeConfirmView(OpenView):
    """POST: make the new address the account's by the link."""

    throttle_scope = "link"

    @extend_schema(tags=["email"], summary="Confirm the new address", request=LinkForm, responses={204: None})
    def post(self, request: Request) -> Response:
        """204: from now on the account has the new address. 400: the token is void."""
        with refusals_as_problems():
            addresses.confirm_change(now=timezone.now(), **read(LinkForm, request))
        return Response(status=204)
