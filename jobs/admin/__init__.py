"""The engine in Django's admin: a thin interface over control, queues, schedules and selectors."""

from jobs.admin import jobs, queues, schedules, workers

__all__ = ["jobs", "queues", "schedules", "workers"]
