"""Registering from outside."""

from __future__ import annotations

from typing import Any

from django.test import Client

URL = "/api/auth/register"
ADA: dict[str, Any] = {
    "email": "ada@example.com",
    "password": "Analytical-1843",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "role": "freelancer",
}


def register(**changes: Any) -> Any:
    """The answer to a registration; a change to None leaves the member out."""
    body = {name: value for name, value in (ADA | changes).items() if value is not None}
    return Client(raise_request_exception=False).post(URL, body, content_type="application/json")


def assert_problem(answer: Any, status: int, *fields: str) -> None:
    """The answer is a problem that names exactly these fields."""
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    members = answer.json()
    assert (members["type"], members["status"], members["instance"]) == ("about:blank", status, URL)
    assert members["title"]
    assert members["detail"]
    assert sorted(members.get("errors", {})) == sorted(fields)
    assert all(isinstance(text, str) for texts in members.get("errors", {}).values() for text in texts)
