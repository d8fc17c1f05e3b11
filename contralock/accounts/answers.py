"""What people get to see of an account, as JSON."""
# ruff: noqa: N815 - the names are the JSON's

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from contralock.accounts.choices import Language, Role
from contralock.accounts.models import ApiToken, User


class RegisteredUser(serializers.Serializer[User]):
    """The seed's four members."""

    id = serializers.IntegerField()
    email = serializers.EmailField()
    firstName = serializers.CharField(source="first_name")
    lastName = serializers.CharField(source="last_name")


class Registered(serializers.Serializer[Any]):
    """A new account."""

    message = serializers.CharField()
    user = RegisteredUser()


class Profile(RegisteredUser):
    """An account as its owner sees it."""

    role = serializers.ChoiceField(choices=Role.choices)
    language = serializers.ChoiceField(choices=Language.choices)
    timeZone = serializers.CharField(source="time_zone")
    country = serializers.CharField()
    company = serializers.CharField()
    addressLine1 = serializers.CharField(source="address_line1")
    addressLine2 = serializers.CharField(source="address_line2")
    postalCode = serializers.CharField(source="postal_code")
    city = serializers.CharField()
    taxId = serializers.CharField(source="tax_id")
    vatId = serializers.CharField(source="vat_id")
    emailVerifiedAt = serializers.DateTimeField(source="email_verified_at", allow_null=True)
    pendingEmail = serializers.CharField(source="pending_email")


class Session(serializers.Serializer[Any]):
    """Who is logged in, and what unsafe requests of this browser carry as X-CSRFToken."""

    user = Profile(allow_null=True)
    csrfToken = serializers.CharField()


class Token(serializers.Serializer[ApiToken]):
    """An API token, without the token."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    start = serializers.CharField(source="token_key", help_text="How the token begins, to recognize it by.")
    createdAt = serializers.DateTimeField(source="created")
    expiresAt = serializers.DateTimeField(source="expiry")


class NewToken(Token):
    """An API token, for the only time with the token: `Authorization: Token <token>`."""

    token = serializers.CharField()


class Tokens(serializers.Serializer[Any]):
    """All of a person's API tokens."""

    tokens = Token(many=True)


class Accepted(serializers.Serializer[Any]):
    """What happens next."""

    message = serializers.CharField()
