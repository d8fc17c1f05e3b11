"""The content security policy, and the pages that need another one."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware import csp
from django.utils.csp import CSP

STYLES = {
    # It shows a mail in a sandboxed frame. The frame inherits the page's policy, and a mail's styles are inline.
    "admin:notifications_message_change": [CSP.SELF, CSP.UNSAFE_INLINE],
    # The four lines of style in drf-spectacular's template.
    "docs": [CSP.SELF, "'sha256-MMpT0iDxyjALd9PdfepImGX3DBfJPXZ4IlDWdPAgtn0='"],
}
"""By name of the page: where its styles may come from, beside our own files."""


class ContentSecurityPolicyMiddleware(csp.ContentSecurityPolicyMiddleware):
    """Django's, with `settings.SECURE_CSP` everywhere but on the pages named above."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        found = request.resolver_match
        styles = STYLES.get(found.view_name) if found else None
        if styles and not hasattr(response, "_csp_config"):
            # What Django's own csp_override() sets; these views are not ours to decorate.
            response._csp_config = settings.SECURE_CSP | {"style-src": styles}  # type: ignore[attr-defined]  # noqa: SLF001  # noqa: SLF001
        return super().process_response(request, response)
