"""Paths under /api/."""

from django.urls import path

from invoices.api import consents, views

urlpatterns = [
    path("invoices", views.InvoicesView.as_view(), name="invoices"),
    path("invoices/self-billing", consents.SelfBillingView.as_view(), name="self-billing"),
    path("invoices/<uuid:invoice_id>", views.OneInvoiceView.as_view(), name="invoice"),
    path("invoices/<uuid:invoice_id>/pdf", views.PdfView.as_view(), name="invoice-pdf"),
    path("invoices/<uuid:invoice_id>/render", views.RenderView.as_view(), name="invoice-render"),
]
