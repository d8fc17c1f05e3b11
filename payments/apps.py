"""The app that moves money."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """Escrow, ledger, operations."""

    name = "payments"
