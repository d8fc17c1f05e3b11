"""What the views of this room share."""

from __future__ import annotations

from typing import cast

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from invoices.visible import Person


@method_decorator(never_cache, name="dispatch")
class InvoiceView(APIView):
    """For whoever is logged in. Who may not see something is told that it is not there."""

    throttle_classes = (ScopedRateThrottle,)  # counts where a `throttle_scope` is named


def caller_of(request: Request) -> Person:
    """Who asks; the view's permission has made sure that somebody does."""
    return cast(Person, request.user)
