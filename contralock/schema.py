"""The OpenAPI description: what every endpoint may answer besides success, without its author writing it down."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.throttling import ScopedRateThrottle

from contralock.problems import CONTENT_TYPE


class ProblemSerializer(serializers.Serializer[Any]):
    """An error (RFC 9457)."""

    type = serializers.CharField(help_text="`about:blank`: no more is meant than the status says.")
    title = serializers.CharField(help_text="The status in words.")
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What went wrong, for people.")
    instance = serializers.CharField(help_text="The path that was asked.")
    code = serializers.CharField(required=False, help_text="What went wrong, for programs; where money is concerned.")
    errors = serializers.DictField(  # type: ignore[assignment] # a member of the JSON, declared as DRF wants it
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="Of an invalid request: field → messages; `non_field_errors` is about the body as a whole.",
    )


class ApiTokenScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]
    """How a script logs in: `Authorization: Token …`."""

    target_class = "contralock.accounts.authentication.ApiTokenAuthentication"
    name = "apiToken"


class ProblemSchema(AutoSchema):
    """drf-spectacular's description of a view, and the problems that its declarations make possible."""

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        responses = super()._get_response_bodies(direction)
        if direction == "response":
            for status in self.problem_statuses():
                responses.setdefault(str(status), self._problem(status))
        return responses

    def problem_statuses(self) -> list[int]:
        """What authentication, permission, body, path and throttle of this view may refuse with."""
        possible = {
            400: self._takes_body(),
            401: bool(self.view.get_authenticators()),
            403: self._may_forbid(),
            404: "{" in self.path,
            406: True,
            415: self._takes_body(),
            429: any(_counts(throttle, self.view) for throttle in self.view.get_throttles()),
        }
        further = getattr(self.view, "further_problems", ())  # what a view raises besides
        return sorted({status for status, may in possible.items() if may} | {*further})

    def _takes_body(self) -> bool:
        return self.method in ("POST", "PUT", "PATCH") and self.get_request_serializer() is not None

    def _may_forbid(self) -> bool:
        """By a permission, or by the CSRF check of who comes with a session."""
        guarded = any(not isinstance(permission, AllowAny) for permission in self.view.get_permissions())
        return guarded or (bool(self.view.get_authenticators()) and self.method not in ("GET", "HEAD", "OPTIONS"))

    def _problem(self, status: int) -> dict[str, Any]:
        component = self.resolve_serializer(ProblemSerializer, "response")
        return {"description": HTTPStatus(status).phrase, "content": {CONTENT_TYPE: {"schema": component.ref}}}


def _counts(throttle: Any, view: Any) -> bool:
    """Whether a throttle of this view can refuse: a scoped one does nothing where no scope is named."""
    return not isinstance(throttle, ScopedRateThrottle) or bool(getattr(view, "throttle_scope", None))
