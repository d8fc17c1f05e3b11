"""The composition root: settings, the Celery app, doors, accounts. Nobody below looks up here."""

from contralock.celery import app as celery_app

__all__ = ["celery_app"]
