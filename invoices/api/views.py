"""Looking at invoices, and having one drawn again."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from invoices import services, shelf, visible
from invoices.api import answers
from invoices.api.base import InvoiceView, caller_of
from invoices.models import Invoice

PAGE = 50


class InvoicesView(InvoiceView):
    """My invoices."""

    further_problems = (400,)

    @extend_schema(
        operation_id="invoices_list",
        tags=["invoices"],
        summary="List invoices",
        parameters=[OpenApiParameter("before", OpenApiTypes.UUID, description="Only those before this one.")],
        responses={200: answers.Invoices},
    )
    def get(self, request: Request) -> Response:
        """Those that I issued or received (staff: all), newest first, fifty at a time."""
        caller = caller_of(request)
        found = visible.invoices(caller)
        if "before" in request.query_params:
            found = found.filter(pk__lt=_id(request.query_params["before"]))
        page = list(found.order_by("-id")[: PAGE + 1])
        more = page[PAGE - 1].pk if len(page) > PAGE else None
        shown = answers.Invoices({"invoices": page[:PAGE], "nextBefore": more}, context={"caller": caller})
        return Response(shown.data)


class OneInvoiceView(InvoiceView):
    """One invoice."""

    @extend_schema(tags=["invoices"], summary="Read an invoice", responses={200: answers.InvoiceAnswer})
    def get(self, request: Request, invoice_id: uuid.UUID) -> Response:
        """All that is on it. 404: it is not there, or not mine."""
        caller = caller_of(request)
        return Response(answers.InvoiceAnswer(_found(request, invoice_id), context={"caller": caller}).data)


class PdfView(InvoiceView):
    """The paper."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Whoever asks for application/pdf gets it; DRF, which renders JSON only, would say 406."""
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(
        tags=["invoices"],
        summary="Download an invoice",
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, invoice_id: uuid.UUID) -> HttpResponse:
        """The PDF, with the invoice as data (Factur-X) inside. 404: not mine, or not drawn yet."""
        invoice = _found(request, invoice_id)
        try:
            return as_download(invoice)
        except shelf.NotOnTheShelf as error:
            raise NotFound(str(error)) from None


class RenderView(InvoiceView):
    """Drawing it again."""

    throttle_scope = "money"

    @extend_schema(
        tags=["invoices"], summary="Have an invoice drawn again", request=None, responses={202: answers.DrawnAgain}
    )
    def post(self, request: Request, invoice_id: uuid.UUID) -> Response:
        """202: a job draws it by the program of today. By staff."""
        invoice = _found(request, invoice_id)
        if not visible.is_staff(caller_of(request)):
            raise PermissionDenied("Only staff have invoices drawn again.")
        handle = services.render_again(invoice)
        return Response({"message": "A job draws it; the mail is not repeated.", "jobId": handle.id}, status=202)


def as_download(invoice: Invoice) -> HttpResponse:
    """The PDF as an answer. Raises shelf.NotOnTheShelf."""
    answer = HttpResponse(shelf.take(invoice), content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{invoice.number}.pdf"'
    return answer


def _found(request: Request, invoice_id: uuid.UUID) -> Invoice:
    found = visible.invoice(caller_of(request), invoice_id)
    if found is None:
        raise NotFound("There is no such invoice.")
    return found


def _id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise serializers.ValidationError({"before": ["The id of an invoice."]}) from None
