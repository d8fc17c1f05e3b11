"""Logging in and out with a session, and who am I."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import login, logout
from django.middleware.csrf import get_token
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from contralock.accounts import access, answers
from contralock.accounts.serializers import LoginForm
from contralock.accounts.views.base import AccountView, OpenView, read, refusals_as_problems


def _session(request: Request) -> Response:
    """Who is logged in; sets the CSRF cookie."""
    user = request.user if request.user.is_authenticated else None
    return Response(answers.Session({"user": user, "csrfToken": get_token(request)}).data)


class LoginView(OpenView):
    """POST: begin a session."""

    throttle_scope = "login"
    further_problems = (401, 403)

    def get_authenticate_header(self, request: Any) -> str:
        """What a 401 has to carry; the other way in."""
        return "Token"

    @extend_schema(tags=["session"], summary="Log in", request=LoginForm, responses={200: answers.Session})
    def post(self, request: Request) -> Response:
        """The user, a session cookie and a CSRF cookie. 401: wrong address or password; 429: locked or too many.

        A browser (it sends Origin) needs the CSRF token that GET /api/auth/session gave, so that no other
        site can log somebody in as somebody else. A script does not.
        """
        if "HTTP_ORIGIN" in request.META:
            SessionAuthentication().enforce_csrf(request)
        with refusals_as_problems():
            user = access.identify(request=request, now=timezone.now(), **read(LoginForm, request))
        login(request, user)  # rotates session key and CSRF token
        return _session(request)


class LogoutView(AccountView):
    """POST: end the session of this browser."""

    authentication_classes = (SessionAuthentication,)
    permission_classes = (AllowAny,)

    @extend_schema(tags=["session"], summary="Log out", request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """204, also when nobody was logged in."""
        logout(request)
        return Response(status=204)


class SessionView(AccountView):
    """GET: who am I."""

    permission_classes = (AllowAny,)

    @extend_schema(tags=["session"], summary="Who am I", responses={200: answers.Session})
    def get(self, request: Request) -> Response:
        """The user (null: nobody), the CSRF token and its cookie."""
        return _session(request)
