"""The API of the queues and of invoices against requests made from its own description: no answer is a 500, and
each is one that the description names."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from django.contrib.auth import get_user_model
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import booleans
from rest_framework.throttling import ScopedRateThrottle
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from contralock.accounts.models import ApiToken
from jobs.models import Job
from tests.jobs.rows import make

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "10"))  # of each call
ROOM = re.compile(r"^/api/(queues|jobs|invoices)")
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def token(live_server: Any) -> str:
    """Of somebody who may do everything."""
    boss = get_user_model().objects.create(email="boss@example.com", role="staff", is_staff=True, is_superuser=True)
    return str(ApiToken.objects.create(user=boss)[1])


def test_no_request_is_answered_with_an_error_of_ours(
    live_server: Any, token: str, monkeypatch: pytest.MonkeyPatch, figure: Callable[[str, object], None]
) -> None:
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", defaultdict(lambda: None))
    job = make("failed", args={"account": 7})
    api = schemathesis.openapi.from_url(f"{live_server.url}/api/schema")
    operations = [found for result in api.get_all_operations() if ROOM.match((found := _described(result)).path)]
    assert len(operations) >= 15
    asked: Counter[str] = Counter()
    for operation in operations:
        _attack(operation, {"Authorization": f"Token {token}"}, {"queue": job.queue, "job_id": str(job.id)}, asked)
    figure("fuzzed requests, by status", dict(sorted(asked.items())))
    assert Job.objects.exists()


def _described(result: Any) -> Any:
    return result.ok()


def _attack(operation: Any, headers: dict[str, str], there: dict[str, str], asked: Counter[str]) -> None:
    """About every other request names what is there: an invented path is only ever not found."""

    @given(case=operation.as_strategy(), real=booleans())
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def ask(case: Any, real: bool) -> None:
        if real:
            case.path_parameters.update({name: v for name, v in there.items() if name in case.path_parameters})
        answer = case.call(headers=headers)
        asked[str(answer.status_code)] += 1
        case.validate_response(answer, checks=CHECKS)

    ask()
