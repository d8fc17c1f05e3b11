"""The Celery app. `celery -A contralock worker|beat|flower` finds it here."""

import os

from jobs.app import JobsCelery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contralock.settings")

app = JobsCelery("contralock")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
