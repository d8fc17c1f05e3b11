"""Users in the admin, with the email where Django's own form has a username."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import QuerySet
from django.http import HttpRequest

from contralock.accounts import lockout
from contralock.accounts.models import ApiToken, User

if TYPE_CHECKING:  # generic in django-stubs only
    AddForm = AdminUserCreationForm[User]
    BaseAdmin = DjangoUserAdmin[User]
    TokenAdmin = admin.ModelAdmin[ApiToken]
else:
    AddForm, BaseAdmin, TokenAdmin = AdminUserCreationForm, DjangoUserAdmin, admin.ModelAdmin

PERSON = ("first_name", "last_name", "role", "language", "time_zone", "country")
BUSINESS = ("company", "address_line1", "address_line2", "postal_code", "city", "tax_id", "vat_id")
RIGHTS = ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")


class UserAddForm(AddForm):
    """A new user; the password is typed twice or left unset."""

    class Meta:
        model = User
        fields = ("email", "first_name", "last_name", "role", "is_staff")


@admin.register(User)
class UserAdmin(BaseAdmin):
    """Only here a person becomes staff. Admin access without that role is refused by the database."""

    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": PERSON}),
        ("Business", {"fields": BUSINESS}),
        ("Rights", {"fields": RIGHTS}),
        ("Dates", {"fields": ("last_login", "date_joined", "email_verified_at", "pending_email")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": (*UserAddForm.Meta.fields, "usable_password", "password1", "password2"),
            },
        ),
    )
    add_form = UserAddForm
    readonly_fields = ("last_login", "date_joined", "email_verified_at", "pending_email")
    actions = ("unlock",)
    list_display = ("email", "first_name", "last_name", "role", "is_active", "is_staff", "date_joined")
    list_filter = ("role", "is_active", "is_staff", "language")
    search_fields = ("email", "first_name", "last_name")
    ordering = ("email",)
    date_hierarchy = "date_joined"

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """An address that staff have typed is not confirmed by its owner."""
        if change and "email" in form.changed_data:
            obj.email_verified_at, obj.pending_email = None, ""
        super().save_model(request, obj, form, change)

    @admin.action(description="Lift the lock-out after failed logins", permissions=["change"])
    def unlock(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Forget the failures of these accounts, from all addresses."""
        count = sum(lockout.lift(email=user.email) for user in users)
        self.message_user(request, f"Records of failed logins deleted: {count}.")


@admin.register(ApiToken)
class ApiTokenAdmin(TokenAdmin):
    """Who has API tokens. They are made by their owners only, and revoked here by deleting."""

    list_display = ("name", "user", "token_key", "created", "expiry")
    list_select_related = ("user",)
    search_fields = ("name", "user__email", "token_key")
    fields = ("name", "user", "token_key", "created", "expiry")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody makes a token for somebody else."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A token is as it was made."""
        return False
