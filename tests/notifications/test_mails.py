"""Every mail: in both languages, complete, escaped, loading nothing."""

from __future__ import annotations

import email
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from notifications import compose
from tests.notifications.test_compose import FOLDER, _Sources

NASTY = '<script>alert(1)</script> & "Tom"\r\nBcc: eve@example.com'
URL = "https://contralock.test/account/reset?uid=MQ&token=c8x1v2-3f1d2e5b9a7c6d4e8f0a1b2c3d4e5f60"
FORGOT = "https://contralock.test/account/forgot"
NEW = "countess@example.com"
CLIENT = {"role": "client", "counterpart": "Bob Builder", "milestone_title": "Wireframes", "project_title": "Website"}
FREELANCER = CLIENT | {"role": "freelancer", "counterpart": "Cleo Client"}
PRICE = {"amount": "€1,250.00"}
DAY = {"date": "November 24, 2026"}
UNSUBSCRIBE = "https://contralock.test/unsubscribe/AbCdEfGhIjKlMnOpQrStUv"
REMINDED = {"since": "November 24, 2026", "unsubscribe_url": UNSUBSCRIBE}
HELD = {"matter": "held", "until": "February 22, 2027", "disputed": False}
OPENED = {"dispute_status": "opened", "money_held": True}
CONTEXTS: dict[str, dict[str, Any]] = {
    "welcome": {"role": "client"},
    "payment_confirmation": CLIENT | PRICE | DAY | {"transaction_id": "pi_3Mtw2eLkd"},
    "milestone_notification": FREELANCER | PRICE | {"milestone_status": "funded"},
    "milestone_notification submitted": CLIENT | PRICE | {"milestone_status": "submitted"},
    "milestone_notification approved": FREELANCER | PRICE | {"milestone_status": "approved"},
    "payment_released": FREELANCER | PRICE | DAY | {"gross": "€1,315.79", "fee": "€65.79"},
    "payment_released client": CLIENT | PRICE | DAY,
    "withdrawal_sent": PRICE | DAY | {"transaction_id": "po_1MtHbELkd"},
    "withdrawal_returned": PRICE | {"outcome": "failed_returned", "failure": "The account is closed."},
    "withdrawal_returned rejected": PRICE | {"outcome": "rejected", "failure": ""},
    "withdrawal_returned canceled": PRICE | {"outcome": "canceled", "failure": ""},
    "payment_refunded": CLIENT | PRICE | DAY | {"left": "€50.00"},
    "payment_refunded freelancer": FREELANCER | PRICE | DAY | {"left": "€50.00", "taken_back": "€1,187.50"},
    "refund_failed": CLIENT | PRICE,
    "refund_failed freelancer": FREELANCER | PRICE,
    "dispute_notification": CLIENT | OPENED | {"opened_by": "other", "reason": "It is late."},
    "dispute_notification you": CLIENT | OPENED | {"opened_by": "you", "reason": "It is late."},
    "dispute_notification staff": CLIENT | OPENED | {"opened_by": "staff", "reason": "We look."},
    "dispute_notification bank": CLIENT | OPENED | {"opened_by": "bank", "reason": ""},
    "dispute_notification bank, freelancer": FREELANCER | OPENED | {"opened_by": "bank", "reason": ""},
    **{
        f"dispute_notification {outcome}, {who['role']}": who
        | {"dispute_status": "resolved", "outcome": outcome, "reason": "We have looked."}
        for outcome in ("release", "refund", "dismiss", "won", "lost")
        for who in (CLIENT, FREELANCER)
    },
    **{
        f"invoice {kind}, {role}": PRICE
        | DAY
        | {"role": role, "kind": kind, "number": "CL7-2026-00001", "counterpart": "Bob Builder", "about": "Wireframes"}
        for kind in ("invoice", "credit_note")
        for role in ("recipient", "issuer")
    },
    "reminder unfunded": CLIENT | PRICE | REMINDED | {"matter": "unfunded"},
    "reminder unapproved": CLIENT | PRICE | REMINDED | {"matter": "unapproved"},
    "reminder dispute": FREELANCER | PRICE | REMINDED | {"matter": "dispute"},
    "reminder dispute, nothing held": CLIENT | REMINDED | {"matter": "dispute", "amount": ""},
    "reminder held": CLIENT | PRICE | REMINDED | HELD,
    "reminder held, freelancer": FREELANCER | PRICE | REMINDED | HELD,
    "reminder held, disputed": FREELANCER | PRICE | REMINDED | HELD | {"disputed": True},
    "verify_email": {"verify_url": URL},
    "password_reset": {"reset_url": URL, "minutes": 60},
    "password_changed": {"forgot_url": FORGOT},
    "email_change": {"new_email": NEW, "confirm_url": URL},
    "email_change_requested": {"new_email": NEW, "forgot_url": FORGOT},
    "email_changed": {"new_email": NEW},
}
"""What each mail is given; a mail with several faces is here once for each, told apart by what follows its name."""

CHOICES = (
    "role",
    "matter",
    "disputed",
    "kind",
    "milestone_status",
    "dispute_status",
    "opened_by",
    "outcome",
    "money_held",
)
"""Variables that choose words and are not shown themselves."""

SECURITY = [name for name in CONTEXTS if name.startswith(("verify", "password", "email"))]
LANGUAGES = ["en", "de"]
every_mail = pytest.mark.parametrize("template", CONTEXTS)
both = pytest.mark.parametrize("language", LANGUAGES)


def render(template: str, language: str, **changes: Any) -> compose.Rendered:
    """A mail about Ada."""
    context = {"first_name": "Ada"} | CONTEXTS[template] | changes
    return compose.render(template=template.partition(" ")[0], language=language, context=context)


def written(rendered: compose.Rendered) -> EmailMessage:
    """The mail as a reader's program takes it apart."""
    mail = compose.build(
        rendered=rendered, to="ada@example.com", name="Ada", message_id="<1@x.test>",
        written_at=datetime(2026, 1, 2, tzinfo=UTC),
    )  # fmt: skip
    return email.message_from_bytes(mail.as_bytes(), policy=default)


def test_every_mail_is_tested_here() -> None:
    assert sorted({name.partition(" ")[0] for name in CONTEXTS}) == sorted(
        file.name.removesuffix(".html") for file in (FOLDER / "en").glob("*.html")
    )


@every_mail
@both
def test_all_that_the_reader_needs_is_in_both_parts(template: str, language: str) -> None:
    rendered = render(template, language)
    assert rendered.language == language
    assert f'<html lang="{language}"' in rendered.html
    assert "Ada" in rendered.text
    assert "Ada" in rendered.html
    for name, value in CONTEXTS[template].items():
        if name in CHOICES:
            continue
        assert str(value) in rendered.text, name
        assert str(value).replace("&", "&amp;") in rendered.html, name
    assert len(rendered.subject) <= 78


@every_mail
def test_the_two_languages_are_two_languages(template: str) -> None:
    english, german = (render(template, language) for language in LANGUAGES)
    assert english.subject != german.subject
    assert english.text != german.text
    assert not re.search(r"\b(the|you|your|not|and)\b", german.text.partition("-- ")[0])


@every_mail
@both
def test_each_variable_that_is_missing_is_named(template: str, language: str) -> None:
    complete = {"first_name": "Ada"} | CONTEXTS[template]
    for name in complete.keys() - compose.OPTIONAL.keys():
        lacking = {key: value for key, value in complete.items() if key != name}
        with pytest.raises(compose.MissingVariable, match=name):
            compose.render(template=template.partition(" ")[0], language=language, context=lacking)


@every_mail
@both
def test_whatever_the_variables_hold_no_markup_and_no_header_comes_of_it(template: str, language: str) -> None:
    ours = {name: CONTEXTS[template].get(name, "") for name in ("role", "matter")}
    words = dict.fromkeys([*CONTEXTS[template], "first_name"], NASTY) | ours
    rendered = render(template, language, **words)
    mail = written(rendered)
    assert "\n" not in rendered.subject
    assert mail.keys().count("Bcc") == 0
    assert mail.keys().count("Subject") == 1
    assert "<script" not in rendered.html
    assert "&lt;script&gt;" in rendered.html
    assert '"Tom"' not in rendered.html, "a quote in an attribute would end it"


@every_mail
@both
def test_nothing_is_loaded_and_nothing_runs(template: str, language: str) -> None:
    html = render(template, language).html
    assert _Sources(html).found == []
    assert "url(" not in html
    assert "@import" not in html
    assert "prefers-color-scheme: dark" in html
    assert re.findall(r'[^-]width="(\d+)"', html) == []


@every_mail
@both
def test_a_reader_of_text_sees_short_lines_and_no_markup(template: str, language: str) -> None:
    body = render(template, language).text.partition("\n-- \n")[0]
    assert not re.search(r"<\w|&\w+;|{{|{%", body)
    assert all(len(line) <= 78 for line in body.splitlines() if "http" not in line), body
    assert "\n\n\n" not in body


@every_mail
@both
def test_money_is_held_and_in_no_escrow_account(template: str, language: str) -> None:
    rendered = render(template, language)
    assert not re.search(r"escrow|treuhand", rendered.subject + rendered.text + rendered.html, re.IGNORECASE)


@pytest.mark.parametrize("template", SECURITY)
def test_a_mail_about_security_says_what_to_do_if_it_was_not_you(template: str) -> None:
    assert re.search(r"(not you|did not ask|not register)", render(template, "en").text)
    assert re.search(r"(nicht Sie|nicht angefordert)", render(template, "de").text)


@pytest.mark.parametrize(
    ("template", "variable", "words"),
    [
        ("milestone_notification", "milestone_status",
         {"changes_requested": ("changes requested", "Änderungen gewünscht"), "approved": ("approved", "abgenommen"),
          "released": ("released", "ausgezahlt"), "refunded": ("refunded", "erstattet"),
          "cancelled": ("cancelled", "abgebrochen"), "something new": ("something new", "something new")}),
        ("dispute_notification", "dispute_status",
         {"under_review": ("under review", "in Prüfung"), "withdrawn": ("withdrawn", "zurückgezogen"),
          "something new": ("something new", "something new")}),
    ],
)  # fmt: skip
def test_a_status_is_said_in_the_readers_words(template: str, variable: str, words: dict[str, tuple[str, str]]) -> None:
    for status, expected in words.items():
        for language, word in zip(LANGUAGES, expected, strict=True):
            rendered = render(template, language, **{variable: status})
            assert rendered.subject.endswith(f": {word}")
            assert f"<strong>{word}</strong>" in rendered.html
            assert f"{word}." in rendered.text


@pytest.mark.parametrize("template", ["payment_confirmation", "milestone_notification", "dispute_notification"])
@both
def test_a_button_leads_to_the_page_if_one_is_named_else_to_the_site(
    template: str, language: str, settings: Any
) -> None:
    settings.SITE_URL = "https://contralock.test"
    assert 'href="https://contralock.test"' in render(template, language).html
    named = render(template, language, url="https://contralock.test/p/7?a=1&b=2")
    assert 'href="https://contralock.test/p/7?a=1&amp;b=2"' in named.html
    assert "https://contralock.test/p/7?a=1&b=2" in named.text


def test_money_is_held_only_while_a_dispute_lasts_and_only_what_was_not_released() -> None:
    assert "stays held" in render("dispute_notification", "en").text
    assert "stays held" not in render("dispute_notification", "en", money_held=False).text
    assert "stays held" not in render("dispute_notification", "en", dispute_status="withdrawn").text


@pytest.mark.parametrize(
    "template", [name for name in CONTEXTS if name.startswith(("payment", "milestone", "withdrawal", "refund"))]
)
def test_the_subject_alone_says_what_happened(template: str) -> None:
    subject = render(template, "en").subject
    assert CONTEXTS[template]["amount"] in subject or CONTEXTS[template]["milestone_title"] in subject


@both
def test_each_face_of_a_dispute_says_something_else(language: str) -> None:
    faces = [name for name in CONTEXTS if name.startswith("dispute_notification")]
    texts = {render(name, language, reason="", counterpart="").text for name in faces}
    # Dismissed is the same for both; so is what an opener and a staff member opened, for whoever reads it.
    assert len(texts) == len(faces) - 1


def test_a_fee_of_nothing_is_not_mentioned() -> None:
    assert "fee" not in render("payment_released", "en", fee="").text


@both
def test_without_a_name_nobody_is_named(language: str) -> None:
    nameless = render("dispute_notification", language, counterpart="")
    assert re.search(r"(The other side|die Gegenseite)\s", nameless.text)
    assert not re.search(r"(Freelancer|Client|Auftraggeber): ", nameless.text)
