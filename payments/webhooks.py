"""Stripe's events come in here: verify, write down, answer. Nothing is thought about in the request.

Two endpoints, each with secrets of its own: the platform's, and Connect's (events of connected accounts).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from jobs.database import now
from payments import gateway, inbox, tasks

logger = logging.getLogger(__name__)

LARGEST = 256 * 1024
"""Bytes; Stripe's events are a few kilobytes."""


@csrf_exempt
@require_POST
def platform(request: HttpRequest) -> HttpResponse:
    """POST /api/webhooks/stripe."""
    return _receive(request, settings.STRIPE_WEBHOOK_SECRETS)


@csrf_exempt
@require_POST
def connect(request: HttpRequest) -> HttpResponse:
    """POST /api/webhooks/stripe/connect."""
    return _receive(request, settings.STRIPE_CONNECT_WEBHOOK_SECRETS)


def _receive(request: HttpRequest, secrets: Sequence[str]) -> HttpResponse:
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
        return _problem(413, f"An event is at most {LARGEST // 1024} KiB.")
    try:
        event = gateway.verify(request.body, request.headers.get("Stripe-Signature", ""), secrets=secrets, now=now())
    except gateway.BadSignature as error:
        logger.warning("webhook refused: %s", error)
        return _problem(400, str(error))
    with transaction.atomic():
        row, new = inbox.receive(event)
        if new:
            tasks.enqueue_event(row)
    return JsonResponse({"received": True, "duplicate": not new})


def _problem(status: int, detail: str) -> HttpResponse:
    body = {"type": "about:blank", "title": "Webhook refused", "status": status, "detail": detail}
    return JsonResponse(body, status=status, content_type="application/problem+json")
