"""The content security policy: strict everywhere, with two exceptions for styles."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse

from contralock.csp import STYLES, ContentSecurityPolicyMiddleware
from tests.jobs.operators import client, superuser

pytestmark = pytest.mark.django_db

STRICT = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "


@pytest.mark.parametrize("path", ["/admin/", "/admin/jobs/job/", "/admin/jobs/queuepause/", "/no/such/page"])
def test_every_page_forbids_what_is_not_from_our_own_files(path: str) -> None:
    policy = superuser().get(path)["Content-Security-Policy"]
    assert policy == STRICT + "frame-ancestors 'none'"
    assert "unsafe" not in policy


def test_the_login_forbids_it_too() -> None:
    assert client().get("/admin/login/")["Content-Security-Policy"].startswith(STRICT)


@pytest.mark.parametrize("name", STYLES)
def test_the_exceptions_are_for_styles_only(name: str) -> None:
    class Found:
        view_name = name

    request = HttpRequest()
    request.resolver_match = Found()  # type: ignore[assignment]
    middleware = ContentSecurityPolicyMiddleware(lambda _: HttpResponse())
    middleware.process_request(request)
    policy = str(middleware.process_response(request, HttpResponse())["Content-Security-Policy"])
    assert policy.startswith(STRICT)
    assert policy.count("unsafe") == policy.count("style-src 'self' 'unsafe-inline'")
    assert "style-src" in policy


def test_what_a_view_sends_itself_stays() -> None:
    policy = client().get("/account/reset")["Content-Security-Policy"]
    assert policy != STRICT + "frame-ancestors 'none'"
    assert "frame-ancestors 'none'" in policy
