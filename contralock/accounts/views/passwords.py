"""Passwords: forgotten and changed."""

from __future__ import annotations

from django.contrib.auth import update_session_auth_hash
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from contralock.accounts import answers, passwords
from contralock.accounts.serializers import PasswordChangeForm, ResetConfirmForm, ResetForm
from contralock.accounts.views.base import AccountView, OpenView, read, refusals_as_problems, user_of

ASKED = {"message": "If this address has an account, a mail with a link is on its way to it."}


class ResetView(OpenView):
    """POST: ask for a link that sets a new password."""

    throttle_scope = "reset"

    @extend_schema(
        tags=["password"], summary="Ask for a reset link", request=ResetForm, responses={202: answers.Accepted}
    )
    def post(self, request: Request) -> Response:
        """202, whether the address has an account or not; the mail is written by a job."""
        passwords.ask_reset(email=read(ResetForm, request)["email"], now=timezone.now())
        return Response(ASKED, status=202)


class ResetConfirmView(OpenView):
    """POST: set a new password by the link."""

    throttle_scope = "link"

    @extend_schema(
        tags=["password"], summary="Set a new password by a link", request=ResetConfirmForm, responses={204: None}
    )
    def post(self, request: Request) -> Response:
        """204: the password is set, every session has ended, every API token is revoked."""
        with refusals_as_problems():
            passwords.reset(now=timezone.now(), **read(ResetConfirmForm, request))
        return Response(status=204)


class ChangeView(AccountView):
    """POST: set a new password with the old one."""

    throttle_scope = "password"

    @extend_schema(tags=["password"], summary="Change the password", request=PasswordChangeForm, responses={204: None})
    def post(self, request: Request) -> Response:
        """204: the password is set. Other sessions have ended, this one goes on; every API token is revoked."""
        with refusals_as_problems():
            user = passwords.change(user=user_of(request), **read(PasswordChangeForm, request))
        if isinstance(request.successful_authenticator, SessionAuthentication):
            update_session_auth_hash(request, user)
        return Response(status=204)
