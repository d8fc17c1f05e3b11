"""Making and finding users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.base_user import BaseUserManager
from django.db.models import Value
from django.db.models.functions import Lower

from contralock.accounts.choices import Role

if TYPE_CHECKING:
    from contralock.accounts.models import User


class UserManager(BaseUserManager["User"]):
    """Users are found by email, whatever the case it is typed in."""

    def create_user(
        self, *, email: str, password: str | None = None, first_name: str = "", last_name: str = "", **extra: Any
    ) -> User:
        """Insert a user; without a password nobody can log in. Raises IntegrityError when the email is taken."""
        if not email.strip():
            raise ValueError("A user needs an email address.")
        extra.setdefault("role", Role.STAFF if extra.get("is_staff") else Role.CLIENT)
        user = self.model(email=normalize(email), first_name=first_name, last_name=last_name, **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, *, email: str, password: str | None = None, first_name: str = "", last_name: str = "", **extra: Any
    ) -> User:
        """Insert a user who may do everything in the admin."""
        rights = {"is_staff": True, "is_superuser": True}
        return self.create_user(
            email=email, password=password, first_name=first_name, last_name=last_name, **extra | rights
        )

    def get_by_natural_key(self, username: str | None) -> User:
        """The user with this email (Django's login asks here). Raises User.DoesNotExist."""
        # Lower on both sides: the index is on LOWER(email), and PostgreSQL decides what lower case is.
        return self.alias(email_lower=Lower("email")).get(email_lower=Lower(Value(username or "")))


def normalize(email: str) -> str:
    """The address as it is stored: trimmed, its domain in lower case, its local part as typed."""
    return BaseUserManager.normalize_email(email.strip())
