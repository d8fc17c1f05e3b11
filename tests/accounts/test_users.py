"""The user model, its manager and the login."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError
from django.test import RequestFactory

from contralock.accounts import services
from contralock.accounts.models import User

pytestmark = pytest.mark.django_db


def test_an_address_is_kept_as_typed_but_for_its_domain() -> None:
    assert User.objects.create_user(email=" Ada.L@Example.COM ").email == "Ada.L@example.com"


@pytest.mark.parametrize("typed", ["Ada@example.com", "ada@EXAMPLE.com", "ADA@example.com"])
def test_people_log_in_whatever_the_case(typed: str) -> None:
    user = User.objects.create_user(email="Ada@example.com", password="secret")
    request = RequestFactory().post("/")  # the lock-out counts by where it comes from
    assert authenticate(request, username=typed, password="secret") == user
    assert authenticate(request, username=typed, password="Secret") is None


def test_a_person_without_a_password_cannot_log_in() -> None:
    assert not User.objects.create_user(email="ada@example.com").has_usable_password()


def test_the_database_refuses_the_same_address_in_another_case() -> None:
    User.objects.create_user(email="ada@example.com")
    with pytest.raises(IntegrityError):
        User.objects.create_user(email="ADA@example.com")


@pytest.mark.parametrize(
    "wrong",
    [
        {"is_staff": True, "role": "client"},
        {"is_superuser": True},
        {"role": "king"},
        {"language": "fr"},
    ],
)
def test_the_database_refuses_what_contradicts_itself(wrong: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        User.objects.create_user(email="ada@example.com", **wrong)


def test_a_superuser_is_staff() -> None:
    user = User.objects.create_superuser(email="root@example.com", password="x", first_name="R", last_name="O")
    assert (user.role, user.is_staff, user.is_superuser) == ("staff", True, True)


def test_createsuperuser_works_on_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "Analytical-1843")
    call_command(
        "createsuperuser",
        email="root@example.com",
        first_name="R",
        last_name="O",
        interactive=False,
        stdout=io.StringIO(),
    )
    assert User.objects.get().is_superuser


@pytest.mark.parametrize("role", ["staff", "king", ""])
def test_nobody_registers_as_staff_by_the_service_either(role: str) -> None:
    with pytest.raises(ValueError, match="staff are appointed"):
        services.register(email="a@x.de", password="x", first_name="A", last_name="B", role=role)


@pytest.mark.parametrize(("field", "value"), [("time_zone", "Mars/Olympus"), ("country", "XX"), ("first_name", "a\nb")])
def test_fields_are_validated_in_forms_too(field: str, value: str) -> None:
    user = User(email="a@x.de", first_name="A", last_name="B", password="x")
    setattr(user, field, value)
    with pytest.raises(ValidationError) as caught:
        user.full_clean()
    assert list(caught.value.message_dict) == [field]


def test_migrate_alone_made_the_cache_table() -> None:
    from django.core.cache import cache

    cache.set("a", 1)
    assert cache.get("a") == 1
