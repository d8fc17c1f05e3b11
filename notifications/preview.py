"""Mails looked at before anybody gets them: each face with sample data in the admin, and one to oneself as a test."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, LogEntry
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.csp import CSP
from django.utils.html import format_html
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csp import csp_override

from notifications import compose, samples, services
from notifications.models import Message

MAY = "notifications.preview_message"
FRAME: dict[str, list[str] | str] = {
    "default-src": [CSP.NONE],
    "style-src": [CSP.UNSAFE_INLINE],  # a mail's styles are inline
    "form-action": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.SELF],
    "sandbox": "",  # also when somebody opens it outside of its frame
}
"""What the page that holds nothing but a mail may do: show itself in a frame of ours."""
SCHEMES = {"light": "not all", "dark": "all"}
"""Colours to choose from, and when a mail's rules for the dark hold in them."""


WIDTHS = 320, 600  # pixels: a narrow phone, and a desk


class Previews:
    """The pages beside the messages' own; mixed into their admin."""

    admin_site: admin.AdminSite
    opts: Any

    def get_urls(self) -> list[Any]:
        """Before Django's, which would take `preview` for a message's key."""
        wrap = self.admin_site.admin_view
        one = "preview/<slug:name>/<slug:language>/"
        return [
            path("preview/", wrap(self.previews), name="notifications_previews"),
            path(one, wrap(self.preview), name="notifications_preview"),
            path(one + "html", wrap(self.preview_html), name="notifications_preview_html"),
            path(one + "send", wrap(self.preview_send), name="notifications_preview_send"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def previews(self, request: HttpRequest) -> HttpResponse:
        """All of them, by their subjects."""
        _demand(request)
        drawn = {language: samples.samples(language) for language in samples.LANGUAGES}
        rows = [
            {
                "sample": found,
                "mails": [
                    {"language": language, "subject": _render(every[name]).subject} for language, every in drawn.items()
                ],
            }
            for name, found in drawn[compose.FALLBACK].items()
        ]
        return self._page(request, "previews.html", title="Mails with sample data", rows=rows)

    def preview(self, request: HttpRequest, name: str, language: str) -> HttpResponse:
        """One mail: frames of both widths, by day or by night, its text, its headers."""
        _demand(request)
        found, rendered = _drawn(name, language)
        person: Any = request.user  # nobody else gets this far
        address = verified_address(person)
        mail = compose.build(
            rendered=rendered, to=address or "reader@example.com", name=person.get_full_name(),
            message_id=f"<sample@{compose.sender_domain()}>", written_at=timezone.now(),
            unsubscribe_url=found.context.get("unsubscribe_url", ""),
        )  # fmt: skip
        return self._page(
            request, "preview.html", title=rendered.subject, sample=found, rendered=rendered, headers=mail.items(),
            scheme=_scheme(request), schemes=list(SCHEMES), languages=samples.LANGUAGES, widths=WIDTHS,
            address=address, is_nav_sidebar_enabled=False,  # both frames side by side need its place
        )  # fmt: skip

    def preview_html(self, request: HttpRequest, name: str, language: str) -> HttpResponse:
        """The HTML part alone, for the frames."""
        _demand(request)
        return _framed(request, _lit(_drawn(name, language)[1].html, _scheme(request)))

    def preview_send(self, request: HttpRequest, name: str, language: str) -> HttpResponse:
        """Have it sent to whoever asks, and to nobody else: a message and a job like any other, marked as a test."""
        _demand(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        found, _ = _drawn(name, language)
        person: Any = request.user  # nobody else gets this far
        back = reverse("admin:notifications_preview", args=[name, language])
        try:
            message = send_test(found, person)
        except services.InvalidAddress as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(back)
        LogEntry.objects.log_actions(
            user_id=person.pk, queryset=[message], action_flag=ADDITION, change_message="Sent as a test."
        )
        link = reverse("admin:notifications_message_change", args=[message.pk])
        said = format_html('A test is on its way to {}: <a href="{}">{}</a>.', message.recipient, link, message.subject)
        messages.success(request, said)
        return HttpResponseRedirect(back)

    def _page(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        site = self.admin_site.each_context(request)
        return TemplateResponse(
            request, f"admin/notifications/message/{template}", {**site, "opts": self.opts, **context}
        )


def send_test(found: samples.Sample, person: Any) -> Message:
    """Have this sample sent, once more, to `person` themselves.

    Raises services.InvalidAddress if their address is not confirmed.
    """
    address = verified_address(person)
    if not address:
        raise services.InvalidAddress("Tests go to your own address, and only once you have confirmed it.")
    return services.send(
        key=f"test:{found.name}:{found.language}:{person.pk}:{uuid.uuid4()}",
        template=found.template,
        to=address,
        name=person.get_full_name(),
        language=found.language,
        context=found.context | {compose.IS_TEST: True},
    )


def verified_address(person: Any) -> str:
    """The address that somebody has confirmed to be theirs; empty if they have not."""
    return str(person.email) if getattr(person, "email_verified_at", None) else ""


@xframe_options_sameorigin
@csp_override(FRAME)
def _framed(request: HttpRequest, html: str) -> HttpResponse:
    return HttpResponse(html)


def _scheme(request: HttpRequest) -> str:
    asked = request.GET.get("scheme", "")
    return asked if asked in SCHEMES else "light"


def _lit(html: str, scheme: str) -> str:
    """A frame has no wish of its own for colours, so the mail's question for it is answered here."""
    return html.replace("(prefers-color-scheme: dark)", SCHEMES[scheme])


def _drawn(name: str, language: str) -> tuple[samples.Sample, compose.Rendered]:
    try:
        found = samples.sample(name, language)
    except samples.UnknownSample as error:
        raise Http404(str(error)) from None
    return found, _render(found)


def _render(found: samples.Sample) -> compose.Rendered:
    return compose.render(template=found.template, language=found.language, context=found.context)


def _demand(request: HttpRequest) -> None:
    """Refuse (403) whoever may not."""
    if not request.user.has_perm(MAY):
        raise PermissionDenied
