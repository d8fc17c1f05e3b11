"""Who may see and do what: others' things are not there, and one's own side only is one's own."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from payments import services
from payments.api import urls
from payments.models import Operation
from tests.payments.api.callers import MISSING, Caller, problem
from tests.payments.story import Escrow, escrow, user

pytestmark = pytest.mark.django_db

REASON = {"reason": "It leaks."}
ON_A_MILESTONE = [
    ("GET", "milestones/{milestone}", MISSING),
    ("GET", "milestones/{milestone}/timeline", MISSING),
    ("POST", "milestones/{milestone}/deliver", MISSING),
    ("POST", "milestones/{milestone}/approve", MISSING),
    ("POST", "milestones/{milestone}/refund", {"amount": 100, **REASON}),
    ("POST", "milestones/{milestone}/disputes", REASON),
]


@pytest.mark.parametrize(("method", "path", "body"), ON_A_MILESTONE, ids=[path for _, path, _ in ON_A_MILESTONE])
@pytest.mark.parametrize("role", ["client", "freelancer"])
def test_somebody_elses_milestone_is_not_there(role: str, method: str, path: str, body: Any) -> None:
    story = escrow().delivered()
    before = story.fresh().status, Operation.objects.count()
    answer = Caller(user(role)).send(method, path.format(milestone=story.milestone.pk), body)
    problem(answer, 404, "no_such_milestone")
    nothing = Caller(user(role)).send(method, path.format(milestone=2**70), body)
    assert nothing.json()["detail"] == answer.json()["detail"], "as if it did not exist"
    assert (story.fresh().status, Operation.objects.count()) == before


def test_somebody_elses_project_dispute_and_payment_are_not_there_either() -> None:
    story = escrow().delivered()
    dispute, _ = services.open_dispute(story.milestone.pk, by=story.client, reason="It leaks.")
    stranger = Caller(user("client"))
    project = f"projects/{story.milestone.project_id}"
    problem(stranger.send("GET", project), 404, "no_such_project")
    problem(stranger.send("POST", f"{project}/milestones", {"title": "x", "amount": 100}), 404, "no_such_project")
    problem(stranger.send("POST", "payments/", {"milestoneId": story.milestone.pk}), 404, "no_such_milestone")
    decision = {"resolution": "release", **REASON}
    problem(stranger.send("POST", f"disputes/{dispute.pk}/resolve", decision), 404, "no_such_dispute")
    assert stranger.look("projects")["projects"] == []


@pytest.mark.parametrize(
    ("who", "path", "body", "code"),
    [
        ("client", "milestones/{milestone}/deliver", MISSING, "not_your_milestone"),
        ("staff", "milestones/{milestone}/deliver", MISSING, "not_your_milestone"),
        ("freelancer", "milestones/{milestone}/approve", MISSING, "not_your_milestone"),
        ("freelancer", "milestones/{milestone}/refund", {"amount": 100, **REASON}, "not_your_milestone"),
        ("client", "milestones/{milestone}/refund", {"amount": 100, **REASON}, "refund_needs_staff"),
        ("freelancer", "projects/{project}/milestones", {"title": "x", "amount": 100}, "not_your_project"),
        ("staff", "projects/{project}/milestones", {"title": "x", "amount": 100}, "not_your_project"),
        ("client", "disputes/{dispute}/resolve", {"resolution": "refund", **REASON}, "staff_only"),
        ("freelancer", "disputes/{dispute}/resolve", {"resolution": "release", **REASON}, "staff_only"),
        ("client", "payout-account", MISSING, "not_a_freelancer"),
    ],
)
def test_what_is_not_ones_part_is_forbidden(who: str, path: str, body: Any, code: str) -> None:
    story = escrow().delivered()
    dispute = _dispute_elsewhere(story)
    where = {"milestone": story.milestone.pk, "project": story.milestone.project_id, "dispute": dispute}
    problem(Caller(getattr(story, who)).send("POST", path.format(**where), body), 403, code)


def _dispute_elsewhere(story: Escrow) -> int:
    """An open dispute of the same people about another milestone."""
    other = services.add_milestone(project=story.milestone.project, by=story.client, title="Another", amount=5_000)
    second = Escrow(other, story.client, story.freelancer, story.staff, story.account).funded()
    dispute, _ = services.open_dispute(second.milestone.pk, by=story.client, reason="It leaks.")
    return dispute.pk


def test_a_freelancer_opens_no_project() -> None:
    body = {"freelancerId": user("freelancer").pk, "title": "A bridge", "currency": "usd"}
    problem(Caller(user("freelancer")).send("POST", "projects", body), 403, "not_a_client")


def test_staff_see_every_project() -> None:
    stories = [escrow(), escrow()]
    found = [row["id"] for row in Caller(user("staff")).look("projects")["projects"]]
    assert found == [story.milestone.project_id for story in reversed(stories)]
    assert Caller(stories[0].staff).look(f"milestones/{stories[1].milestone.pk}")["status"] == "draft"


def test_nobody_gets_in_without_logging_in() -> None:
    for route in urls.urlpatterns:
        path = "/api/" + str(route.pattern).replace("<int:", "").replace(">", "")
        for name in ("project_id", "milestone_id", "dispute_id"):
            path = path.replace(name, "1")
        assert {Client().get(path).status_code, Client().post(path).status_code} <= {401, 405}, path


def test_a_session_without_the_csrf_token_changes_nothing() -> None:
    story = escrow().delivered()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(story.client)
    answer = browser.post(f"/api/milestones/{story.milestone.pk}/approve")
    assert answer.status_code == 403
    assert story.free() == 10_000
