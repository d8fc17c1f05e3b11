"""What a mail looks like, in both languages."""

from __future__ import annotations

import email
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from notifications import compose

FOLDER = Path(compose.__file__).parent / "templates" / "notifications"
ADA = {"first_name": "Ada", "role": "client"}
NASTY = '<script>alert(1)</script> & "Tom"'


def written(*, name: str = "Ada Lovelace", to: str = "ada@example.com", **wanted: Any) -> EmailMessage:
    """A mail as a reader's program takes it apart."""
    rendered = compose.render(**{"template": "welcome", "language": "en", "context": ADA} | wanted)
    mail = compose.build(
        rendered=rendered, to=to, name=name, message_id="<1@x.test>", written_at=datetime(2026, 1, 2, tzinfo=UTC)
    )
    return email.message_from_bytes(mail.as_bytes(), policy=default)


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize(
    ("language", "subject", "hello"),
    [("en", "Welcome to ContraLock!", "Welcome, Ada!"), ("de", "Willkommen bei ContraLock!", "Willkommen, Ada!")],
)
def test_a_welcome_is_written_in_the_persons_language(language: str, subject: str, hello: str) -> None:
    mail = written(language=language)
    assert mail["Subject"] == subject
    assert mail["Content-Language"] == language
    assert hello in part(mail, "plain")
    assert hello in part(mail, "html")
    assert f'<html lang="{language}"' in part(mail, "html")


@pytest.mark.parametrize(("asked", "found"), [("de-AT", "de"), ("DE", "de"), ("fr", "en"), ("pt-BR", "en")])
def test_a_language_without_the_mail_falls_back(asked: str, found: str) -> None:
    assert compose.render(template="welcome", language=asked, context=ADA).language == found


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_welcome_tells_clients_and_freelancers_different_things_and_where_to_go(language: str, settings: Any) -> None:
    settings.SITE_URL = "https://contralock.test/"
    texts = {
        role: compose.render(template="welcome", language=language, context=ADA | {"role": role})
        for role in ("client", "freelancer", "staff")
    }
    assert len({rendered.text for rendered in texts.values()}) == 3
    for rendered in texts.values():
        assert "https://contralock.test\n" in rendered.text
        assert 'href="https://contralock.test"' in rendered.html


def test_what_is_rendered_is_no_safe_string() -> None:
    rendered = compose.render(template="welcome", language="en", context=ADA)
    assert {type(text) for text in (rendered.subject, rendered.text, rendered.html)} == {str}


def test_names_are_escaped_in_html_and_left_alone_in_text() -> None:
    mail = written(context=ADA | {"first_name": NASTY})
    assert NASTY in part(mail, "plain")
    assert "<script" not in part(mail, "html")
    assert "&lt;script&gt;" in part(mail, "html")


@pytest.mark.parametrize("name", ["Ada\r\nBcc: eve@example.com", "Ada\nSubject: x", "Ada\x0b\x00\u2028Bcc: e@x"])
def test_a_line_break_in_a_name_makes_no_header(name: str) -> None:
    mail = written(name=name)
    assert mail.keys().count("Bcc") == 0
    assert mail.keys().count("Subject") == 1
    assert len(mail["To"].addresses) == 1
    assert mail["To"].addresses[0].addr_spec == "ada@example.com"


def test_a_line_break_in_a_subject_is_a_space(tmp_path: Path, settings: Any) -> None:
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path]}]
    folder = tmp_path / "notifications" / "en"
    folder.mkdir(parents=True)
    for ending in compose.PARTS:
        (folder / f"odd.{ending}").write_text("Dear {{ name }}\n")
    rendered = compose.render(template="odd", language="en", context={"name": "A\r\nBcc: eve@example.com"})
    assert rendered.subject == "Dear A Bcc: eve@example.com"


def test_the_headers_say_what_a_machine_should_know() -> None:
    mail = written(name="Zoë Müller")
    assert mail["From"] == "ContraLock <noreply@contralock.example>"
    assert mail["To"].addresses[0].display_name == "Zoë Müller"
    assert mail["Date"].datetime == datetime(2026, 1, 2, tzinfo=UTC)
    assert mail["Message-ID"] == "<1@x.test>"
    assert mail["Auto-Submitted"] == "auto-generated"


def test_every_line_fits_every_relay() -> None:
    raw = compose.build(
        rendered=compose.render(template="welcome", language="de", context=ADA | {"first_name": "ß" * 80}),
        to="ada@example.com",
        name="ß" * 200,
        message_id="<1@x.test>",
        written_at=datetime(2026, 1, 2, tzinfo=UTC),
    ).as_bytes()
    assert raw.isascii()
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_a_domain_in_other_letters_is_written_in_ascii() -> None:
    assert written(to="ada@müller.example")["To"].addresses[0].addr_spec == "ada@xn--mller-kva.example"


@pytest.mark.parametrize("address", ["zoë@example.com", "a b@example.com", "ada", "", "ada@" + "ü" * 70 + ".de"])
def test_an_impossible_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - several of Python's own
        written(to=address)


@pytest.mark.parametrize("context", [{"role": "client"}, {"first_name": "Ada"}])
def test_a_variable_that_is_missing_is_named(context: dict[str, Any]) -> None:
    missing = {"first_name", "role"} - context.keys()
    with pytest.raises(compose.MissingVariable, match=missing.pop()):
        compose.render(template="welcome", language="de", context=context)


@pytest.mark.parametrize("template", ["welcom", "", "../base", "/etc/passwd"])
def test_a_mail_that_does_not_exist_is_refused_in_words(template: str) -> None:
    with pytest.raises(compose.UnknownTemplate, match="There is no mail"):
        compose.render(template=template, language="en", context=ADA)


class _Sources(HTMLParser):
    """Collects what a mail program would fetch, and what a browser would run."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "img", "iframe", "object", "form"):
            self.found.append(tag)
        self.found += [f"{name}={value}" for name, value in attrs if name in ("src", "background") or name[:2] == "on"]


@pytest.mark.parametrize("language", ["en", "de"])
def test_html_loads_nothing_runs_nothing_and_bends_to_any_width(language: str) -> None:
    html = compose.render(template="welcome", language=language, context=ADA).html
    assert _Sources(html).found == []
    assert "url(" not in html
    assert "@import" not in html
    assert 'name="color-scheme" content="light dark"' in html
    assert "prefers-color-scheme: dark" in html
    assert "max-width:600px" in html
    assert [int(width) for width in re.findall(r'[^-]width="(\d+)"', html)] == []  # nothing is wider than 320 px


def test_every_mail_has_its_three_files_in_both_languages() -> None:
    english, german = (sorted(file.name for file in (FOLDER / language).iterdir()) for language in ("en", "de"))
    assert english == german
    assert len(english) % len(compose.PARTS) == 0


def test_tags_on_lines_of_their_own_leave_one_empty_line_in_the_text(tmp_path: Path, settings: Any) -> None:
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path]}]
    folder = tmp_path / "notifications" / "en"
    folder.mkdir(parents=True)
    for ending in compose.PARTS:
        (folder / f"odd.{ending}").write_text("One\n\n{% if url %}\nTwo\n{% else %}\nThree\n{% endif %}\n\nFour\n")
    assert compose.render(template="odd", language="en", context={}).text == "One\n\nThree\n\nFour\n"
