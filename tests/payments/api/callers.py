"""People who use the API over HTTP."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from contralock.accounts.models import User

MISSING = object()


class Caller(Client):
    """A logged-in person (nobody: a stranger to the house)."""

    def __init__(self, user: User | None = None) -> None:
        super().__init__(raise_request_exception=False)
        self.user = user
        if user is not None:
            self.force_login(user)

    def send(self, method: str, path: str, body: Any = MISSING, *, key: str | None = None) -> Any:
        """A request to /api/<path>; without a body it has none."""
        data = b"" if body is MISSING else json.dumps(body).encode()
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.generic(method, f"/api/{path}", data, content_type="application/json", headers=headers)

    def look(self, path: str) -> Any:
        """What a GET answers; it has to be a 200."""
        answer = self.send("GET", path)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def ask(self, path: str, body: Any = MISSING, *, key: str | None = None) -> Any:
        """What a POST answers; it has to be a success."""
        answer = self.send("POST", path, body, key=key)
        assert answer.status_code in (200, 201, 202), answer.content
        return answer.json()


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The answer is this problem, with a sentence."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    members: dict[str, Any] = answer.json()
    assert (members["status"], members["code"]) == (status, code), members
    assert members["detail"].endswith((".", "?")), members
    return members
