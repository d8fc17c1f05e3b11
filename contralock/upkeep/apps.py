"""Django's entry to the upkeep."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class UpkeepConfig(AppConfig):
    """Sessions and archive."""

    name = "contralock.upkeep"
    label = "upkeep"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from contralock.upkeep import schedule

        post_migrate.connect(schedule.ensure, sender=self, dispatch_uid="upkeep.schedule")
