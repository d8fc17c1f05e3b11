"""No more reminders: the page that their link leads to, and what mail programs POST to (RFC 8058)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from contralock.accounts.views.pages import Page
from notifications import unsubscribe


@method_decorator([csrf_exempt, never_cache], name="dispatch")
class UnsubscribePage(Page):
    """Opening it only shows a button: scanners of mails follow every link. The token is all that is asked for."""

    name = "unsubscribe"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Not throttled: a large mail provider posts for all of its users from few addresses."""
        return View.dispatch(self, request, *args, **kwargs)

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """The button, if it would do something."""
        return self._answer(token)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Unsubscribe, whoever posts and whatever is in it. Answers at once: RFC 8058 forbids to redirect."""
        unsubscribe.unsubscribe(token, now=timezone.now())
        return self._answer(token)

    def _answer(self, token: str) -> HttpResponse:
        found = unsubscribe.subscriber(token)
        if found is None:
            return self.show("refused", status=404, support_email=settings.SUPPORT_EMAIL)
        return self.show(
            "done" if found.unsubscribed_at else "ask",
            owner=found.user,
            token=token,
            support_email=settings.SUPPORT_EMAIL,
        )
