"""Which build of the code this process runs; workers and web compare it."""

from django.conf import settings

VERSION: str = getattr(settings, "VERSION", "") or "dev"
