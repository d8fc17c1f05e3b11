"""Django's entry to the accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "contralock.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
