"""The doors. Everything under /api/ answers errors as problems (contralock/problems.py)."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerSplitView

from contralock import problems
from contralock.accounts.urls import pages
from contralock.accounts.views.unsubscribe import UnsubscribePage
from contralock.docs import SchemaView
from notifications import smtp
from payments import webhooks

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/", admin.site.urls),
    path("account/", include(pages)),
    path("unsubscribe/<str:token>", UnsubscribePage.as_view(), name="unsubscribe"),
    path("api/auth/", include("contralock.accounts.urls")),
    path("api/schema", SchemaView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("api/webhooks/stripe", webhooks.platform, name="stripe-webhook"),
    path("api/webhooks/stripe/connect", webhooks.connect, name="stripe-connect-webhook"),
    path("api/", include("jobs.api.urls")),
    path("api/", include("payments.api.urls")),
    path("api/", include("invoices.api.urls")),
    re_path(r"^api/", problems.not_found),  # the last of /api/: with DEBUG, Django's own 404 is a page
]
if smtp.service.chosen():
    urlpatterns.append(path("anymail/", include("anymail.urls")))  # webhooks of mail services

handler400 = problems.bad_request
handler403 = problems.permission_denied
handler404 = problems.not_found
handler500 = problems.server_error
