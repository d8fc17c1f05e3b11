"""What staff do about money in the admin, in a real browser, under the strict content security policy."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from jobs.database import now
from jobs.models import Job
from payments import operations, outcomes, services
from payments.models import Account, Dispute, Look, Operation, Transfer
from payments.models.inbox import EventState
from payments.states import Dispatch
from tests.browser.conftest import Visitor
from tests.payments.admin.test_event_pages import event
from tests.payments.admin.test_finding_pages import found
from tests.payments.story import Escrow, escrow, fresh, payment, usd

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("broker"),
    pytest.mark.timeout(180),
]


def left_to_a_person() -> tuple[Escrow, Operation]:
    """A release that was looked for twice and is not at Stripe."""
    story = escrow(125_000).delivered()
    release = story.release()
    assert operations.mark_sent(release, now=now() - timedelta(hours=2))
    operations.manual(release, error="It is not at Stripe.")
    Job.objects.filter(pk=str(release.job_id)).update(state="unknown")
    for minutes in (90, 10):
        Look.objects.create(operation=release, attempt=1, looked_at=now() - timedelta(minutes=minutes))
    return story, release


def test_a_hold_is_given_back_after_its_plan_was_read(boss: Visitor) -> None:
    story, release = left_to_a_person()
    page = boss.go("/admin/")
    page.get_by_role("link", name="Operations", exact=True).first.click()
    first = page.locator("#result_list tbody tr").first
    expect(first).to_contain_text("manual")
    first.get_by_role("link", name="Release of $1,250.00").click()
    page.get_by_role("button", name="Give the hold back …").click()
    expect(page.get_by_text(f"goes back into the escrow of milestone {story.milestone.pk}")).to_be_visible()
    assert fresh(release).dispatch == Dispatch.MANUAL
    page.get_by_role("button", name="Give the hold back").click()
    expect(page.get_by_text("Say why: others will ask.")).to_be_visible()
    page.get_by_label("Why?").fill("the freelancer's account was closed")
    page.get_by_role("button", name="Give the hold back").click()
    expect(page.locator(".messagelist")).to_contain_text("what it held was given back")
    expect(page.get_by_text("given_back: Given back by admin:boss@example.com")).to_be_visible()
    expect(page.get_by_role("button", name="Give the hold back …")).to_be_disabled()
    assert (fresh(release).dispatch, story.free()) == (Dispatch.REJECTED, 125_000)


def test_a_dispute_is_decided_after_its_plan_was_read(boss: Visitor) -> None:
    story = escrow().delivered()
    dispute, _ = services.open_dispute(story.milestone.pk, by=story.client, reason="It leaks.")
    page = boss.go("/admin/payments/dispute/")
    page.get_by_role("link", name="It leaks.").click()
    page.get_by_role("link", name="Refund the client …").click()
    expect(page.get_by_text("POST /v1/refunds of $100.00 to the client's card.")).to_be_visible()
    page.get_by_label("Why?").fill("it does leak")
    page.get_by_role("button", name="Refund the client").click()
    page.get_by_role("link", name="Refund of $100.00").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Refund of $100.00")
    assert Dispute.objects.get(pk=dispute.pk).resolution_reason == "it does leak"


LISTS = [
    "operation",
    "account",
    "transfer",
    "stripeevent",
    "dispute",
    "project",
    "milestone",
    "payoutaccount",
    "finding",
]


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_of_money_breaks_the_policy_or_is_wider_than_the_window(boss: Visitor, width: int) -> None:
    _, release = left_to_a_person()
    story = escrow().released()
    aside = escrow().deposit()
    outcomes.deposit_seen(aside.pk, payment(aside, received=usd(9_000)), livemode=False, now=now())
    dispute, _ = services.open_dispute(story.milestone.pk, by=story.client, reason="It leaks. " * 30)
    failed = event(1, EventState.FAILED, error="tr_1 moved something else. " * 5)
    finding = found("txn_1" + "x" * 60)
    row, account = Transfer.objects.all()[0], Account.objects.all()[0]
    boss.page.set_viewport_size({"width": width, "height": 900})
    pages = [f"operation/{release.pk}/{what}" for what in ("change", "look", "run", "anew", "give-back", "history")]
    pages += [f"operation/{aside.pk}/change", f"operation/{aside.pk}/refund", f"transfer/{row.pk}/change"]
    pages += [f"dispute/{dispute.pk}/{what}" for what in ("change", "release", "refund", "dismiss")]
    pages += [f"stripeevent/{failed.pk}/change", f"stripeevent/{failed.pk}/again", f"finding/{finding.pk}/change"]
    pages += [f"account/{account.pk}/change", f"milestone/{story.milestone.pk}/change"]
    pages += [f"payoutaccount/{story.account.pk}/change", "reconciliation", *LISTS]
    for path in pages:
        page = boss.go(f"/admin/payments/{path}/")
        assert boss.complaints == [], path
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0 or (path in LISTS and width == 390), f"{path} is {wide} px wider than the window"


def test_a_button_that_is_a_link_looks_like_a_button(boss: Visitor) -> None:
    story = escrow().delivered()
    dispute, _ = services.open_dispute(story.milestone.pk, by=story.client, reason="It leaks.")
    button = boss.go(f"/admin/payments/dispute/{dispute.pk}/change/").get_by_role("link", name="Dismiss …")
    expect(button).to_have_css("text-decoration-line", "none")
