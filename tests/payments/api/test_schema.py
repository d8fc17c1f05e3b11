"""The description of this API."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client

from payments.api.urls import urlpatterns

pytestmark = pytest.mark.django_db


@pytest.fixture
def schema() -> dict[str, Any]:
    answer = Client().get("/api/schema", headers={"Accept": "application/vnd.oai.openapi+json"})
    described: dict[str, Any] = json.loads(answer.content)
    return described


def test_every_path_is_described_and_every_post_takes_a_key(schema: dict[str, Any]) -> None:
    described = {re.sub(r"{.*?}", "*", path): methods for path, methods in schema["paths"].items()}
    for route in urlpatterns:
        methods = described["/api/" + re.sub(r"<.*?>", "*", str(route.pattern))]
        if "post" in methods:
            names = [parameter["name"] for parameter in methods["post"]["parameters"]]
            assert "Idempotency-Key" in names, route
            assert {"400", "401", "403", "409", "422", "429"} <= set(methods["post"]["responses"]), route
        if "get" in methods:
            assert not {"409", "422", "429"} & set(methods["get"]["responses"]), route


def test_amounts_are_described_as_whole_numbers_within_limits(schema: dict[str, Any]) -> None:
    amount = schema["components"]["schemas"]["WithdrawalFormRequest"]["properties"]["amount"]
    assert (amount["type"], amount["minimum"], amount["maximum"]) == ("integer", 1, 2**53)


def test_every_answer_is_described_as_it_is(schema: dict[str, Any]) -> None:
    from tests.payments.api.callers import Caller
    from tests.payments.story import escrow

    story = escrow().delivered()
    shown = Caller(story.client).look(f"milestones/{story.milestone.pk}")
    described = schema["components"]["schemas"]["MilestoneAnswer"]
    assert set(shown) == set(described["properties"]) == set(described["required"])
    assert set(shown["next"][0]) == set(schema["components"]["schemas"]["NextAction"]["properties"])
