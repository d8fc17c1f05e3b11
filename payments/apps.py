"""The app that moves money."""

from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate


class PaymentsConfig(AppConfig):
    """Escrow, ledger, operations."""

    name = "payments"

    def ready(self) -> None:
        from payments import schedule
        from payments.checks import settings_fit

        checks.register(settings_fit)
        post_migrate.connect(schedule.ensure, sender=self, dispatch_uid="payments.schedule")
