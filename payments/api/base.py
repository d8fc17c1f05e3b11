"""What the views of this room share."""

from __future__ import annotations

from typing import Any, Protocol, cast

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from payments.api import problems
from payments.gateway import GatewayError
from payments.idempotency import Answer
from payments.refusals import Refused


class Caller(Protocol):
    """Who asks, and how to speak to them."""

    pk: int
    role: str
    language: str
    country: str


@method_decorator(never_cache, name="dispatch")
class MoneyView(APIView):
    """For whoever is logged in. Who may not see something is told that it is not there."""

    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "money"

    @property
    def further_problems(self) -> tuple[int, ...]:
        """For the description of the API: what a POST is refused with besides."""
        return (400, 409, 422) if self.request.method == "POST" else ()

    def get_throttles(self) -> list[Any]:
        """Looking is not counted."""
        return super().get_throttles() if self.request.method == "POST" else []

    def show(self, answer: Answer) -> Response:
        """The answer to a POST, the first time and every time it is asked for again."""
        return Response(answer.body, status=answer.status)

    def handle_exception(self, error: Exception) -> Response:
        """Refusals become problems; every problem of this room has its `code`, for programs."""
        if isinstance(error, Refused):
            error = problems.of(error)
        elif isinstance(error, GatewayError):
            error = problems.of_gateway(error)
        response = super().handle_exception(error)
        if isinstance(error, exceptions.APIException):
            code = error.get_codes()
            response.data["code"] = code if isinstance(code, str) else "invalid"
        return response


def caller_of(request: Request) -> Caller:
    """Who asks; the view's permission has made sure that somebody does."""
    return cast(Caller, request.user)


def read(form: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The body as the service's keyword arguments. Raises ValidationError (400)."""
    filled = form(data=request.data)
    filled.is_valid(raise_exception=True)
    return dict(filled.validated_data)
