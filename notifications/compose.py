"""Writing a mail: templates in, an `email.message.EmailMessage` out. Nothing is sent and nothing stored here.

A mail is three files, `templates/notifications/<language>/<template>.subject.txt`, `.txt` and `.html`.
Text is never escaped, HTML always; both without the author having to think of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from typing import Any

from django.conf import settings
from django.template import Context, TemplateDoesNotExist
from django.template.loader import get_template
from django.utils import translation

FALLBACK = "en"
PARTS = ("subject.txt", "txt", "html")
OPTIONAL = {"url": "", "verify_url": ""}
"""Variables that a caller may leave out: where a button leads. Without them it leads to the site."""
IS_TEST = "is_test"
"""A variable that, when true, has the subject say that this mail is a test."""

BLANK_LINES = re.compile(r"\n{3,}")
RELAYED: dict[str, Any] = {"linesep": "\r\n", "cte_type": "7bit"}  # every relay on the way takes seven bits
UNBROKEN = EmailPolicy(**RELAYED, max_line_length=998)


class _Policy(EmailPolicy):
    """Never breaks a List- header: Python would break a long address into `=?utf-8?q?`, which is one no more.

    Not so for the whole mail: quoted-printable lines have at most 76 characters (RFC 2045).
    """

    def fold(self, name: str, value: Any) -> str:
        """One header for a text."""
        return EmailPolicy.fold(self._for(name), name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        """One header for the wire."""
        return EmailPolicy.fold_binary(self._for(name), name, value)

    def _for(self, name: str) -> EmailPolicy:
        return UNBROKEN if name.lower().startswith("list-") else self


POLICY = _Policy(**RELAYED)


class UnknownTemplate(LookupError):
    """No such mail: its three files are not there in English."""


class MissingVariable(LookupError):
    """The template names a variable that the context lacks."""


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """The three parts of a mail, and the language they were found in."""

    language: str
    subject: str
    text: str
    html: str


def render(*, template: str, language: str, context: Mapping[str, Any]) -> Rendered:
    """Render the three parts, in English where `language` has no such mail.

    Raises UnknownTemplate, and MissingVariable for a name that neither `context` nor the site provides.
    """
    language, subject, text, html = _load(template, language)
    context = OPTIONAL | dict(context)
    site = {
        "language": language,
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL.rstrip("/"),
        "support_email": settings.SUPPORT_EMAIL,
    }
    with translation.override(language):
        line = one_line(_fill(subject, dict(context) | site, escape=False))
        line = f"[Test] {line}" if context.get(IS_TEST) else line
        site["subject"] = line
        return Rendered(
            language=language,
            subject=line,
            text=_paragraphs(_fill(text, dict(context) | site, escape=False)),
            html=_fill(html, dict(context) | site, escape=True),
        )


def build(
    *, rendered: Rendered, to: str, name: str, message_id: str, written_at: datetime, unsubscribe_url: str = ""
) -> EmailMessage:
    """The mail as it goes out. `written_at` (aware) becomes its Date. Raises ValueError for an impossible address.

    With `unsubscribe_url` mail programs offer to unsubscribe in one click: they POST to it (RFC 8058).
    """
    sender_name, sender = parseaddr(settings.DEFAULT_FROM_EMAIL)
    mail = EmailMessage(policy=POLICY)
    mail["Subject"] = rendered.subject
    mail["From"] = _address(sender_name, sender)
    mail["To"] = _address(name, to)
    mail["Date"] = format_datetime(written_at)
    mail["Message-ID"] = message_id
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: holiday notices do not answer it
    if unsubscribe_url:
        mail["List-Unsubscribe"] = f"<{unsubscribe_url}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(rendered.text, cte="quoted-printable")
    mail.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    mail["Content-Language"] = rendered.language  # last: the two lines above take such headers away
    return mail


def sender_domain() -> str:
    """Domain of EMAIL_FROM, in ASCII; Message-IDs end with it."""
    return ascii_domain(parseaddr(settings.DEFAULT_FROM_EMAIL)[1]).rpartition("@")[2] or "localhost"


def ascii_domain(address: str) -> str:
    """`address` with its domain in ASCII (IDNA). Raises ValueError when that domain cannot exist."""
    local, at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    return f"{local}{at}{domain.encode('idna').decode()}"  # UnicodeError is a ValueError


def one_line(text: str) -> str:
    """`text` as one printable line: what a header may hold. Control characters and line breaks become a space."""
    return " ".join("".join(" " if _breaks(character) else character for character in text).split())


def _address(name: str, address: str) -> Address:
    """For a header; whatever Python's parser says of a bad one becomes ValueError."""
    try:
        return Address(one_line(name), addr_spec=ascii_domain(address))
    except (HeaderParseError, IndexError) as error:
        raise ValueError(f"{address!r} is not an email address: {error}") from error


def _paragraphs(text: str) -> str:
    """One empty line between paragraphs, also where a template has tags on lines of their own."""
    return BLANK_LINES.sub("\n\n", text.strip()) + "\n"


def _breaks(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def _load(template: str, language: str) -> tuple[str, Any, Any, Any]:
    """The language found, and the three templates in it: all three from one language."""
    for tongue in dict.fromkeys((language.lower(), language.lower().partition("-")[0], FALLBACK)):
        try:
            subject, text, html = (get_template(f"notifications/{tongue}/{template}.{part}") for part in PARTS)
        except TemplateDoesNotExist:
            continue
        return tongue, subject, text, html
    wanted = ", ".join(f"{template}.{part}" for part in PARTS)
    raise UnknownTemplate(f"There is no mail {template!r}: templates/notifications/{FALLBACK}/ lacks {wanted}.")


class _Strict(Context):
    """Notes the names that are not there. Django prints nothing for them and takes `{% if %}` of them as false."""

    def __init__(self, values: dict[str, Any], *, autoescape: bool) -> None:
        super().__init__(values, autoescape=autoescape)
        self.missing: set[str] = set()

    def __getitem__(self, key: Any) -> Any:
        if key not in self:
            self.missing.add(str(key))
        return super().__getitem__(key)


def _fill(template: Any, context: dict[str, Any], *, escape: bool) -> str:
    """The template's text. Raises MissingVariable: a mail with a hole in it must not go out."""
    values = _Strict(context, autoescape=escape)
    text = str.__str__(template.template.render(values))  # no SafeString: whoever shows it has to escape it
    if values.missing:
        raise MissingVariable(
            f"{template.origin.template_name} needs {', '.join(sorted(values.missing))} in its context."
        )
    return text
