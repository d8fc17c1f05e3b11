"""API tokens."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from knox.auth import TokenAuthentication
from rest_framework import exceptions, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from contralock.accounts import access, answers, api_tokens
from contralock.accounts.models import User
from contralock.accounts.serializers import NewTokenForm
from contralock.accounts.views.base import AccountView, read, refusals_as_problems, user_of


class TokensView(AccountView):
    """The API tokens of one person."""

    throttle_scope = "tokens"

    def get_permissions(self) -> Any:
        """Making a token is its own way of proving who asks."""
        return [AllowAny()] if self.request.method == "POST" else super().get_permissions()

    @extend_schema(tags=["tokens"], summary="List API tokens", responses={200: answers.Tokens})
    def get(self, request: Request) -> Response:
        """Those that are good now, newest first; the tokens themselves are not kept."""
        rows = api_tokens.of(user=user_of(request), now=timezone.now())
        return Response(answers.Tokens({"tokens": rows}).data)

    @extend_schema(
        tags=["tokens"], summary="Make an API token", request=NewTokenForm, responses={201: answers.NewToken}
    )
    def post(self, request: Request) -> Response:
        """201 with the token, which is shown this once. Needs a session, or email and password in the body.

        A token makes no tokens: one that was stolen shall end when it expires.
        """
        wanted = read(NewTokenForm, request)
        user = self._prove(request, wanted.pop("email", None), wanted.pop("password", None))
        try:
            row, token = api_tokens.create(user=user, now=timezone.now(), **wanted)
        except api_tokens.NotSuchAnExpiry:
            said = f"Choose a time in the next {api_tokens.LONGEST.days} days."
            raise serializers.ValidationError({"expiresAt": [said]}) from None
        except api_tokens.TooMany:
            said = f"You have {api_tokens.MOST} tokens; revoke one first."
            raise serializers.ValidationError(said) from None
        row.token = token
        return Response(answers.NewToken(row).data, status=201)

    @extend_schema(
        operation_id="auth_tokens_destroy_all", tags=["tokens"], summary="Revoke all API tokens", responses={204: None}
    )
    def delete(self, request: Request) -> Response:
        """204; also the one that this request came with."""
        api_tokens.revoke_all(user=user_of(request))
        return Response(status=204)

    def _prove(self, request: Request, email: str | None, password: str | None) -> User:
        """Whose token it is to be."""
        if email is not None and password is not None:
            with refusals_as_problems():
                return access.identify(request=request, email=email, password=password, now=timezone.now())
        if isinstance(request.successful_authenticator, TokenAuthentication):
            raise exceptions.PermissionDenied("A token makes no tokens. Use a session or your password.")
        if not request.user.is_authenticated:
            raise exceptions.NotAuthenticated
        return user_of(request)


class TokenView(AccountView):
    """One API token."""

    throttle_scope = "tokens"

    @extend_schema(tags=["tokens"], summary="Revoke an API token", responses={204: None})
    def delete(self, request: Request, token_id: UUID) -> Response:
        """204; 404 when you have no such token."""
        if not api_tokens.revoke(user=user_of(request), token_id=token_id):
            raise exceptions.NotFound
        return Response(status=204)
