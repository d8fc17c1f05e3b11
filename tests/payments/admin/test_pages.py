"""Every page opens, for whom it may, and nothing is changed by looking."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from jobs.database import now
from jobs.ids import uuid7
from payments import outcomes, services
from payments.models import (
    Account,
    Dispute,
    Finding,
    Milestone,
    Operation,
    PayoutAccount,
    Project,
    Reconciliation,
    StripeEvent,
    Transfer,
)
from tests.payments.admin.pages import listing, page, staff, text
from tests.payments.story import deposit_of, escrow, objection

pytestmark = pytest.mark.django_db

MODELS = (
    Operation, Account, Transfer, StripeEvent, Dispute, Project, Milestone, PayoutAccount, Reconciliation, Finding,
)  # fmt: skip


def everything() -> None:
    """At least one row of each."""
    story = escrow().released()
    story.withdraw(9_000)
    other = escrow().funded()
    services.open_dispute(other.milestone.pk, by=other.client, reason="It leaks.")
    third = escrow().delivered()
    outcomes.dispute_seen(objection(deposit_of(third)), now=now())
    moment = now()
    run = Reconciliation.objects.create(started_at=moment, window_start=moment, window_end=moment, full=True)
    Finding.objects.create(
        reconciliation=run, bucket="stripe_only", about="txn_1", words="Somebody moved it.", found_at=moment,
        amount=-500, currency="usd", stripe_id="txn_1",
    )  # fmt: skip
    StripeEvent.objects.create(event_id="evt_1", type="payout.paid", object_id="po_1", livemode=False, body={"a": 1})


def test_every_list_and_page_opens_and_a_look_changes_nothing(boss: Client) -> None:
    everything()
    before = {model: list(model.objects.order_by("pk").values()) for model in MODELS}
    for model in MODELS:
        text(boss.get(listing(model.__name__.lower())))
        assert model.objects.exists(), model
        for row in model.objects.all():
            text(boss.get(page(row)))
    assert before == {model: list(model.objects.order_by("pk").values()) for model in MODELS}


def test_every_list_is_searched_and_survives_any_word(boss: Client) -> None:
    everything()
    terms = ("1", "x" * 3000, "'; drop table", "a@b", str(uuid7()), "9" * 30, "\x00")
    for model in MODELS:
        for term in terms:
            assert boss.get(listing(model.__name__.lower()), {"q": term}).status_code == 200, (model, term)


def test_the_index_names_everything_of_money_under_one_head(boss: Client) -> None:
    shown = text(boss.get("/admin/payments/"))
    for words in ("Operations", "Ledger accounts", "Ledger transfers", "Stripe events", "Disputes", "Findings"):
        assert words in shown


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_who_may_not_look_is_refused(model: Any) -> None:
    assert staff().get(listing(model.__name__.lower())).status_code == 403


def test_who_may_look_may_look_and_nobody_edits(boss: Client) -> None:
    everything()
    looker = staff("view_operation", "view_transfer", "view_account", "view_milestone", "view_finding")
    for model in (Operation, Transfer, Account, Milestone, Finding):
        row = model.objects.all()[0]
        name = model._meta.model_name
        assert looker.get(page(row)).status_code == 200
        for someone in (looker, boss):
            assert someone.post(page(row), {"amount": "1"}).status_code == 403
            assert someone.get(f"/admin/payments/{name}/add/").status_code == 403
            assert someone.post(f"/admin/payments/{name}/{row.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("key", ["12", "not-an-id", "01a20bf9-b03d-73b4-8fb5-501628c94120"])
@pytest.mark.parametrize("model", ["operation", "transfer", "dispute", "stripeevent"])
def test_a_broken_or_unknown_key_is_no_server_error(boss: Client, model: str, key: str) -> None:
    for what in ("change", "look", "give-back", "again", "release"):
        assert boss.get(f"/admin/payments/{model}/{key}/{what}/").status_code in (302, 404)
