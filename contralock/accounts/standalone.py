"""A page that needs nothing but itself: its style is inline under a nonce, and its own policy forbids all else."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'nonce-{nonce}'",
        "img-src data:",  # the empty icon, so that nobody asks for /favicon.ico
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


def page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A template that extends accounts/page.html, rendered in the language that is active."""
    nonce = secrets.token_urlsafe(16)
    context = {"nonce": nonce, "site_name": settings.SITE_NAME} | context
    answer = render(request, template, context, status=status)
    answer["Content-Security-Policy"] = POLICY.format(nonce=nonce)
    return answer
