"""Django's entry to the notifications."""

from typing import Any

from celery.signals import worker_process_shutdown
from django.apps import AppConfig
from django.core import checks


class NotificationsConfig(AppConfig):
    name = "notifications"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # dispatch_uid: a second ready() (tests) must not say goodbye twice.
        worker_process_shutdown.connect(_say_goodbye, weak=False, dispatch_uid="notifications.smtp")
        from jobs import archivable, doctor
        from notifications import health, keeping, smtp, tracking

        doctor.register("mail", health.mail_server)
        archivable.register(keeping.ARCHIVABLE)
        checks.register(health.settings_fit)
        if smtp.service.chosen() and smtp.service.installed():
            from anymail.signals import tracking as told

            told.connect(tracking.on_event, weak=False, dispatch_uid="notifications.tracking")


def _say_goodbye(**_signal: Any) -> None:
    """A worker process that ends closes its connection to the mail server politely."""
    from notifications import smtp

    smtp.close()
