"""Registration's JSON, camelCase outside and snake_case inside."""
# ruff: noqa: N815 - the names are the JSON's

from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers

from contralock.accounts import validators
from contralock.accounts.choices import Language, Role
from contralock.accounts.models import User

REGISTRABLE = [(role.value, role.label) for role in (Role.CLIENT, Role.FREELANCER)]


class Text(serializers.CharField):
    """A JSON string; DRF would take the number 7 for "7"."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class RegistrationSerializer(serializers.Serializer[Any]):
    """What a person sends to register."""

    email = serializers.EmailField(max_length=254, validators=[validators.validate_plain_address])
    password = Text(max_length=128, trim_whitespace=False, write_only=True)
    firstName = Text(source="first_name", max_length=80, validators=[validators.validate_name])
    lastName = Text(source="last_name", max_length=80, validators=[validators.validate_name])
    role = serializers.ChoiceField(choices=REGISTRABLE, default=Role.CLIENT.value)
    language = serializers.ChoiceField(choices=Language.choices, default=Language.ENGLISH.value)
    timeZone = Text(source="time_zone", max_length=64, default="UTC", validators=[validators.validate_time_zone])
    country = Text(max_length=2, default="", allow_blank=True, validators=[validators.validate_country])

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Judge the password with the person's own data at hand."""
        person = User(email=attrs["email"], first_name=attrs["first_name"], last_name=attrs["last_name"])
        try:
            validate_password(attrs["password"], user=person)
        except DjangoValidationError as error:
            raise serializers.ValidationError({"password": error.messages}) from None
        return attrs
