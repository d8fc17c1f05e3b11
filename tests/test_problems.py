"""Errors of every API are problems (RFC 9457)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, RequestFactory
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from contralock import problems


class Failing(APIView):
    """A view that raises what it is given."""

    authentication_classes = ()
    permission_classes = ()
    error: Exception | None = None

    def get(self, request: Request) -> Response:
        assert self.error is not None
        raise self.error


def answer(error: Exception) -> Any:
    response = Failing.as_view(error=error)(RequestFactory().get("/api/thing"))
    return response.render()


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (exceptions.ParseError(), 400, "Bad Request"),
        (exceptions.NotAuthenticated(), 403, "Forbidden"),
        (exceptions.PermissionDenied("not yours"), 403, "Forbidden"),
        (exceptions.NotFound(), 404, "Not Found"),
        (exceptions.MethodNotAllowed("GET"), 405, "Method Not Allowed"),
        (exceptions.UnsupportedMediaType("a/b"), 415, "Unsupported Media Type"),
        (exceptions.Throttled(wait=7), 429, "Too Many Requests"),
        (exceptions.APIException("sorry"), 500, "Internal Server Error"),
    ],
)
def test_what_drf_raises_becomes_a_problem(error: Exception, status: int, title: str) -> None:
    response = answer(error)
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert response.data["title"] == title
    assert response.data["status"] == status
    assert response.data["instance"] == "/api/thing"
    assert response.data["detail"]
    assert "errors" not in response.data


def test_the_time_to_wait_is_kept() -> None:
    assert answer(exceptions.Throttled(wait=7))["Retry-After"] == "7"


@pytest.mark.parametrize(
    ("detail", "errors"),
    [
        ({"a": ["x", "y"]}, {"a": ["x", "y"]}),
        (["x"], {"non_field_errors": ["x"]}),
        ("x", {"non_field_errors": ["x"]}),
        ({"a": {"b": ["x"]}}, {"a.b": ["x"]}),
        ({"a": [{}, {"b": ["x"]}]}, {"a.1.b": ["x"]}),
        ({"a": "x"}, {"a": ["x"]}),
        ({"a": ["\ud800"]}, {"a": ["?"]}),
        ({"\ud800": ["x"]}, {"?": ["x"]}),
        ({"a": ["x" * 9999]}, {"a": ["x" * problems.LONGEST]}),
    ],
)
def test_what_is_invalid_is_listed_by_field(detail: Any, errors: dict[str, list[str]]) -> None:
    response = answer(exceptions.ValidationError(detail))
    assert response.status_code == 400
    assert response.data["errors"] == errors


def test_what_drf_does_not_know_stays_an_error_for_django() -> None:
    with pytest.raises(ZeroDivisionError):
        answer(ZeroDivisionError())


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("path", ["/api/nothing/here", "/api/auth/register/", "/api/"])
def test_an_unknown_address_of_an_api_is_a_problem(settings: Any, path: str, debug: bool) -> None:
    settings.DEBUG = debug
    client = Client(enforce_csrf_checks=True)
    for response in (client.get(path), client.post(path)):
        assert response.status_code == 404
        assert response.json()["title"] == "Not Found"
        assert response["Content-Type"] == "application/problem+json"


def test_an_unknown_page_is_a_page() -> None:
    response = Client().get("/nothing")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


def test_a_bug_of_ours_shows_nothing_of_itself() -> None:
    api = problems.server_error(RequestFactory().get("/api/x"))
    page = problems.server_error(RequestFactory().get("/x"))
    assert (api.status_code, page.status_code) == (500, 500)
    assert api["Content-Type"] == "application/problem+json"


def test_a_host_that_is_not_ours_is_refused_as_a_problem(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["contralock.test"]
    response = Client(headers={"host": "evil.example"}).get("/api/auth/register/")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
