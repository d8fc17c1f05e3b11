"""GET and PATCH /api/auth/profile."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from contralock.accounts.models import User
from tests.accounts.people import API, Browser, assert_problem, logged_in, person

pytestmark = pytest.mark.django_db

NUL, SURROGATE, HUGE = "a\0b", "a\ud800b", "x" * 100_000
FULL = {
    "firstName": "Zoë", "lastName": "O'Brien", "language": "de", "timeZone": "Europe/Berlin", "country": "DE",
    "company": "Hängematten & Söhne GmbH", "addressLine1": "Straße 1", "addressLine2": "c/o <b>", "postalCode": "10115",
    "city": "Berlin", "taxId": "12/345/67890", "vatId": "DE123456789",
}  # fmt: skip


def patch(browser: Browser, **body: Any) -> Any:
    """Change the profile."""
    return browser.send("PATCH", "profile", body)


def test_a_profile_is_changed_and_read_back() -> None:
    browser = logged_in(person())
    answer = patch(browser, **FULL)
    assert answer.status_code == 200
    assert answer.json().items() >= FULL.items()
    assert browser.send("GET", "profile").json() == answer.json()
    user = User.objects.get()
    assert (user.company, user.address_line1, user.vat_id) == ("Hängematten & Söhne GmbH", "Straße 1", "DE123456789")


def test_what_is_left_out_stays_and_an_empty_text_empties() -> None:
    browser = logged_in(person())
    patch(browser, **FULL)
    assert (
        patch(browser, city="", vatId="", country="").json().items() >= {"city": "", "company": FULL["company"]}.items()
    )
    assert patch(browser).status_code == 200
    assert User.objects.get().first_name == "Zoë"


def test_nobody_has_no_profile() -> None:
    assert_problem(Browser().send("GET", "profile"), 401)
    assert_problem(Browser().send("PATCH", "profile", {"city": "x"}), 401)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        (
            "firstName",
            [None, "", " ", "x" * 81, NUL, SURROGATE, HUGE, 7, True, [], {}, "a\nb", "see http://evil.example"],
        ),
        ("lastName", [None, "", "x" * 81, NUL, "www.evil.example"]),
        ("language", [None, "", "fr", 7, [], NUL]),
        ("timeZone", [None, "", "Mars/Olympus", NUL, 7, HUGE]),
        ("country", [None, "de", "XX", "DEU", NUL, 7]),
        ("company", [None, "x" * 121, NUL, SURROGATE, HUGE, 7, [], "a\nb", "a\u2028b"]),
        ("addressLine1", [None, "x" * 121, NUL, "a\r\nb"]),
        ("addressLine2", [None, "x" * 121, NUL]),
        ("postalCode", [None, "x" * 17, NUL, 10115]),
        ("city", [None, "x" * 81, NUL]),
        ("taxId", [None, "x" * 33, NUL]),
        ("vatId", [None, "x" * 21, NUL, 7]),
        ("email", ["new@example.com"]),
        ("role", ["staff"]),
        ("is_staff", [True]),
        ("emailVerifiedAt", ["2026-01-01T00:00:00Z"]),
        ("password", ["Difference-1822"]),
        ("nonsense", [1]),
        ("a\0b", [1]),
        ("\ud800", [1]),
        ("", [1]),
    ],
)
def test_what_is_wrong_or_unknown_is_named_and_changes_nothing(field: str, values: list[Any]) -> None:
    browser = logged_in(person())
    for value in values:
        answer = patch(browser, **{field: value, "city": "London"} if field != "city" else {field: value})
        assert answer.status_code == 400, (field, value, answer.content)
        assert answer.json()["errors"]
    user = User.objects.get()
    assert (user.city, user.role, user.email, user.is_staff) == ("", "client", "ada@example.com", False)


@pytest.mark.parametrize("body", [[], "text", 7, [{"city": "x"}]])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    assert_problem(logged_in(person()).send("PATCH", "profile", body), 400, "non_field_errors")


def test_a_form_is_refused() -> None:
    client = Client()
    client.force_login(person())
    answer = client.patch(f"{API}profile", "city=x", content_type="application/x-www-form-urlencoded")
    assert_problem(answer, 415)


def test_a_vat_id_is_held_against_the_country_that_is_sent_or_stored() -> None:
    browser = logged_in(person())
    assert_problem(patch(browser, country="DE", vatId="ATU12345678"), 400, "vatId")
    assert patch(browser, country="AT", vatId="ATU12345678").status_code == 200
    assert_problem(patch(browser, country="DE"), 400, "vatId")
    assert patch(browser, country="DE", vatId="de 123.456.789").json()["vatId"] == "DE123456789"
    assert patch(browser, country="US", vatId="whatever-1").json()["vatId"] == "WHATEVER1"


RIGHT = """ATU12345678 BE0123456789 BG123456789 CY12345678X CZ12345678 DE123456789 DK12345678 EE123456789 EL123456789
    ESX1234567X FI12345678 FRXX123456789 HR12345678901 HU12345678 IE1234567WA IE1A23456Z IT12345678901 LT123456789012
    LU12345678 LV12345678901 MT12345678 NL123456789B01 PL1234567890 PT123456789 RO1234567890 SE123456789012 SI12345678
    SK1234567890""".split()  # noqa: SIM905 - a list of strings is twice as long


@pytest.mark.parametrize("vat_id", RIGHT)
def test_every_country_of_the_eu_has_its_form(vat_id: str) -> None:
    country = {"EL": "GR"}.get(vat_id[:2], vat_id[:2])
    user = User(email="a@x.de", first_name="A", last_name="B", password="x", country=country, vat_id=vat_id)
    user.full_clean()
    for wrong in (vat_id[2:], vat_id + "0000", "XX" + vat_id[2:], vat_id[:3], vat_id.replace("1", "１")):
        user.vat_id = wrong
        with pytest.raises(ValidationError, match="VAT id"):
            user.full_clean()
