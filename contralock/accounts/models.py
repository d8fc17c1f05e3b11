"""The user: columns and constraints."""

from __future__ import annotations

import uuid

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from knox.models import AbstractAuthToken

from contralock.accounts import validators, vat
from contralock.accounts.choices import Language, Role
from contralock.accounts.managers import UserManager, normalize


class User(AbstractBaseUser, PermissionsMixin):  # type: ignore[django-manager-missing] # knox has no types
    """A person who logs in with an email address."""

    email = models.EmailField(unique=True, validators=[validators.validate_plain_address])
    first_name = models.CharField(max_length=80, validators=[validators.validate_name])
    last_name = models.CharField(max_length=80, validators=[validators.validate_name])
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.CLIENT)
    language = models.CharField(max_length=2, choices=Language.choices, default=Language.ENGLISH)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validators.validate_time_zone])
    country = models.CharField(
        max_length=2, blank=True, validators=[validators.validate_country], help_text="ISO 3166 alpha-2, such as DE."
    )
    company = models.CharField(max_length=120, blank=True, validators=[validators.validate_line])
    address_line1 = models.CharField(max_length=120, blank=True, validators=[validators.validate_line])
    address_line2 = models.CharField(max_length=120, blank=True, validators=[validators.validate_line])
    postal_code = models.CharField(max_length=16, blank=True, validators=[validators.validate_line])
    city = models.CharField(max_length=80, blank=True, validators=[validators.validate_line])
    tax_id = models.CharField(
        max_length=32, blank=True, validators=[validators.validate_line], help_text="Number at the tax office."
    )
    vat_id = models.CharField("VAT id", max_length=20, blank=True, validators=[validators.validate_line])
    email_verified_at = models.DateTimeField(
        null=True, blank=True, help_text="When this address was confirmed by a link sent to it; empty: never."
    )
    pending_email = models.EmailField(blank=True, help_text="Asked for as the new address, not confirmed yet.")
    is_active = models.BooleanField(default=True, help_text="Off: cannot log in. Better than deleting the account.")
    is_staff = models.BooleanField("admin access", default=False, help_text="May enter the admin; role staff only.")
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["first_name", "last_name"]

    objects = UserManager()

    class Meta:
        constraints = [
            # Beside the plain unique index, which Django's login check asks for (auth.E003).
            models.UniqueConstraint(
                Lower("email"), name="user_email_ci", violation_error_message="This email address is taken."
            ),
            models.CheckConstraint(name="user_role", condition=Q(role__in=Role.values)),
            models.CheckConstraint(name="user_language", condition=Q(language__in=Language.values)),
            models.CheckConstraint(
                name="user_admin_is_staff",
                condition=Q(is_staff=False) | Q(role=Role.STAFF),
                violation_error_message="Admin access is for the role staff only.",
            ),
            models.CheckConstraint(
                name="user_superuser_has_admin",
                condition=Q(is_superuser=False) | Q(is_staff=True),
                violation_error_message="A superuser needs admin access.",
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        """Store address and VAT id the way the API does. Raises ValidationError for an id that is not the country's."""
        self.email = normalize(self.email)
        self.vat_id = vat.normalize(self.vat_id)
        vat.validate(vat_id=self.vat_id, country=self.country)

    def get_full_name(self) -> str:
        """First and last name; the email where both are missing."""
        return f"{self.first_name} {self.last_name}".strip() or self.email

    def get_short_name(self) -> str:
        """What a mail greets the person with."""
        return self.first_name or self.email


class ApiToken(AbstractAuthToken):
    """What a script logs in with. Only its hash is stored; the token itself is shown once, when it is made."""

    id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False, help_text="What its owner names it by.")
    name = models.CharField(max_length=80, validators=[validators.validate_line], help_text="What it is for.")

    class Meta:
        ordering = ("-created",)
        constraints = [
            models.CheckConstraint(name="api_token_expires", condition=Q(expiry__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name
