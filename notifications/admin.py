"""Messages in the admin: to be looked at, never edited. A mail is sent again by retrying its job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from notifications import (
    admin_subscribers,  # noqa: F401 - registers its part
    admin_suppressions,  # noqa: F401 - registers its part
    compose,
)
from notifications.models import Message
from notifications.preview import Previews

if TYPE_CHECKING:  # generic in django-stubs only
    BaseAdmin = admin.ModelAdmin[Message]
else:
    BaseAdmin = admin.ModelAdmin


@admin.register(Message)
class MessageAdmin(Previews, BaseAdmin):
    """What was sent to whom, and what the mail server said."""

    list_display = ("key", "subject", "recipient", "template", "state", "resends", "created_at", "sent_at")
    list_filter = ("state", "template", "language", "created_at")
    search_fields = ("key", "recipient", "recipient_name", "message_id", "=job_id")
    show_full_result_count = False  # counting a large table on every visit takes seconds
    fieldsets = (
        (None, {"fields": ("key", "subject", "recipient", "recipient_name", "state", "error", "server_reply")}),
        ("Mail", {"fields": ("html_preview", "text_preview")}),
        ("Origin", {"fields": ("template", "language", "context", "message_id", "job_id")}),
        ("Times", {"fields": ("created_at", "sending_since", "sent_at", "resends")}),
    )
    readonly_fields = ("html_preview", "text_preview")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Mails are written by services."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A row says what happened; nobody rewrites that."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deleting a row would allow its mail to be sent a second time."""
        return False

    @admin.display(description="HTML")
    def html_preview(self, message: Message) -> SafeString:
        """The mail as it looks, in a frame that runs no script and shares no origin with the admin."""
        try:
            html = _rendered(message).html
        except LookupError as error:
            html = f"<p>{error}</p>"
        return format_html(
            '<iframe srcdoc="{}" sandbox referrerpolicy="no-referrer" title="Mail" width="640" height="640"></iframe>',
            html,
        )

    @admin.display(description="Text")
    def text_preview(self, message: Message) -> SafeString:
        """The part for those who read no HTML."""
        try:
            return format_html("<pre>{}</pre>", _rendered(message).text)
        except LookupError as error:
            return format_html("<p>{}</p>", error)


def _rendered(message: Message) -> compose.Rendered:
    """The mail by today's templates."""
    return compose.render(template=message.template, language=message.language, context=message.context)
