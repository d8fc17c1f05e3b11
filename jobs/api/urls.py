"""Paths under /api/."""

from django.urls import path

from jobs.api import jobs, queues

urlpatterns = [
    path("jobs", jobs.JobsView.as_view(), name="jobs"),
    path("queues/status", queues.StatusView.as_view(), name="queues-status"),
    path("queues/<str:queue>", queues.OneQueueView.as_view(), name="queue"),
    path("queues/<str:queue>/pause", queues.PauseView.as_view(), name="queue-pause"),
    path("queues/<str:queue>/limits", queues.LimitsView.as_view(), name="queue-limits"),
    path("queues/<str:queue>/jobs/<str:job_id>", jobs.OneJobView.as_view(), name="queue-job"),
    path("queues/<str:queue>/jobs/<str:job_id>/retry", jobs.RetryView.as_view(), name="queue-job-retry"),
    path("queues/<str:queue>/jobs/<str:job_id>/promote", jobs.PromoteView.as_view(), name="queue-job-promote"),
    path("queues/<str:queue>/jobs/<str:job_id>/cancel", jobs.CancelView.as_view(), name="queue-job-cancel"),
]
