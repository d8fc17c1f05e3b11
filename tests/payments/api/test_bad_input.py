"""What cannot be is refused with a sentence, and nothing is written."""

from __future__ import annotations

from typing import Any

import pytest

from payments.models import Milestone, Operation, Project
from tests.payments.api.callers import Caller, problem
from tests.payments.story import escrow, user

pytestmark = pytest.mark.django_db

NO_AMOUNTS = [
    12.5, 100.0, "100", "", True, False, None, -1, 0, 2**53 + 1, 2**63, 10**400, [100], {"minor": 100}, float("1e300"),
]  # fmt: skip


def invalid(answer: Any, *fields: str) -> dict[str, list[str]]:
    """A 400 that names these fields, each with a sentence."""
    errors: dict[str, list[str]] = problem(answer, 400, "invalid")["errors"]
    assert sorted(errors) == sorted(fields)
    assert all(text.endswith(".") for texts in errors.values() for text in texts), errors
    return errors


@pytest.mark.parametrize("amount", NO_AMOUNTS, ids=lambda value: repr(value)[:20])
def test_what_is_no_amount_is_refused_wherever_one_is_asked_for(amount: Any) -> None:
    story = escrow().funded()
    before = Operation.objects.count(), Milestone.objects.count()
    project, at = f"projects/{story.milestone.project_id}/milestones", f"milestones/{story.milestone.pk}/refund"
    client, freelancer = Caller(story.client), Caller(story.freelancer)
    invalid(client.send("POST", project, {"title": "x", "amount": amount}), "amount")
    invalid(client.send("POST", at, {"amount": amount, "reason": "x"}), "amount")
    invalid(client.send("POST", "payments/", {"milestoneId": story.milestone.pk, "amount": amount}), "amount")
    invalid(freelancer.send("POST", "withdrawals", {"amount": amount, "currency": "usd"}), "amount")
    assert (Operation.objects.count(), Milestone.objects.count()) == before


def test_a_fraction_is_told_what_an_amount_looks_like() -> None:
    answer = Caller(user("freelancer")).send("POST", "withdrawals", {"amount": 12.5, "currency": "usd"})
    assert invalid(answer, "amount")["amount"] == [
        "An amount is a whole number of minor units, such as 1250 for 12.50 usd: no text, no fraction."
    ]


@pytest.mark.parametrize("currency", ["USD", "xxx", "chf", "us", "", "usdx", 840, None, True, ["usd"], "u\0d"])
def test_what_is_no_currency_of_ours_is_refused(currency: Any) -> None:
    freelancer = Caller(user("freelancer"))
    answer = freelancer.send("POST", "withdrawals", {"amount": 100, "currency": currency})
    problem(answer, 400, "invalid")
    client = Caller(user("client"))
    assert freelancer.user
    body = {"freelancerId": freelancer.user.pk, "title": "A bridge", "currency": currency}
    assert client.send("POST", "projects", body).status_code in (400, 422)
    assert not Project.objects.exists()


@pytest.mark.parametrize(
    ("changes", "status", "code", "field"),
    [
        ({"title": ""}, 400, "invalid", "title"),
        ({"title": "   "}, 400, "invalid", "title"),
        ({"title": "x" * 201}, 400, "invalid", "title"),
        ({"title": 7}, 400, "invalid", "title"),
        ({"title": "a\0b"}, 400, "invalid", "title"),
        ({"title": "\ud800"}, 400, "invalid", "title"),
        ({"freelancerId": "7"}, 400, "invalid", "freelancerId"),
        ({"freelancerId": 7.0}, 400, "invalid", "freelancerId"),
        ({"freelancerId": True}, 400, "invalid", "freelancerId"),
        ({"freelancerId": 2**63}, 400, "invalid", "freelancerId"),
        ({"freelancerId": 2**62}, 422, "no_such_freelancer", None),
        ({"currency": "chf"}, 422, "invalid_currency", None),
        ({"titel": "x"}, 400, "invalid", "titel"),
    ],
    ids=repr,
)
def test_a_project_that_cannot_be_is_refused(
    changes: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    body = {"freelancerId": user("freelancer").pk, "title": "A bridge", "currency": "usd"} | changes
    members = problem(Caller(user("client")).send("POST", "projects", body), status, code)
    assert list(members.get("errors", {})) == ([field] if field else [])
    assert not Project.objects.exists()


@pytest.mark.parametrize("body", [[], "x", 7, None, [{"title": "x"}]], ids=repr)
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    story = escrow().delivered()
    client = Caller(story.client)
    for path in ("projects", "payments/", f"milestones/{story.milestone.pk}/approve"):
        assert client.send("POST", path, body).status_code == 400, path
    assert story.free() == 10_000


def test_a_body_that_is_no_json_is_refused() -> None:
    client = Caller(user("client"))
    answer = client.generic("POST", "/api/projects", b"{", content_type="application/json")
    assert answer.status_code == 400
    assert client.post("/api/projects", {"title": "x"}).status_code == 415


def test_what_a_deed_without_members_is_given_is_told() -> None:
    story = escrow().delivered()
    at = f"milestones/{story.milestone.pk}"
    invalid(Caller(story.client).send("POST", f"{at}/approve", {"amount": 1}), "amount")
    invalid(Caller(story.freelancer).send("POST", f"{at}/deliver", {"at": "noon"}), "at")
    invalid(Caller(story.freelancer).send("POST", "payout-account", {"country": "US"}), "country")
    assert story.free() == 10_000


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"amount": 9_999}, "amount_mismatch"),
        ({"amount": 10_000, "currency": "eur"}, "currency_mismatch"),
        ({"currency": "EUR"}, "currency_mismatch"),
    ],
)
def test_a_payment_of_something_else_than_was_agreed_is_refused(more: dict[str, Any], code: str) -> None:
    story = escrow()
    body = {"milestoneId": story.milestone.pk} | more
    members = problem(Caller(story.client).send("POST", "payments/", body), 422, code)
    assert "usd" in members["detail"]
    assert story.fresh().status == "draft"
    assert not Operation.objects.exists()


@pytest.mark.parametrize(("amount", "code"), [(49, "amount_too_small"), (10**8, "amount_too_large")])
def test_a_milestone_that_no_card_can_pay_is_refused(amount: int, code: str) -> None:
    story = escrow()
    path = f"projects/{story.milestone.project_id}/milestones"
    problem(Caller(story.client).send("POST", path, {"title": "x", "amount": amount}), 422, code)


@pytest.mark.parametrize("reason", ["", "  ", None, 7, "x" * 2001, "a\0b"], ids=lambda value: repr(value)[:12])
def test_a_dispute_or_refund_needs_a_reason(reason: Any) -> None:
    story = escrow().funded()
    at = f"milestones/{story.milestone.pk}"
    invalid(Caller(story.client).send("POST", f"{at}/disputes", {"reason": reason}), "reason")
    invalid(Caller(story.client).send("POST", f"{at}/refund", {"reason": reason}), "reason")
    assert story.fresh().status == "funded"


@pytest.mark.parametrize("before", ["x", "-1", "1.5", "", "²", "9" * 30])
def test_a_page_that_cannot_be_is_refused(before: str) -> None:
    invalid(Caller(user("client")).send("GET", f"projects?before={before}"), "before")
