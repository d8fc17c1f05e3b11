"""A mail by way of a mail service's API instead of SMTP: django-anymail, when EMAIL_BACKEND names one of its backends.

Everything else stays: rows, jobs, doubt, suppression. The package is the optional extra `esp`.
"""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core import mail as django_mail  # noqa: TID251 - this package is the wall

from notifications.smtp.answers import DeliveryUnknown, RecipientRefused, Rejected, TemporaryFailure, one_line

PREFIX = "anymail.backends."
OUR_FAULT = frozenset({401, 402, 403, 404, 408, 429, 503})
"""HTTP: a wrong key, an unpaid bill, a wrong address of the API, too much at once, down for a while."""


def chosen() -> bool:
    """Whether mails go by way of a service."""
    return bool(settings.EMAIL_BACKEND.startswith(PREFIX))


def installed() -> bool:
    """Whether the extra is there."""
    return find_spec("anymail") is not None


def name() -> str:
    """Which service, for people."""
    return str(settings.EMAIL_BACKEND.removeprefix(PREFIX).partition(".")[0])


def deliver(*, mail: EmailMessage, before_data: Callable[[], None]) -> str:
    """Give `mail` to the service and return its status and its id of the mail; as notifications.smtp.deliver does it.

    Raises RecipientRefused for one on the service's own list of suppressed addresses.
    """
    from anymail import exceptions

    django = _translated(mail)
    before_data()
    try:
        django_mail.get_connection(fail_silently=False).send_messages([django])
    except exceptions.AnymailRecipientsRefused as refusal:
        raise RecipientRefused(f"The mail service refused the recipient: {_said(django, refusal)}") from refusal
    except (exceptions.AnymailConfigurationError, ImportError) as mistake:
        raise TemporaryFailure(f"The mail service is not set up: {one_line(str(mistake))}") from mistake
    except ValueError as mistake:  # an address or a feature that it does not take: nothing was sent
        raise Rejected(f"The mail service cannot take this mail: {one_line(str(mistake))}") from mistake
    except exceptions.AnymailError as failure:
        raise _meant(failure) from failure
    ids = django.anymail_status.message_id  # type: ignore[attr-defined] # anymail's mark
    return f"{name()} {', '.join(sorted(django.anymail_status.status or {'?'}))} {ids}"  # type: ignore[attr-defined]


def _meant(failure: Any) -> Exception:
    """What a failed call means: an answer that says no, none before anything was sent, or doubt."""
    code, said = failure.status_code, one_line(str(failure))
    if code in OUR_FAULT or (code is None and _never_connected(failure.__cause__)):
        return TemporaryFailure(f"The mail service does not take it now: {said}")
    if code is not None and 400 <= code < 500:
        return Rejected(f"The mail service refused the mail: {said}", command="API", code=code)
    return DeliveryUnknown(f"The mail service was given the mail, and it does not say whether it has it: {said}")


def _never_connected(error: BaseException | None) -> bool:
    """Whether it ended before anything was sent."""
    from requests import ConnectionError as NoConnection
    from requests import ConnectTimeout
    from urllib3.exceptions import NewConnectionError

    if isinstance(error, ConnectTimeout):
        return True
    inner = error.args[0] if isinstance(error, NoConnection) and error.args else None
    return isinstance(getattr(inner, "reason", inner), NewConnectionError)


def _said(django: Any, refusal: Exception) -> str:
    status = getattr(django, "anymail_status", None)
    each = ", ".join(f"{who} {what.status}" for who, what in status.recipients.items()) if status else ""
    return one_line(each or str(refusal))


def _translated(mail: EmailMessage) -> django_mail.EmailMultiAlternatives:
    """The same mail as Django's own class, from which anymail makes the service's call."""
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    headers = {
        name: str(value)
        for name, value in mail.items()
        if name.lower() not in ("subject", "from", "to", "date", "mime-version")
        and (name.lower() == "content-language" or not name.lower().startswith("content-"))
    }
    django = django_mail.EmailMultiAlternatives(
        str(mail["Subject"]), text.get_content() if text else "", str(mail["From"]), [str(mail["To"])], headers=headers
    )
    if html:
        django.attach_alternative(html.get_content(), "text/html")
    for part in mail.iter_attachments():
        django.attach(part.get_filename(), part.get_content(), part.get_content_type())
    return django
