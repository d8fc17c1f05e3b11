"""Agreeing to self-billing, and withdrawing that."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from invoices import consents
from invoices.api import answers
from invoices.api.base import InvoiceView, caller_of
from jobs.database import now

FREELANCER = "freelancer"


class SelfBillingView(InvoiceView):
    """Whether invoices are issued in my name."""

    @extend_schema(tags=["invoices"], summary="Read my consent to self-billing", responses={200: answers.SelfBilling})
    def get(self, request: Request) -> Response:
        """What I agreed to and when, or what there is to agree to."""
        return _shown(request)

    @extend_schema(
        tags=["invoices"], summary="Agree to self-billing", request=None, responses={200: answers.SelfBilling}
    )
    def put(self, request: Request) -> Response:
        """From now on an invoice in my name is issued for each milestone that is released to me. For freelancers."""
        caller = caller_of(request)
        if caller.role != FREELANCER:
            raise PermissionDenied("Only freelancers are paid here, and have invoices issued in their name.")
        consents.agree(caller.pk, language=caller.language, now=now())
        return _shown(request)

    @extend_schema(
        tags=["invoices"], summary="Withdraw my consent to self-billing", responses={200: answers.SelfBilling}
    )
    def delete(self, request: Request) -> Response:
        """No further invoice is issued in my name. Without a consent nothing changes."""
        consents.withdraw(caller_of(request).pk, now=now())
        return _shown(request)


def _shown(request: Request) -> Response:
    caller = caller_of(request)
    found = consents.in_force(caller.pk)
    agreed_at, wording = (found.agreed_at, found.wording) if found else (None, consents.wording(caller.language))
    return Response(answers.SelfBilling({"agreedAt": agreed_at, "wording": wording}).data)
