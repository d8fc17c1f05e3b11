"""People at the admin, with the rights that a test gives them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from jobs.models import Job

JOBS = "admin:jobs_job_changelist"


def person(name: str = "ada", **fields: Any) -> Any:
    return get_user_model().objects.create(email=f"{name}@example.com", first_name=name, last_name="x", **fields)


def client(someone: Any = None) -> Client:
    found = Client()
    if someone:
        found.force_login(someone)
    return found


def superuser() -> Client:
    return client(person("boss", role="staff", is_staff=True, is_superuser=True))


def staff(*rights: str) -> Client:
    """Somebody with these rights, such as "view_job"."""
    someone = person(role="staff", is_staff=True)
    someone.user_permissions.add(*(Permission.objects.get(codename=right) for right in rights))
    return client(someone)


def said(answer: Any) -> list[str]:
    """The messages that an answer left for the person."""
    return [str(message) for message in get_messages(answer.wsgi_request)]


def job_page(job: Job, move: str = "change") -> str:
    return reverse(f"admin:jobs_job_{move}", args=[job.pk])


def act(someone: Client, action: str, *jobs: Job, query: str = "", **data: Any) -> Any:
    """Choose jobs in the list and run an action."""
    chosen = {"action": action, "index": "0", "select_across": "0", "_selected_action": [str(job.pk) for job in jobs]}
    return someone.post(reverse(JOBS) + query, chosen | data)
