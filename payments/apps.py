"""The app that moves money."""

from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate


class PaymentsConfig(AppConfig):
    """Escrow, ledger, operations."""

    name = "payments"

    def ready(self) -> None:
        from jobs import archivable, effects
        from notifications import wanted
        from payments import inbox, reminders, schedule
        from payments.checks import settings_fit
        from payments.effects import of_job

        checks.register(settings_fit)
        archivable.register(inbox.ARCHIVABLE)
        effects.register("payments", of_job)
        wanted.register("reminder", reminders.refusal)
        post_migrate.connect(schedule.ensure, sender=self, dispatch_uid="payments.schedule")
