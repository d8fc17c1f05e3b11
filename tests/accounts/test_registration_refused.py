"""POST /api/auth/register, with everything that people and machines may send instead."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from contralock.accounts.models import User
from tests.accounts.registering import ADA, URL, assert_problem, register

NUL, SURROGATE, HUGE = "a\0b", "a\ud800b", "x" * 100_000


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("email", [None, "", "nobody", "a@b", "ada@example.com\nBcc: x@y.de", f"{'x' * 250}@example.com", NUL + "@x.de",
                   SURROGATE + "@x.de", HUGE, 7, True, [], {}, '"a b"@example.com', '"a\x01"@example.com', "zoë@x.de"]),
        ("password", [None, "", "short", "12345678901", "password123", "ada@example.com", "lovelace", NUL * 9,
                      SURROGATE * 9, HUGE, 1234567890123, ["a"], {"a": 1}, False]),
        ("firstName", [None, "", "   ", "x" * 81, NUL, SURROGATE, HUGE, 7, 1.5, True, [], {}, "A\nBcc: x@y.de",
                       "see http://evil.example", "WWW.evil.example", "x\u2028y"]),
        ("lastName", [None, "", "x" * 81, NUL, SURROGATE, HUGE, 7, [], "https://evil.example"]),
        ("role", ["staff", "admin", "", "Client", 1, [], {}, NUL, SURROGATE, HUGE, True]),
        ("language", ["fr", "", "EN", 1, [], SURROGATE]),
        ("timeZone", ["Mars/Olympus", "", "localtime", "../../etc/passwd", NUL, HUGE, 1]),
        ("country", ["XX", "de", "DEU", "D", NUL, 1, []]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(field: str, values: list[Any]) -> None:
    for value in values:
        assert_problem(register(**{field: value}), 400, field)
    assert not User.objects.exists()


@pytest.mark.django_db
def test_everything_that_is_wrong_is_named_at_once() -> None:
    answer = Client().post(URL, {}, content_type="application/json")
    assert_problem(answer, 400, "email", "password", "firstName", "lastName")


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["email", "password", "firstName", "role", "timeZone", "country"])
def test_null_is_no_value(field: str) -> None:
    answer = Client().post(URL, json.dumps(ADA | {field: None}), content_type="application/json")
    assert_problem(answer, 400, field)


@pytest.mark.django_db
@pytest.mark.parametrize("name", [r"\u0000", "O'Brien; DROP TABLE", "Zoë 🦊", "<b>Ada</b>", "{{ 7*7 }}", "%s", "张"])
def test_unusual_names_are_names(name: str) -> None:
    answer = register(firstName=name)
    assert answer.status_code == 201
    assert answer.json()["user"]["firstName"] == name


@pytest.mark.django_db
@pytest.mark.parametrize("body", [b"[]", b'"text"', b"7", b"null", b"true", b"[[1]]"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    assert_problem(Client().post(URL, body, content_type="application/json"), 400, "non_field_errors")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body",
    [b"{", b"\xff\xfe", b'{"email": NaN}', b"[" * 100_000, b'{"a":' * 100_000, b'"\xed\xa0\x80"', b"1" * 5000,
     b'"' + b"x" * 2_700_000 + b'"'],
    ids=["cut", "no utf-8", "NaN", "deep list", "deep object", "surrogate", "long number", "large"],
)  # fmt: skip
def test_a_body_that_is_no_json_is_refused(body: bytes) -> None:
    assert_problem(Client().post(URL, body, content_type="application/json"), 400)


@pytest.mark.django_db
@pytest.mark.parametrize("charset", ["utf-16", "rot13", "bz2", "unicode_escape", "nonsense"])
def test_a_body_is_utf_8_whatever_its_charset_says(charset: str) -> None:
    body = json.dumps(ADA).encode()
    answer = Client().generic("POST", URL, body, content_type=f"application/json; charset={charset}")
    assert answer.status_code == 201


@pytest.mark.django_db
def test_other_formats_and_methods_are_refused() -> None:
    assert_problem(Client().post(URL, ADA), 415)
    assert_problem(Client().get(URL), 405)
