"""What people send, camelCase outside and snake_case inside."""
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


class Form(serializers.Serializer[Any]):
    """A body in which every member is known: a typing mistake is told, not overlooked."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := [name for name in data if name not in self.fields]):
            raise serializers.ValidationError(
                {name: ["There is no such field to be set here."] for name in unknown[:10]}
            )
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


class LoginForm(Form):
    """Address and password."""

    email = Text(max_length=254)
    password = Text(max_length=128, trim_whitespace=False)


class NewTokenForm(Form):
    """A new API token: by session, or with address and password."""

    name = Text(max_length=80, validators=[validators.validate_line], help_text="What the token is for.")
    expiresAt = serializers.DateTimeField(
        source="expires_at", default=None, help_text="At most 366 days ahead; 90 days when left out."
    )
    email = Text(max_length=254, required=False)
    password = Text(max_length=128, trim_whitespace=False, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Address and password come together or not at all."""
        if ("email" in attrs) != ("password" in attrs):
            raise serializers.ValidationError("Send email and password, or neither of them.")
        return attrs


class ResetForm(Form):
    """Whose password is to be set anew."""

    email = serializers.EmailField(max_length=254, validators=[validators.validate_plain_address])


class ResetConfirmForm(Form):
    """What the link in the mail carries, and the new password."""

    uid = Text(max_length=64)
    token = Text(max_length=128)
    newPassword = Text(source="password", max_length=128, trim_whitespace=False)


class PasswordChangeForm(Form):
    """The old password and the new one."""

    currentPassword = Text(source="current", max_length=128, trim_whitespace=False)
    newPassword = Text(source="password", max_length=128, trim_whitespace=False)


class LinkForm(Form):
    """What the link in the mail carries."""

    token = Text(max_length=500)


class EmailChangeForm(Form):
    """The new address, and the password as a proof of who asks."""

    email = serializers.EmailField(max_length=254, validators=[validators.validate_plain_address])
    password = Text(max_length=128, trim_whitespace=False)


def _line(longest: int, source: str | None = None) -> Text:
    """One line of text that may be left out, or empty."""
    return Text(
        source=source, max_length=longest, allow_blank=True, required=False, validators=[validators.validate_line]
    )


class ProfileForm(Form):
    """Any part of a profile; what is left out stays, an empty text empties."""

    firstName = Text(source="first_name", max_length=80, required=False, validators=[validators.validate_name])
    lastName = Text(source="last_name", max_length=80, required=False, validators=[validators.validate_name])
    language = serializers.ChoiceField(choices=Language.choices, required=False)
    timeZone = Text(source="time_zone", max_length=64, required=False, validators=[validators.validate_time_zone])
    country = Text(max_length=2, allow_blank=True, required=False, validators=[validators.validate_country])
    company = _line(120)
    addressLine1 = _line(120, "address_line1")
    addressLine2 = _line(120, "address_line2")
    postalCode = _line(16, "postal_code")
    city = _line(80)
    taxId = _line(32, "tax_id")
    vatId = _line(20, "vat_id")
