"""The whole way of a project's money over HTTP, with the local Stripe."""

from __future__ import annotations

from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from jobs.database import now
from tests.payments.api.callers import Caller
from tests.payments.sandbox.cast import Cast
from tests.payments.story import user

pytestmark = pytest.mark.django_db


def actions(milestone: dict[str, Any]) -> list[str]:
    return [one["action"] for one in milestone["next"]]


def test_from_a_project_to_the_freelancers_bank(stripe: Cast, jobs_inline: ModuleType) -> None:
    def work() -> None:
        jobs_inline.drain(until=now() + timedelta(hours=2), failures=True)

    client, freelancer = Caller(user("client")), Caller(user("freelancer"))
    assert freelancer.user
    freelancer.user.country = "US"
    freelancer.user.save()

    # The freelancer connects an account, and tells Stripe who they are.
    account = freelancer.ask("payout-account")
    assert account["status"] == "pending"
    assert account["onboardingUrl"].startswith(stripe.url)
    stripe.control.account(account["stripeAccount"], "onboarded")

    # A project with one milestone.
    project = client.ask("projects", {"freelancerId": freelancer.user.pk, "title": "A bridge", "currency": "usd"})
    milestone = client.ask(f"projects/{project['id']}/milestones", {"title": "Its plan", "amount": 125_000})
    assert (milestone["status"], milestone["amountText"], actions(milestone)) == ("draft", "$1,250.00", ["pay"])
    at = f"milestones/{milestone['id']}"

    # The client pays in the browser.
    payment = client.ask("payments/", {"milestoneId": milestone["id"], "amount": 125_000, "currency": "usd"})
    assert payment["clientSecret"].startswith(payment["paymentIntentId"])
    stripe.api.payment_intents.confirm(payment["paymentIntentId"], {"payment_method": "pm_card_visa"})
    work()
    assert client.look(at)["status"] == "funded"
    assert client.look("balances")["balances"][0]["heldText"] == "$1,250.00"

    # The freelancer delivers, the client approves.
    assert actions(freelancer.look(at)) == ["deliver", "dispute"]
    assert freelancer.ask(f"{at}/deliver")["status"] == "delivered"
    from payments import onboarding

    onboarding.look(account["stripeAccount"], now=now())  # an event does it
    assert freelancer.look("payout-account")["status"] == "active"
    assert "approve" in actions(client.look(at))
    release = client.ask(f"{at}/approve")
    assert (release["kind"], release["amountText"]) == ("release", "$1,250.00")
    work()
    assert client.look(at)["status"] == "released"

    # And takes it to the bank.
    [mine] = freelancer.look("balances")["balances"]
    assert (mine["held"], mine["withdrawable"], mine["withdrawableText"]) == (0, 118_750, "$1,187.50")
    stripe.control.settle(account["stripeAccount"])
    withdrawal = freelancer.ask("withdrawals", {"amount": 118_750, "currency": "usd"})
    work()
    assert stripe.control.effects().count(withdrawal["operationId"]) == 1
    assert freelancer.look("withdrawals")["withdrawals"][0]["operationId"] == withdrawal["operationId"]
    assert freelancer.look("balances")["balances"][0]["withdrawable"] == 0

    # Everything is in one list.
    told = [line["what"] for line in client.look(f"{at}/timeline")["lines"]]
    for what in ("milestone.created", "deposit.requested", "deposit.confirmed", "release.confirmed", "job.run"):
        assert what in told
