"""Django's entry to the notifications."""

from typing import Any

from celery.signals import worker_process_shutdown
from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # dispatch_uid: a second ready() (tests) must not say goodbye twice.
        worker_process_shutdown.connect(_say_goodbye, weak=False, dispatch_uid="notifications.smtp")


def _say_goodbye(**_signal: Any) -> None:
    """A worker process that ends closes its connection to the mail server politely."""
    from notifications import smtp

    smtp.close()
