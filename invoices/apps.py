"""Django's entry to the invoices."""

from __future__ import annotations

from typing import Any

from celery.signals import worker_init
from django.apps import AppConfig
from django.core import checks


class InvoicesConfig(AppConfig):
    name = "invoices"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from invoices import health
        from invoices.checks import settings_fit
        from jobs import doctor

        checks.register(settings_fit)
        doctor.register("paper", health.paper)
        # Before the children are forked; dispatch_uid: a second ready() (tests) must not warm twice.
        worker_init.connect(_warm, weak=False, dispatch_uid="invoices.warm")


def _warm(sender: Any, **_signal: Any) -> None:
    """In a worker of the invoice queue, and in no other, have the renderer ready before the first invoice comes."""
    from invoices import warming

    warming.of_worker(sender)
