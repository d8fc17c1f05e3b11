"""Django's entry to the engine."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class JobsConfig(AppConfig):
    name = "jobs"
    verbose_name = "Background jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from jobs import archivable, checks, kinds, retention

        checks.register()
        archivable.register(retention.ARCHIVABLE)
        kinds.collect = checks.asked_for()
        # Every process knows every kind: a bad declaration stops the web server too, not a worker at 3 a.m.
        autodiscover_modules("tasks")
