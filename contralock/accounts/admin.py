"""Users in the admin, with the email where Django's own form has a username."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm

from contralock.accounts.models import User

if TYPE_CHECKING:  # generic in django-stubs only
    AddForm = AdminUserCreationForm[User]
    BaseAdmin = DjangoUserAdmin[User]
else:
    AddForm, BaseAdmin = AdminUserCreationForm, DjangoUserAdmin

PERSON = ("first_name", "last_name", "role", "language", "time_zone", "country")
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
        ("Rights", {"fields": RIGHTS}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
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
    readonly_fields = ("last_login", "date_joined")
    list_display = ("email", "first_name", "last_name", "role", "is_active", "is_staff", "date_joined")
    list_filter = ("role", "is_active", "is_staff", "language")
    search_fields = ("email", "first_name", "last_name")
    ordering = ("email",)
    date_hierarchy = "date_joined"
