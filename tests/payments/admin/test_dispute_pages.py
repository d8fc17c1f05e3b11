"""Disputes: open ones first, decided with a reason, after the page said what that does."""

from __future__ import annotations

from types import ModuleType

import pytest
from django.test import Client

from jobs.database import now
from payments import outcomes, services
from payments.models import Dispute, Operation
from payments.states import Dispatch, DisputeStatus, MilestoneStatus, Resolution
from tests.payments.admin.pages import do, keys, page, said, staff, steps, text
from tests.payments.story import Escrow, deposit_of, escrow, fresh, objection

pytestmark = pytest.mark.django_db


def disputed(story: Escrow) -> Dispute:
    return services.open_dispute(story.milestone.pk, by=story.client, reason="It leaks.")[0]


def test_open_disputes_come_first(boss: Client) -> None:
    first, second = disputed(escrow().delivered()), disputed(escrow().delivered())
    services.resolve_dispute(second.pk, by=escrow().staff, resolution=Resolution.DISMISS, reason="It does not.")
    assert keys(boss, "dispute") == [first.pk, second.pk]
    assert keys(boss, "dispute", status="resolved") == [second.pk]
    assert keys(boss, "dispute", q=str(first.milestone_id)) == [first.pk]


@pytest.mark.parametrize(
    ("resolution", "kind", "line"),
    [
        ("release", "release", "will be sent: POST /v1/transfers of $100.00, less the platform's fee, to acct_"),
        ("refund", "refund", "will be sent: POST /v1/refunds of $100.00 to the client's card."),
    ],
)
def test_a_decision_says_what_is_sent_and_asks_for_it(boss: Client, resolution: str, kind: str, line: str) -> None:
    story = escrow().delivered()
    dispute = disputed(story)
    assert steps(boss.get(page(dispute, resolution)))[0].startswith(line)
    dispute.refresh_from_db()
    assert dispute.status == DisputeStatus.OPEN
    assert f"Decided as {resolution}" in said(do(boss, dispute, resolution, "We looked at it."))[0]
    dispute.refresh_from_db()
    assert (dispute.status, dispute.resolution, dispute.resolution_reason) == (
        DisputeStatus.RESOLVED, resolution, "We looked at it.",
    )  # fmt: skip
    assert dispute.resolved_by is not None
    assert dispute.resolved_by.email == "boss@example.com"
    operation = Operation.objects.get(milestone=story.milestone, kind=kind)
    assert (operation.amount, operation.dispatch, story.free()) == (10_000, Dispatch.READY, 0)
    assert "Not now: It is resolved already." in text(boss.get(page(dispute, "dismiss")))


def test_a_dismissal_lets_go_on_what_it_had_stopped(boss: Client) -> None:
    story = escrow().delivered()
    release, dispute = story.release(), disputed(story)
    assert fresh(release).dispatch == Dispatch.PARKED
    plan = steps(boss.get(page(dispute, "dismiss")))
    assert plan[0].startswith("will be sent: POST /v1/transfers $95.00")
    assert plan[0].endswith("it was waiting for the dispute to end.")
    do(boss, dispute, "dismiss", "Nothing leaks.")
    assert (fresh(release).dispatch, story.fresh().status) == (Dispatch.READY, MilestoneStatus.DELIVERED)


def test_a_refund_gives_up_the_release_that_waited(boss: Client) -> None:
    story = escrow().delivered()
    release, dispute = story.release(), disputed(story)
    plan = steps(boss.get(page(dispute, "refund")))
    assert plan[0].startswith("will not be sent any more: POST /v1/transfers $95.00")
    assert plan[0].endswith("given up; its hold is given back.")
    assert plan[1] == "will be sent: POST /v1/refunds of $100.00 to the client's card."
    do(boss, dispute, "refund", "It leaks indeed.")
    assert fresh(release).dispatch == Dispatch.REJECTED
    assert Operation.objects.get(kind="refund").amount == 10_000


def test_a_refund_after_the_release_first_takes_it_back(boss: Client) -> None:
    story = escrow().released()
    dispute = disputed(story)
    plan = steps(boss.get(page(dispute, "refund")))
    release = story.milestone.operations.get(kind="release")
    assert plan[0].startswith(f"will be sent: POST /v1/transfers/{release.stripe_id}/reversals")
    assert plan[1].startswith("will be sent: POST /v1/refunds of $100.00")
    do(boss, dispute, "refund", "It leaks indeed.")
    assert Operation.objects.filter(kind__in=["refund", "reversal"]).count() == 2


def test_a_decision_that_cannot_be_carried_out_is_refused_in_words(boss: Client) -> None:
    story = escrow().delivered()
    dispute = disputed(story)
    story.account.delete()
    assert "to no account" in steps(boss.get(page(dispute, "release")))[0]
    assert said(do(boss, dispute, "release", "Pay.")) == [
        "The freelancer has not connected an account yet; the money stays held until then."
    ]
    dispute.refresh_from_db()
    assert dispute.status == DisputeStatus.OPEN


def test_a_banks_dispute_is_not_ours_to_decide(boss: Client) -> None:
    story = escrow().delivered()
    outcomes.dispute_seen(objection(deposit_of(story)), now=now())
    dispute = Dispute.objects.get()
    assert "Answer it at Stripe." in text(boss.get(page(dispute)))
    assert "Answer it at Stripe." in text(boss.post(page(dispute, "refund"), {"reason": "now"}), status=409)


def test_without_the_permission_or_a_reason_nothing_is_decided(boss: Client, inline: ModuleType) -> None:
    dispute = disputed(escrow().delivered())
    looker = staff("view_dispute")
    assert "You lack the permission" in text(looker.get(page(dispute)))
    assert looker.post(page(dispute, "refund"), {"reason": "now"}).status_code == 403
    assert "both parties will ask" in text(do(boss, dispute, "refund", " "))
    dispute.refresh_from_db()
    assert dispute.status == DisputeStatus.OPEN
