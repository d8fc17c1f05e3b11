"""The OpenAPI description, and the page that shows it."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from rest_framework.throttling import ScopedRateThrottle

from contralock.accounts.urls import urlpatterns


@pytest.fixture
def schema(db: None) -> dict[str, Any]:
    """As /api/schema answers it."""
    answer = Client().get("/api/schema", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert answer.status_code == 200
    described: dict[str, Any] = json.loads(answer.content)
    return described


def test_the_description_is_valid_and_without_a_warning() -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=io.StringIO())


def test_it_is_openapi_3_1_and_describes_every_endpoint(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    described = {re.sub(r"{.*}", "*", path) for path in schema["paths"]}
    ours = {"/api/auth/" + re.sub(r"<.*>", "*", str(route.pattern)) for route in urlpatterns}
    assert ours <= described


@pytest.mark.parametrize(
    ("path", "method", "statuses"),
    [
        ("register", "post", ["201", "400", "406", "415", "429"]),
        ("login", "post", ["200", "400", "401", "403", "406", "415", "429"]),
        ("session", "get", ["200", "401", "406"]),
        ("profile", "patch", ["200", "400", "401", "403", "406", "415"]),
        ("tokens", "post", ["201", "400", "401", "403", "406", "415", "429"]),
        ("tokens/{token_id}", "delete", ["204", "401", "403", "404", "406", "429"]),
    ],
)
def test_errors_are_described_as_problems(schema: dict[str, Any], path: str, method: str, statuses: list[str]) -> None:
    responses = schema["paths"][f"/api/auth/{path}"][method]["responses"]
    assert sorted(responses) == statuses
    for status in statuses:
        if status >= "400":
            content = responses[status]["content"]["application/problem+json"]
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}


def test_every_operation_has_a_summary_and_both_ways_to_log_in_are_described(schema: dict[str, Any]) -> None:
    for path in schema["paths"].values():
        for operation in path.values():
            assert operation["summary"]
            assert operation["tags"]
    assert sorted(schema["components"]["securitySchemes"]) == ["apiToken", "cookieAuth"]


def test_no_answer_describes_a_password(schema: dict[str, Any]) -> None:
    answers = {name for name in schema["components"]["schemas"] if not name.endswith("Request")}
    for name in answers:
        members = schema["components"]["schemas"][name].get("properties", {})
        assert not [member for member in members if "password" in member.lower()], name


@pytest.mark.django_db
def test_making_the_description_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"schema": "1/hour"})
    assert [Client(REMOTE_ADDR="10.4.4.4").get("/api/schema").status_code for _ in range(2)] == [200, 429]


@pytest.mark.django_db
def test_the_page_loads_nothing_from_elsewhere() -> None:
    client = Client()
    page = client.get("/api/docs").content.decode()
    script = client.get("/api/docs?script=").content.decode()
    assert "swagger-ui-bundle.js" in page
    for url in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert url.startswith("/"), url
    assert "https://" not in script
    assert "/api/schema" in script
