"""People, their browsers and scripts, and the mails that they got."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from celery.exceptions import Retry
from django.db import connection
from django.test import Client

from contralock.accounts.models import User
from jobs.execution import JobFailed, run_job
from jobs.kinds import kind_of
from jobs.models import Job
from notifications import compose, sealed
from notifications.models import Message

PASSWORD = "Analytical-1843"
OTHER_PASSWORD = "Difference-1822"
API = "/api/auth/"


def person(email: str = "ada@example.com", **columns: Any) -> User:
    """An account."""
    return User.objects.create_user(
        **{"email": email, "password": PASSWORD, "first_name": "Ada", "last_name": "Lovelace"} | columns
    )


class Browser(Client):
    """A browser that keeps cookies and sends the CSRF token as a page of ours would; CSRF is enforced."""

    def __init__(self, **defaults: Any) -> None:
        super().__init__(enforce_csrf_checks=True, raise_request_exception=False, **defaults)

    def send(self, method: str, path: str, body: Any = None, **extra: Any) -> Any:
        """A request to /api/auth/<path>."""
        csrf = self.cookies.get("csrftoken")
        headers = {"X-CSRFToken": csrf.value} if csrf else {}
        return self.generic(
            method,
            API + path,
            b"" if body is None else compact(body),
            content_type="application/json",
            headers=headers | extra.pop("headers", {}),
            **extra,
        )

    def log_in(self, email: str = "ada@example.com", password: str = PASSWORD) -> Any:
        """POST login."""
        return self.send("POST", "login", {"email": email, "password": password})

    def email(self) -> str | None:
        """Whose session this is."""
        user = self.send("GET", "session").json()["user"]
        return user and str(user["email"])


def logged_in(user: User) -> Browser:
    """A browser with a session of this person, by the front door."""
    browser = Browser()
    assert browser.log_in(user.email).status_code == 200
    return browser


class Script(Client):
    """A program with an API token."""

    def __init__(self, token: str) -> None:
        super().__init__(enforce_csrf_checks=True, raise_request_exception=False)
        self.token = token

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """A request to /api/auth/<path>."""
        data = b"" if body is None else compact(body)
        headers = {"Authorization": f"Token {self.token}"}
        return self.generic(method, API + path, data, content_type="application/json", headers=headers)


def compact(body: Any) -> bytes:
    """As JSON."""
    return json.dumps(body).encode()


def assert_problem(answer: Any, status: int, *fields: str) -> None:
    """The answer is a problem that names exactly these fields."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    members = answer.json()
    assert (members["type"], members["status"]) == ("about:blank", status)
    assert sorted(members.get("errors", {})) == sorted(fields)


def work(kind: str) -> list[str]:
    """Run the waiting jobs of one kind of accounts/tasks.py, as a worker would; their states afterwards."""
    jobs = list(Job.objects.filter(kind=kind, state="waiting"))
    for job in jobs:
        with suppress(Retry, JobFailed):
            run_job(kind_of(kind), job.pk)
    return [Job.objects.get(pk=job.pk).state for job in jobs]


def mails(template: str) -> list[Message]:
    """Messages of this template, oldest first."""
    return list(Message.objects.filter(template=template).order_by("created_at"))


def text_of(message: Message) -> str:
    """The text part as its recipient reads it."""
    context = message.context | sealed.unseal(message.sealed)
    return compose.render(template=message.template, language=message.language, context=context).text


def link_in(message: Message) -> str:
    """The link that the mail is about."""
    found = re.search(r"https?://\S+\?\S+", unescape(text_of(message)))
    assert found, text_of(message)
    return found[0]


def query_of(link: str) -> dict[str, str]:
    """What the link carries."""
    return {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}


def asked_reset(email: str = "ada@example.com") -> dict[str, str]:
    """Ask for a reset and return uid and token from the newest mail."""
    answer = Browser().send("POST", "password/reset", {"email": email})
    assert answer.status_code == 202
    work("accounts.mail_password_reset")
    return query_of(link_in(mails("password_reset")[-1]))


def at_once[T](*calls: Callable[[], T]) -> list[T]:
    """Make these calls at the same moment, each in a thread with a connection of its own; what they returned."""
    barrier = threading.Barrier(len(calls))

    def make(call: Callable[[], T]) -> T:
        barrier.wait(10)
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(make, calls))
