"""The content security policy, and the pages that need another one."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware import csp
from django.utils.csp import CSP

WITH_MAIL = frozenset({"admin:notifications_message_change"})
"""Pages that show a mail in a sandboxed frame. The frame inherits the page's policy, and a mail's styles are inline."""


class ContentSecurityPolicyMiddleware(csp.ContentSecurityPolicyMiddleware):
    """Django's, with `settings.SECURE_CSP` everywhere but on the pages named above."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        found = request.resolver_match
        if found and found.view_name in WITH_MAIL and not hasattr(response, "_csp_config"):
            styles = {"style-src": [CSP.SELF, CSP.UNSAFE_INLINE]}
            response._csp_config = settings.SECURE_CSP | styles  # type: ignore[attr-defined]  # noqa: SLF001 - what csp_override sets
        return super().process_response(request, response)
