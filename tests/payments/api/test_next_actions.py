"""What a milestone says that may be done next is what the services let be done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from payments import outcomes, services
from payments.facts import RefundState
from payments.models import Operation
from tests.payments.api.callers import MISSING, Caller
from tests.payments.story import NOW, Escrow, escrow, finish_refund, fresh, refund_of, sent

pytestmark = pytest.mark.django_db


def awaiting(story: Escrow) -> None:
    story.deposit()


def releasing(story: Escrow) -> None:
    story.delivered()
    story.release()


def refunding(story: Escrow) -> None:
    story.funded()
    story.refund(4_000)


def partly_refunded(story: Escrow) -> None:
    story.funded()
    finish_refund(sent(story.refund(4_000)))


def refunded(story: Escrow) -> None:
    story.funded()
    finish_refund(sent(story.refund(10_000)))


def refund_failed(story: Escrow) -> None:
    refunded(story)
    refund = Operation.objects.get(kind="refund")
    outcomes.refund_seen(refund.pk, refund_of(refund, RefundState.FAILED, back="txn_back"), now=NOW)
    assert fresh(refund).status == "failed_returned"


def disputed(story: Escrow) -> None:
    story.delivered()
    services.open_dispute(story.milestone.pk, by=story.client, reason="It leaks.")


def unready(story: Escrow) -> None:
    story.delivered()
    type(story.account).objects.update(transfers_enabled=False, status="restricted")


SITUATIONS: dict[str, Callable[[Escrow], Any]] = {
    "draft": lambda story: None,
    "awaiting": awaiting,
    "funded": lambda story: story.funded(),
    "delivered": lambda story: story.delivered(),
    "releasing": releasing,
    "released": lambda story: story.released(),
    "refunding": refunding,
    "partly refunded": partly_refunded,
    "refunded": refunded,
    "refund failed": refund_failed,
    "disputed": disputed,
    "no payee": unready,
}
BODIES = {
    "refund": {"amount": 1_000, "reason": "not as agreed"},
    "dispute": {"reason": "It leaks."},
    "resolve": {"resolution": "dismiss", "reason": "It does not."},
}
DONE = {"pay": 202, "deliver": 200, "approve": 202, "refund": 202, "dispute": 201, "resolve": 200}
"""Done anew; what is only there already is answered with 200."""
EVERYTHING = {"deliver": "deliver", "approve": "approve", "refund": "refund", "dispute": "disputes"}


@pytest.mark.parametrize("who", ["client", "freelancer", "staff"])
@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_is_offered_is_accepted_and_what_is_not_does_nothing(
    situation: str, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("payments.funding_intent.of", lambda *_, **__: None)
    story = escrow()
    SITUATIONS[situation](story)
    person = Caller(getattr(story, who))
    offered = {one["action"]: one for one in person.look(f"milestones/{story.milestone.pk}")["next"]}

    for action, one in offered.items():
        body = BODIES.get(action, {"milestoneId": story.milestone.pk} if action == "pay" else MISSING)
        answer = _tried(person, one["href"].removeprefix("/api/"), body)
        assert answer.status_code == DONE[action], (action, answer.content)

    for action, path in EVERYTHING.items():
        if action not in offered:
            before = story.fresh().status, Operation.objects.count()
            at = f"milestones/{story.milestone.pk}/{path}"
            answer = person.send("POST", at, BODIES.get(action, MISSING))
            assert answer.status_code in (200, 403, 409), (action, answer.content)
            assert (story.fresh().status, Operation.objects.count()) == before, action


def _tried(person: Caller, path: str, body: Any) -> Any:
    """The answer; what it did is undone."""
    with transaction.atomic():
        answer = person.send("POST", path, body)
        transaction.set_rollback(True)
    return answer
