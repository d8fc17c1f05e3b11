"""A mail service instead of SMTP, by anymail's own test backend; what its answers and its webhooks mean."""

from __future__ import annotations

import json
import socket
from base64 import b64encode
from typing import Any

import pytest
import requests
from django.core import mail as django_mail  # noqa: TID251 - anymail's test backend collects there
from django.test import Client
from django.urls import clear_url_caches, include, path, set_urlconf

from jobs.doctor import Level
from notifications import health, smtp, suppression, tracking
from notifications.models import Message, Suppression
from notifications.states import Reason
from tests.notifications.post_office import MAIL, PostOffice
from tests.notifications.running import run

anymail = pytest.importorskip("anymail")
from anymail import exceptions  # noqa: E402 - what is behind the line above
from anymail.message import AnymailRecipientStatus  # noqa: E402
from anymail.signals import AnymailTrackingEvent  # noqa: E402

urlpatterns = [path("anymail/", include("anymail.urls"))]


@pytest.fixture
def outbox(settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Mails go to anymail's test backend; what it was given."""
    settings.EMAIL_BACKEND = "anymail.backends.test.EmailBackend"
    found: list[Any] = []
    monkeypatch.setattr(django_mail, "outbox", found, raising=False)
    return found


def answers(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    """Have the service answer so."""
    monkeypatch.setattr(django_mail.EmailMultiAlternatives, "anymail_test_response", answer, raising=False)


def deliver() -> str:
    return smtp.deliver(mail=MAIL, before_data=lambda: None)


def test_a_mail_is_given_to_the_service_whole(outbox: list[Any]) -> None:
    called: list[int] = []
    assert smtp.deliver(mail=MAIL, before_data=lambda: called.append(len(outbox))) == "test sent 0"
    [given] = outbox
    assert called == [0], "before it is handed over"
    assert (given.subject, given.to, given.body) == ("Hi", ["Ada <ada@example.com>"], "Hello\n.\nBye\n")
    assert [each.mimetype for each in given.alternatives] == ["text/html"]
    assert given.from_email == "ContraLock <noreply@contralock.example>"
    assert given.extra_headers == {
        "Message-ID": "<1@example.com>", "Auto-Submitted": "auto-generated", "Content-Language": "en"
    }  # fmt: skip


def test_attachments_go_with_it(outbox: list[Any]) -> None:
    from copy import deepcopy

    mail = deepcopy(MAIL)
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="invoice.pdf")
    smtp.deliver(mail=mail, before_data=lambda: None)
    [attached] = outbox[0].attachments
    assert (attached.filename, attached.content, attached.mimetype) == ("invoice.pdf", b"%PDF", "application/pdf")


def api_error(status: int | None, cause: BaseException | None = None) -> Exception:
    response = requests.Response()
    response.status_code, response._content = status or 0, b'{"message": "no"}'
    error = exceptions.AnymailRequestsAPIError("said", response=response if status else None)
    error.__cause__ = cause
    return error


def no_connection() -> BaseException:
    """What requests raises where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(requests.ConnectionError) as caught:
        requests.get(f"http://127.0.0.1:{port}/", timeout=5)
    return caught.value


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (api_error(400), smtp.Rejected),
        (api_error(422), smtp.Rejected),
        (api_error(401), smtp.TemporaryFailure),
        (api_error(429), smtp.TemporaryFailure),
        (api_error(503), smtp.TemporaryFailure),
        (api_error(500), smtp.DeliveryUnknown),
        (api_error(None, requests.ReadTimeout("slow")), smtp.DeliveryUnknown),
        (api_error(None, requests.ConnectTimeout("slow")), smtp.TemporaryFailure),
        (exceptions.AnymailAPIError("what?"), smtp.DeliveryUnknown),
    ],
)
def test_what_the_service_says_means_what_a_mail_server_would(
    outbox: list[Any], monkeypatch: pytest.MonkeyPatch, error: Exception, meaning: type[Exception]
) -> None:
    answers(monkeypatch, error)
    with pytest.raises(meaning) as caught:
        deliver()
    assert not getattr(caught.value, "hard_bounce", False)


def test_a_service_that_cannot_be_reached_leaves_no_doubt(outbox: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, api_error(None, no_connection()))
    with pytest.raises(smtp.TemporaryFailure):
        deliver()


@pytest.mark.django_db(transaction=True)
def test_a_recipient_on_the_services_own_list_is_suppressed(
    message: Message, post_office: PostOffice, outbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = AnymailRecipientStatus(message_id=None, status="rejected")
    answers(monkeypatch, {"recipient_status": {"ada@example.com": refused}})
    job = run(message)
    assert (job.state, message.state, post_office.heard) == ("failed", "failed", [])
    found = Suppression.objects.get()
    assert (found.address, found.reason) == ("ada@example.com", Reason.REFUSED)
    assert "ada@example.com rejected" in found.words


def event(kind: str, **more: Any) -> Any:
    return AnymailTrackingEvent(event_type=kind, **{"recipient": "Ada@example.com", "reject_reason": "bounced"} | more)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (event("bounced", mta_response="smtp;550 5.1.1 nobody"), Reason.BOUNCED),
        (event("bounced", reject_reason="invalid"), Reason.BOUNCED),
        (event("complained", reject_reason="spam"), Reason.COMPLAINED),
        (event("rejected"), Reason.REFUSED),
        (event("bounced", mta_response="550 5.7.1 spam"), None),
        (event("bounced", reject_reason="timed_out"), None),
        (event("bounced", reject_reason="blocked"), None),
        (event("deferred"), None),
        (event("delivered", reject_reason=None), None),
        (event("bounced", recipient=None), None),
        (event("bounced", recipient="a@" + "x" * 70), None),
    ],
)
def test_bounces_and_complaints_suppress_and_nothing_else_does(told: Any, reason: Reason | None) -> None:
    tracking.on_event(None, told, "Test")
    found = suppression.standing("ada@example.com")
    assert (found and found.reason) == reason


@pytest.mark.django_db
def test_a_webhook_of_the_service_suppresses_the_address(settings: Any) -> None:
    from anymail.signals import tracking as told

    settings.ROOT_URLCONF, settings.ANYMAIL = __name__, {"WEBHOOK_SECRET": "ada:secret"}
    told.connect(tracking.on_event, weak=False, dispatch_uid="test")
    bounce = {
        "RecordType": "Bounce", "Type": "HardBounce", "TypeCode": 1, "Email": "ada@example.com",
        "Description": "The server was unable to deliver your message (ex: unknown user).",
        "Details": "smtp;550 5.1.1 nobody", "MessageID": "4711", "BouncedAt": "2026-11-24T10:00:00Z", "ID": 42,
    }  # fmt: skip

    def told_by(**headers: Any) -> Any:
        return Client().post("/anymail/postmark/tracking/", json.dumps(bounce), "application/json", **headers)

    try:
        clear_url_caches()
        assert told_by().status_code == 400, "without the secret"
        assert not Suppression.objects.exists()
        login = "Basic " + b64encode(b"ada:secret").decode()
        assert told_by(HTTP_AUTHORIZATION=login).status_code == 200
    finally:
        told.disconnect(dispatch_uid="test")
        set_urlconf(None)
        clear_url_caches()
    assert "5.1.1 nobody" in Suppression.objects.get().words


def test_the_doctor_says_by_which_service_mails_go(outbox: list[Any]) -> None:
    [finding] = health.mail_server()
    assert (finding.level, finding.what) == (Level.OK, "mails go by way of test")


def test_a_service_without_the_package_is_refused_at_the_start(
    outbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert health.settings_fit() == []
    monkeypatch.setattr(smtp.service, "installed", lambda: False)
    [error] = health.settings_fit()
    assert (error.id, error.hint) == ("notifications.E003", "Install the extra: uv sync --extra esp.")
