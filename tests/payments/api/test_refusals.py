"""Every refusal of a service is a problem with its code, its sentence and a status from the table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from payments import services
from payments.api.problems import BY_STATUS, STATUSES
from payments.money import Money
from tests.payments.api.callers import Caller, problem
from tests.payments.story import escrow, user

CODE = re.compile(r"""(?:Refused\(\s*|raise Refusal\(\d+, )f?"([a-z_{}]+)\"""")


def test_the_table_has_every_code_there_is_and_no_other() -> None:
    source = "".join(path.read_text() for path in Path("payments").rglob("*.py") if "sandbox" not in path.parts)
    raised = set(CODE.findall(source)) - {"{kind}_in_progress"} | {"release_in_progress", "refund_in_progress"}
    raised |= {"stripe_refused", "stripe_unavailable"}
    assert raised == set(STATUSES)
    assert len(STATUSES) == sum(map(len, BY_STATUS.values())), "each stands once"


@pytest.mark.django_db
def test_what_stands_in_the_way_is_a_409_that_says_what() -> None:
    story = escrow()
    client, freelancer, at = Caller(story.client), Caller(story.freelancer), f"milestones/{story.milestone.pk}"
    problem(client.send("POST", f"{at}/approve"), 409, "not_funded")
    problem(freelancer.send("POST", f"{at}/deliver"), 409, "not_funded")
    problem(freelancer.send("POST", "withdrawals", {"amount": 100, "currency": "usd"}), 409, "insufficient_funds")
    story.funded()
    problem(client.send("POST", "payments/", {"milestoneId": story.milestone.pk}), 409, "already_funded")
    services.open_dispute(story.milestone.pk, by=story.client, reason="It leaks.")
    problem(client.send("POST", f"{at}/approve"), 409, "milestone_disputed")


@pytest.mark.django_db
def test_too_much_to_withdraw_is_told_what_there_is() -> None:
    story = escrow().released()
    body = {"amount": 9_501, "currency": "usd"}
    members = problem(Caller(story.freelancer).send("POST", "withdrawals", body), 409, "insufficient_funds")
    assert "95.01 usd" in members["detail"]
    assert str(Money(9_500, "usd")) in members["detail"]


@pytest.mark.django_db
def test_somebody_without_an_account_cannot_withdraw() -> None:
    body = {"amount": 100, "currency": "usd"}
    problem(Caller(user("freelancer")).send("POST", "withdrawals", body), 409, "payout_account_missing")


@pytest.mark.django_db
def test_too_many_requests_are_refused_and_looking_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    from rest_framework.throttling import ScopedRateThrottle

    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"money": "2/hour", "onboarding": "1/hour"})
    story = escrow().funded()
    freelancer, at = Caller(story.freelancer), f"milestones/{story.milestone.pk}"
    for _ in range(4):
        freelancer.look(at)
    freelancer.ask(f"{at}/deliver")
    freelancer.ask(f"{at}/deliver")
    problem(freelancer.send("POST", f"{at}/deliver"), 429, "throttled")
