"""Errors of every API as RFC 9457 problems (`application/problem+json`).

DRF's exceptions come through `exception_handler`; what Django answers itself (an unknown path, a bug,
a refused Host header) comes through the handlers named in contralock/urls.py, under /api/ only.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework import views as rest_views
from rest_framework.response import Response

CONTENT_TYPE = "application/problem+json"
WHOLE = "non_field_errors"  # what is wrong with the body as a whole, not with one member
LONGEST = 500  # characters of a message; DRF quotes a wrong choice in full, however long it is


def problem(*, status: int, detail: str, instance: str, errors: dict[str, list[str]] | None = None) -> dict[str, Any]:
    """The members of a problem. `about:blank` says: no more is meant than the HTTP status says."""
    members: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": _sendable(detail),
        "instance": _sendable(instance),
    }
    return members if errors is None else members | {"errors": errors}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's hook: any exception that DRF understands becomes a problem, with DRF's own headers (Retry-After).

    Returns None for every other exception: Django logs it with its traceback and `server_error` answers.
    """
    response = rest_views.exception_handler(error, context)
    if response is None:
        return None
    errors = None
    if isinstance(error, exceptions.ValidationError):
        detail, errors = "The request is not valid.", flatten(error.detail)
    else:
        detail = str(getattr(error, "detail", "") or HTTPStatus(response.status_code).phrase)
    response.data = problem(status=response.status_code, detail=detail, instance=context["request"].path, errors=errors)
    response.content_type = CONTENT_TYPE
    return response


def flatten(detail: Any, field: str = "") -> dict[str, list[str]]:
    """DRF's nested error detail as {field: [messages]}; an inner field is named `outer.inner` or `outer.0`."""
    found: dict[str, list[str]] = {}
    if isinstance(detail, dict):
        branches = list(detail.items())
    elif isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        branches = list(enumerate(detail))
    else:
        messages = detail if isinstance(detail, list) else [detail]
        return {field or WHOLE: [_sendable(str(message)) for message in messages]} if messages else {}
    for name, inner in branches:
        for path, messages in flatten(inner, _sendable(f"{field}.{name}" if field else str(name))).items():
            found.setdefault(path, []).extend(messages)
    return found


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 400, such as a Host header that is not ours."""
    return _api(request, 400, "The request was refused.") or defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 403, from a view that is not DRF's."""
    return _api(request, 403, "You may not do this.") or defaults.permission_denied(request, exception)


@csrf_exempt  # else a POST to a wrong address is told about cookies
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's 404; also the view behind /api/<anything>, so that it answers alike with DEBUG on."""
    answer = _api(request, 404, "There is nothing at this address.")
    return answer or defaults.page_not_found(request, exception or Exception("Not found"))


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's 500. The traceback is in the log, never in the answer."""
    return _api(request, 500, "An error of ours; it has been logged.") or defaults.server_error(request)


def _api(request: HttpRequest, status: int, detail: str) -> HttpResponse | None:
    """A problem where the path is an API's, else None."""
    if not request.path.startswith("/api/"):
        return None
    members = problem(status=status, detail=detail, instance=request.path)
    return HttpResponse(json.dumps(members), status=status, content_type=CONTENT_TYPE)


def _sendable(text: str) -> str:
    """`text`, shortened, without lone surrogates: a message may quote what was sent, and UTF-8 cannot carry those."""
    return text[:LONGEST].encode("utf-8", "replace").decode()
